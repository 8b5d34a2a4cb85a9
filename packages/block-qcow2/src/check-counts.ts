/** Clusters of one page of counts. */
export const PAGE: number = 1 << 16;
const NOTHING = new Uint8Array(PAGE);

/** How often each cluster of a file is used: one byte each where anything is, and a list of the few above 254. */
export class Counts {
  readonly #pages: Map<number, Uint8Array> = new Map();
  readonly #many: Map<number, number> = new Map();
  /** Numbers of the pages, as of the last question in which order they come. */
  #sorted: readonly number[] = [];
  /** The page that was asked for last: most questions stay in it. */
  #last: Uint8Array | undefined;
  #lastIndex = -1;
  /** Behind the highest counted cluster. */
  end = 0;

  get(cluster: number): number {
    const page = this.#page(Math.floor(cluster / PAGE));
    const n = page === undefined ? 0 : page[cluster % PAGE]!;
    return n < 255 ? n : (this.#many.get(cluster) ?? 255);
  }

  /** The first cluster from `from` on, and before `to`, with a count other than 0; Infinity when there is none. What lies between counted pages takes no time. */
  next(from: number, to: number = this.end): number {
    for (let at = from; at < to;) {
      const index = Math.floor(at / PAGE);
      const page = this.#pages.get(index);
      if (page === undefined) {
        at = this.#pageFrom(index) * PAGE;
        continue;
      }
      for (const end = Math.min(to, (index + 1) * PAGE); at < end; at++) if (page[at % PAGE] !== 0) return at;
    }
    return Infinity;
  }

  /** The first page from `index` on; Infinity when there is none. */
  #pageFrom(index: number): number {
    if (this.#sorted.length !== this.#pages.size) this.#sorted = [...this.#pages.keys()].toSorted((a, b) => a - b);
    const sorted = this.#sorted;
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return sorted[low] ?? Infinity;
  }

  /** Counts of the clusters of one page, 255 for all that are larger; not to be changed. */
  page(index: number): Uint8Array {
    return this.#page(index) ?? NOTHING;
  }

  add(first: number, count: number): void {
    for (let i = first; i < first + count; i++) this.one(i);
  }

  /** Counts one use. */
  one(cluster: number): void {
    const page = this.pageToChange(Math.floor(cluster / PAGE));
    const at = cluster % PAGE;
    const n = page[at]!;
    if (n < 254) page[at] = n + 1;
    else {
      page[at] = 255;
      this.#many.set(cluster, (this.#many.get(cluster) ?? n) + 1);
    }
    this.reach(cluster);
  }

  /** Takes one use back. */
  less(cluster: number): void {
    const page = this.#pages.get(Math.floor(cluster / PAGE));
    const at = cluster % PAGE;
    if (!page || page[at] === 0) return;
    const more = this.#many.get(cluster);
    if (more === undefined) page[at]!--;
    else if (more > 255) this.#many.set(cluster, more - 1);
    else {
      this.#many.delete(cluster);
      page[at] = more - 1;
    }
  }

  /** Adds bits to a cluster's number, instead of counting. */
  mark(cluster: number, bits: number): void {
    this.pageToChange(Math.floor(cluster / PAGE))[cluster % PAGE]! |= bits;
    this.reach(cluster);
  }

  /** The cluster has been counted. */
  reach(cluster: number): void {
    if (cluster >= this.end) this.end = cluster + 1;
  }

  #page(index: number): Uint8Array | undefined {
    if (index !== this.#lastIndex) {
      this.#last = this.#pages.get(index);
      this.#lastIndex = index;
    }
    return this.#last;
  }

  /** Counts of one page, for whoever adds to them, keeps below 254 and tells with {@link reach}. */
  pageToChange(index: number): Uint8Array {
    const page = this.#page(index);
    if (page) return page;
    const made = new Uint8Array(PAGE);
    this.#pages.set(index, made);
    this.#last = made;
    return made;
  }
}
