const NS_PER_SECOND = 1e9;
const U32 = 2 ** 32;

/** Converts between nanoseconds and the ticks of a counter, in JavaScript numbers (exact for whole-nanosecond periods). */
export class TickRate {
  readonly #hz: number;
  readonly #period: number;

  /** @param hz ticks per second, 1 to 2^32 - 1 */
  constructor(hz: number) {
    this.#hz = hz;
    this.#period = NS_PER_SECOND % hz === 0 ? NS_PER_SECOND / hz : 0;
  }

  /** Whole ticks that have passed at `ns`. */
  ticksAt(ns: number): number {
    if (this.#period > 0) return Math.floor(ns / this.#period);
    const seconds = Math.floor(ns / NS_PER_SECOND);
    return seconds * this.#hz + Math.floor(((ns - seconds * NS_PER_SECOND) * this.#hz) / NS_PER_SECOND);
  }

  /** The first nanosecond at which `ticks` have passed; may be beyond 2^53 when that is out of reach. */
  nsOf(ticks: number): number {
    if (this.#period > 0) return ticks * this.#period;
    const seconds = Math.floor(ticks / this.#hz);
    let ns = seconds * NS_PER_SECOND + Math.ceil(((ticks - seconds * this.#hz) * NS_PER_SECOND) / this.#hz);
    if (ns < Number.MAX_SAFE_INTEGER && this.ticksAt(ns) < ticks) ns++;
    return ns;
  }
}

/** A 64-bit value in two unsigned halves, changed in place: no allocation per access. */
export class Halves {
  lo = 0;
  hi = 0;

  set(lo: number, hi: number): void {
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
  }

  /** @param value a non-negative integer up to 2^53 */
  setNumber(value: number): void {
    this.lo = value >>> 0;
    this.hi = Math.floor(value / U32) >>> 0;
  }

  add(lo: number, hi: number): void {
    const sum = this.lo + lo;
    this.lo = sum >>> 0;
    this.hi = (this.hi + hi + (sum >= U32 ? 1 : 0)) >>> 0;
  }

  sub(lo: number, hi: number): void {
    const difference = this.lo - lo;
    this.lo = difference >>> 0;
    this.hi = (this.hi - hi - (difference < 0 ? 1 : 0)) >>> 0;
  }

  /** Unsigned comparison. */
  atLeast(lo: number, hi: number): boolean {
    return this.hi > hi || (this.hi === hi && this.lo >= lo);
  }
}
