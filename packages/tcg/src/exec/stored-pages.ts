/** Entries that are known for a page. Kernels map most of their pages twice, and what they share with programs more often. */
const KNOWN = 4;
/** In the first place: there are more. */
const MORE = -1;

/** Which TLB entries without TLB_CODE may let stores through to each page of the machine memory. */
export class StoredPages {
  /** By page: numbers of entries and 1; 0: no more. Made for the first entry: most of many vCPUs never run. */
  #by: Int32Array | undefined;
  readonly #memory: number;

  /** `memory`: bytes of the machine memory. */
  constructor(memory: number) {
    this.#memory = memory;
  }

  note(host: number, entry: number): void {
    const by = (this.#by ??= new Int32Array((this.#memory >>> 12) * KNOWN));
    const at = (host >>> 12) * KNOWN;
    if (by[at] === MORE) return;
    for (let i = at; i < at + KNOWN; i++) {
      if (by[i] === entry + 1) return;
      if (by[i] !== 0) continue;
      by[i] = entry + 1;
      return;
    }
    by[at] = MORE;
  }

  /** Visits the entries of a page, and forgets them. @returns whether there were any; undefined: all that there are may be */
  take(host: number, visit: (entry: number) => void): boolean | undefined {
    const by = this.#by;
    if (by === undefined) return false;
    const at = (host >>> 12) * KNOWN;
    const first = by[at]!;
    for (let i = at; i < at + KNOWN; i++) {
      if (first !== MORE && by[i] !== 0) visit(by[i]! - 1);
      by[i] = 0;
    }
    return first === MORE ? undefined : first !== 0;
  }
}
