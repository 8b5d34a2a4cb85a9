/** Which clusters of a file something uses: a bit for each. */
export class UsedClusters {
  readonly #bits: Uint8Array;
  /** Clusters of the file. */
  readonly count: number;

  constructor(count: number) {
    this.count = count;
    this.#bits = new Uint8Array(Math.ceil(count / 8));
  }

  has(cluster: number): boolean {
    return ((this.#bits[cluster >> 3] ?? 0) & (1 << (cluster & 7))) !== 0;
  }

  /** Marks clusters as used; those beyond the end of the file are left out. True when one of them was used already. */
  add(first: number, count: number): boolean {
    let twice = false;
    for (let cluster = first; cluster < Math.min(first + count, this.count); cluster++) {
      twice ||= this.has(cluster);
      this.#bits[cluster >> 3]! |= 1 << (cluster & 7);
    }
    return twice;
  }

  delete(cluster: number): void {
    this.#bits[cluster >> 3]! &= ~(1 << (cluster & 7));
  }

  /** Clusters that nothing uses. */
  unused(): number {
    let unused = 0;
    for (let cluster = 0; cluster < this.count; cluster++) {
      if ((cluster & 7) === 0 && cluster + 8 <= this.count && this.#bits[cluster >> 3] === 0) {
        unused += 8;
        cluster += 7;
      } else if (!this.has(cluster)) unused++;
    }
    return unused;
  }
}
