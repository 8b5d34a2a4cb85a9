import { BaseChar } from "./base.ts";

/** Keeps the last `size` bytes of output; what the monitor's `ringbuf-read` reads. Also the back end of tests. */
export class RingBufChar extends BaseChar {
  readonly #ring: Uint8Array;
  #written = 0;
  #read = 0;

  /** @param size bytes, a power of two. */
  constructor(label: string, size = 65536) {
    super(label);
    this.#ring = new Uint8Array(size);
  }

  override write(bytes: Uint8Array): number {
    for (const byte of bytes) this.#ring[this.#written++ % this.#ring.length] = byte;
    this.#read = Math.max(this.#read, this.#written - this.#ring.length);
    return bytes.length;
  }

  /** Takes up to `limit` bytes of the oldest output. */
  take(limit: number = Number.POSITIVE_INFINITY): Uint8Array {
    const count = Math.min(limit, this.#written - this.#read);
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = this.#ring[this.#read++ % this.#ring.length] ?? 0;
    return out;
  }

  /** Feeds input to the front end, as if it came from outside. */
  feed(bytes: Uint8Array): void {
    this.input(bytes);
  }

  override async close(): Promise<void> {}
}
