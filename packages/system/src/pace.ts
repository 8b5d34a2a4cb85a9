/** Instructions a slice has at least: below this the loop's own cost dominates. */
const MIN_BUDGET = 2000;
/** Most instructions of one slice: a bound for hosts whose clock stands still. */
const MAX_BUDGET = 20_000_000;

/** Estimates how many instructions fit into a time, from what earlier slices took. */
export class Pace {
  /** Instructions per nanosecond. */
  #rate = 0.02;

  /** @param ns time until something else has to happen */
  budget(ns: number): number {
    const insns = ns * this.#rate;
    return insns < MIN_BUDGET ? MIN_BUDGET : insns > MAX_BUDGET ? MAX_BUDGET : Math.floor(insns);
  }

  /** A slice ran `insns` in `ns`. Short ones say little and weigh little. */
  observe(insns: number, ns: number): void {
    if (insns <= 0 || ns <= 0) return;
    const weight = Math.min(0.5, insns / 1_000_000);
    this.#rate += (insns / ns - this.#rate) * weight;
  }
}
