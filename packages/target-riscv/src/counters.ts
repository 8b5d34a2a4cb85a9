/** cycle, time, instret and the Sstc timer. Source: Privileged 20211203, 3.1.10, 3.1.12; Sstc 1.0. */
import { IRQ, ENVCFG } from "./constants.ts";
import type { Hart } from "./hart.ts";
import { OFF } from "./state.ts";

/** Where `time` comes from: the board's timer device. */
export interface TimeSource {
  /** Puts the current count into `out`: low half, high half. */
  time(out: Uint32Array): void;
  /** The virtual time in nanoseconds at which the count reaches a value: undefined when it has, Infinity when never. */
  deadline(lo: number, hi: number): number | undefined;
}

/** A one-shot timer on the virtual clock; its owner calls {@link Counters.timeChanged} when it fires. */
export interface HartTimer {
  arm(deadlineNs: number): void;
  cancel(): void;
}

/** Bits of mcountinhibit that exist: CY and IR. */
export const COUNTINHIBIT = { CY: 1, IR: 4 } as const;

/** Counters of one hart. */
export class Counters {
  readonly #hart: Hart;
  readonly #scratch: Int32Array = new Int32Array(2);
  readonly #time: Uint32Array = new Uint32Array(2);
  #source: TimeSource | undefined;
  #timer: HartTimer | undefined;
  #executed: () => number = () => 0;
  /** Instructions in `executed` that have not retired: 1 while a CSR instruction reads. */
  unretired = 0;

  constructor(hart: Hart) {
    this.#hart = hart;
  }

  setTimeSource(source: TimeSource): void {
    this.#source = source;
    this.timeChanged();
  }

  setTimer(timer: HartTimer): void {
    this.#timer = timer;
    this.timeChanged();
  }

  /** `executed` returns the number of instructions the hart has run; instret and cycle follow it. */
  setExecuted(executed: () => number): void {
    this.#executed = executed;
  }

  /** Current `time`, low word first. Zero without a source. */
  readTime(out: Int32Array): void {
    this.#source?.time(this.#time);
    out[0] = this.#time[0]!;
    out[1] = this.#time[1]!;
  }

  /** Value of mcycle or minstret; `inhibit` is its bit of mcountinhibit. An inhibited counter stands in its slot. */
  readCount(slot: number, inhibit: number, out: Int32Array): void {
    const hart = this.#hart;
    out[0] = hart.lo(slot);
    out[1] = hart.hi(slot);
    if (!(hart.lo(OFF.mcountinhibit) & inhibit)) add(out, this.#executed() - this.unretired, 1);
  }

  writeCount(slot: number, inhibit: number, lo: number, hi: number): void {
    const out = this.#scratch;
    out[0] = lo;
    out[1] = hi;
    if (!(this.#hart.lo(OFF.mcountinhibit) & inhibit)) add(out, this.#executed(), -1);
    this.#hart.set(slot, out[0]!, out[1]!);
  }

  writeInhibit(value: number): void {
    this.#inhibit(OFF.mcycleOffset, COUNTINHIBIT.CY, value);
    this.#inhibit(OFF.minstretOffset, COUNTINHIBIT.IR, value);
  }

  #inhibit(slot: number, bit: number, value: number): void {
    const hart = this.#hart;
    const old = hart.lo(OFF.mcountinhibit);
    if (!((old ^ value) & bit)) return;
    const out = this.#scratch;
    this.readCount(slot, bit, out);
    hart.setLo(OFF.mcountinhibit, old ^ bit);
    this.writeCount(slot, bit, out[0]!, out[1]!);
  }

  /** Sstc is implemented and menvcfg.STCE is set: STIP follows stimecmp and can't be written. */
  get sstcEnabled(): boolean {
    return this.#hart.config.ext.sstc && (this.#hart.hi(OFF.menvcfg) & ENVCFG.STCE_HI) !== 0;
  }

  /** The timer fired, or `time`, stimecmp or STCE changed: STIP follows, or the timer is armed again. */
  timeChanged(): void {
    const hart = this.#hart;
    if (!this.sstcEnabled) {
      this.#timer?.cancel();
      hart.setIrq(IRQ.STI, false);
      return;
    }
    const deadline = this.#source
      ? this.#source.deadline(hart.lo(OFF.stimecmp) >>> 0, hart.hi(OFF.stimecmp) >>> 0)
      : Infinity;
    hart.setIrq(IRQ.STI, deadline === undefined);
    if (deadline !== undefined && deadline < Infinity) this.#timer?.arm(deadline);
    else this.#timer?.cancel();
  }
}

/** out += sign × count, modulo 2^64. `count` is a non-negative integer below 2^53. */
function add(out: Int32Array, count: number, sign: 1 | -1): void {
  let lo = count | 0; // modulo 2^32
  let hi = Math.floor(count / 2 ** 32) | 0;
  if (sign < 0) {
    lo = -lo | 0;
    hi = lo === 0 ? -hi | 0 : ~hi;
  }
  const sum = (out[0]! + lo) | 0;
  out[1] = out[1]! + hi + (sum >>> 0 < lo >>> 0 ? 1 : 0);
  out[0] = sum;
}
