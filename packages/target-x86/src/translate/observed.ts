/** Which operation the flags are of where blocks begin. */
import type { TranslateContext } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { OFF } from "../state.ts";

/** Blocks that are remembered. */
const ENTRIES = 4096;

/**
 * A block is translated for the first time when it is about to run: what cc_op holds then is remembered, and is what
 * translations of hot code may count on, behind a guard.
 */
export class Observed {
  readonly #tags: Uint32Array = new Uint32Array(ENTRIES);
  readonly #ops: Int16Array = new Int16Array(ENTRIES);

  /** The cc_op seen at the start of the block, -1 none. */
  at(ctx: TranslateContext): number {
    const pc = ctx.pcLo >>> 0;
    const slot = (pc ^ (pc >>> 12)) & (ENTRIES - 1);
    if (this.#tags[slot] === pc) return this.#ops[slot]!;
    this.#tags[slot] = pc;
    return (this.#ops[slot] = (ctx.cpu as X86Cpu).lo(OFF.ccOp));
  }
}
