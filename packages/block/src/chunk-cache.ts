/** The last decoded pieces of a compressed image, up to a number of bytes. Pieces asked for twice at once are decoded once. */
export class ChunkCache {
  readonly #limit: number;
  readonly #held: Map<number, Uint8Array> = new Map();
  readonly #coming: Map<number, Promise<Uint8Array>> = new Map();
  #bytes = 0;

  /** `limit`: bytes; the newest piece is kept whatever its size. */
  constructor(limit: number = 16 << 20) {
    this.#limit = limit;
  }

  /** The piece with this number; `decode` makes it when it is not held. Not to be changed by the caller. */
  async get(chunk: number, decode: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const held = this.#held.get(chunk);
    if (held) {
      this.#held.delete(chunk);
      this.#held.set(chunk, held);
      return held;
    }
    let coming = this.#coming.get(chunk);
    if (!coming) {
      coming = decode()
        .then((bytes) => this.#keep(chunk, bytes))
        .finally(() => this.#coming.delete(chunk));
      this.#coming.set(chunk, coming);
    }
    return coming;
  }

  #keep(chunk: number, bytes: Uint8Array): Uint8Array {
    this.#held.set(chunk, bytes);
    this.#bytes += bytes.length;
    for (const [old, { length }] of this.#held) {
      if (this.#bytes <= this.#limit || old === chunk) break;
      this.#held.delete(old);
      this.#bytes -= length;
    }
    return bytes;
  }
}
