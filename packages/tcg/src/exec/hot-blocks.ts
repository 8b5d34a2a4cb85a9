import type { Tb } from "./blocks.ts";
import { TB } from "./descriptor.ts";

/** Instructions of all vCPUs together after which hot blocks are compiled though the batch is not full. */
const PATIENCE = 4_000_000;
/**
 * Executions of a hot block that waits for others after which they are compiled though the batch is not full. With 50,000 nearly half of
 * what an amd64 boot interprets was blocks that wait, and it took 2 % longer; 1000 to 10,000 make no difference.
 */
const MOST_WAITING = 8000;

/** Blocks that are hot, and wait for others to be compiled with. */
export class HotBlocks {
  readonly #i32: Int32Array;
  readonly #batch: number;
  readonly #blocks: Tb[] = [];
  #since = -1;

  constructor(i32: Int32Array, batch: number) {
    this.#i32 = i32;
    this.#batch = batch;
  }

  /** A block's counter ran out. @returns whether it is time to compile */
  add(tb: Tb): boolean {
    if (tb.executedBefore > 0) return true;
    this.#blocks.push(tb);
    tb.executedBefore = tb.counterStart;
    tb.counterStart = this.#i32[(tb.address + TB.counter) >>> 2] = MOST_WAITING;
    return this.#blocks.length >= this.#batch;
  }

  /** A vCPU begins a run: blocks do not wait for ever. @returns whether it is time to compile */
  aging(executed: number): boolean {
    if (this.#blocks.length === 0) this.#since = -1;
    else if (this.#since < 0) this.#since = executed;
    else return executed - this.#since > PATIENCE;
    return false;
  }

  /** Those that wait; they do no more. */
  take(): Tb[] {
    this.#since = -1;
    return this.#blocks.splice(0).filter((tb) => tb.alive);
  }
}
