/** A set of interrupt vectors 0..255, as the ISR, TMR and IRR hold them. */
export class VectorSet {
  readonly words: Uint32Array = new Uint32Array(8);

  has(vector: number): boolean {
    return ((this.words[vector >> 5]! >>> (vector & 31)) & 1) !== 0;
  }

  add(vector: number): void {
    this.words[vector >> 5]! |= 1 << (vector & 31);
  }

  remove(vector: number): void {
    this.words[vector >> 5]! &= ~(1 << (vector & 31));
  }

  /** The highest one; -1: it is empty. */
  highest(): number {
    const { words } = this;
    for (let i = 7; i >= 0; i--) {
      const word = words[i]!;
      if (word !== 0) return (i << 5) | (31 - Math.clz32(word));
    }
    return -1;
  }

  clear(): void {
    this.words.fill(0);
  }
}
