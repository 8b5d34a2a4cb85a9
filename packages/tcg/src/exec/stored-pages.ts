/** More than one entry. */
export const SEVERAL = -1;
export const NO_ENTRY = -2;

/** Which TLB entries without TLB_CODE may let stores through to each page of the machine memory. */
export class StoredPages {
  /** Number of the entry and 1; 0: none. */
  readonly #by: Int32Array;

  constructor(memory: number) {
    this.#by = new Int32Array(memory >>> 12);
  }

  note(host: number, entry: number): void {
    const was = this.#by[host >>> 12];
    this.#by[host >>> 12] = was === 0 || was === entry + 1 ? entry + 1 : SEVERAL;
  }

  /** The entry of a page, {@link SEVERAL} or {@link NO_ENTRY}: there is none any more. */
  take(host: number): number {
    const by = this.#by[host >>> 12]!;
    this.#by[host >>> 12] = 0;
    return by === 0 ? NO_ENTRY : by === SEVERAL ? SEVERAL : by - 1;
  }
}
