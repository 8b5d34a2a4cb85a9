/** Bytes of arrays that are kept for later. */
const MOST: number = 16 << 20;

/** Arrays that are used again: clients read in pieces of the same few lengths, and a fresh array costs more than its bytes. */
export class Buffers {
  readonly #free: Map<number, Uint8Array[]> = new Map();
  #bytes = 0;

  /** An array of this length; its content is whatever it was. */
  take(length: number): Uint8Array {
    const found = this.#free.get(length)?.pop();
    if (found === undefined) return new Uint8Array(length);
    this.#bytes -= length;
    return found;
  }

  /** Nobody uses the array any more. */
  give(array: Uint8Array): void {
    const { length } = array;
    if (length === 0 || length > MOST) return;
    if (this.#bytes + length > MOST) {
      // Of lengths that are not in use now, most likely.
      this.#free.clear();
      this.#bytes = 0;
    }
    const list = this.#free.get(length);
    if (list === undefined) this.#free.set(length, [array]);
    else list.push(array);
    this.#bytes += length;
  }
}
