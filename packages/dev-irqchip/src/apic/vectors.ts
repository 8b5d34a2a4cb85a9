/** A set of interrupt vectors 0..255, as the ISR, TMR and IRR hold them. */
export class VectorSet {
  readonly words: Uint32Array = new Uint32Array(8);
  /** Bit n: word n is not 0. */
  #some = 0;

  has(vector: number): boolean {
    return ((this.words[vector >> 5]! >>> (vector & 31)) & 1) !== 0;
  }

  add(vector: number): void {
    this.words[vector >> 5]! |= 1 << (vector & 31);
    this.#some |= 1 << (vector >> 5);
  }

  remove(vector: number): void {
    const n = vector >> 5;
    const word = this.words[n]! & ~(1 << (vector & 31));
    this.words[n] = word;
    if (word === 0) this.#some &= ~(1 << n);
  }

  /** The highest one; -1: it is empty. */
  highest(): number {
    if (this.#some === 0) return -1;
    const n = 31 - Math.clz32(this.#some);
    return (n << 5) | (31 - Math.clz32(this.words[n]!));
  }

  clear(): void {
    this.words.fill(0);
    this.#some = 0;
  }

  /** Becomes the set of eight words. */
  load(words: readonly number[]): void {
    this.words.set(words);
    this.#some = words.reduce((some, word, n) => (word === 0 ? some : some | (1 << n)), 0);
  }
}
