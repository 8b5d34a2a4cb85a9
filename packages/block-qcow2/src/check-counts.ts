/** Clusters of one page of counts. */
const PAGE = 1 << 16;

/** How often each cluster of a file is used: one byte each where anything is, and a list of the few above 254. */
export class Counts {
  readonly #pages: Map<number, Uint8Array> = new Map();
  readonly #many: Map<number, number> = new Map();
  /** Behind the highest counted cluster. */
  end = 0;

  get(cluster: number): number {
    const page = this.#pages.get(Math.floor(cluster / PAGE));
    const n = page === undefined ? 0 : (page[cluster % PAGE] ?? 0);
    return n < 255 ? n : (this.#many.get(cluster) ?? 255);
  }

  add(first: number, count: number): void {
    for (let i = first; i < first + count; i++) this.one(i);
  }

  /** Counts one use. */
  one(cluster: number): void {
    const index = Math.floor(cluster / PAGE);
    let page = this.#pages.get(index);
    if (!page) this.#pages.set(index, (page = new Uint8Array(PAGE)));
    const at = cluster % PAGE;
    const n = page[at]!;
    if (n < 254) page[at] = n + 1;
    else {
      page[at] = 255;
      this.#many.set(cluster, (this.#many.get(cluster) ?? n) + 1);
    }
    if (cluster >= this.end) this.end = cluster + 1;
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

  /** Uses of a page of clusters, when there are any: a quick way over empty parts. */
  used(cluster: number): boolean {
    return this.#pages.has(Math.floor(cluster / PAGE));
  }
}
