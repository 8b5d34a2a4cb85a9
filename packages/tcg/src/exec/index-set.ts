const NOT_MADE = new Uint16Array(0);

/** A set of small numbers that is gone through as fast as it is filled. */
export class IndexSet {
  /** Made for the first member: of 255 vCPUs most never run, and their sets take a second to make. */
  #members: Uint16Array = NOT_MADE;
  #has: Uint8Array = new Uint8Array(NOT_MADE.buffer);
  readonly #most: number;
  #count = 0;

  /** For numbers from 0 to less than `size`, which is 65536 at most. */
  constructor(size: number) {
    this.#most = size;
  }

  get size(): number {
    return this.#count;
  }

  add(n: number): void {
    if (this.#members === NOT_MADE) this.#make();
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

  #make(): void {
    this.#members = new Uint16Array(this.#most);
    this.#has = new Uint8Array(this.#most);
  }

  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#has[this.#members[i]!] = 0;
    this.#count = 0;
  }
}
