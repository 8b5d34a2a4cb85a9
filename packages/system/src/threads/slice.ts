/** Nanoseconds that guest code runs between two looks at what other threads want. */
const WANTED_NS = 50_000;
const LEAST = 500;
const MOST = 50_000;

/** Instructions of a slice: as many as take some fifty microseconds, by what the last ones took. */
export class Slice {
  insns = 5000;

  /** A slice ran `insns` in `ns`. Those that ended early say nothing. */
  observe(insns: number, ns: number): void {
    if (insns < this.insns || ns <= 0) return;
    const fit = (insns * WANTED_NS) / ns;
    this.insns = Math.max(LEAST, Math.min(MOST, Math.round((this.insns + fit) / 2)));
  }
}
