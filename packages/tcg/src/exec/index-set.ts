/** A set of small numbers that is gone through as fast as it is filled. */
export class IndexSet {
  readonly #members: Uint16Array;
  readonly #has: Uint8Array;
  #count = 0;

  /** For numbers from 0 to less than `size`, which is 65536 at most. */
  constructor(size: number) {
    this.#members = new Uint16Array(size);
    this.#has = new Uint8Array(size);
  }

  get size(): number {
    return this.#count;
  }

  add(n: number): void {
    if (this.#has[n] === 1) return;
    this.#has[n] = 1;
    this.#members[this.#count++] = n;
  }

  /** Goes through all, in the order they came, and keeps those that `keep` says. It must not add any. */
  sweep(keep: (n: number) => boolean): void {
    const count = this.#count;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const n = this.#members[i]!;
      if (keep(n)) this.#members[kept++] = n;
      else this.#has[n] = 0;
    }
    this.#count = kept;
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#has[this.#members[i]!] = 0;
    this.#count = 0;
  }
}
