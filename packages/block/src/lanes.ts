/**
 * Memory that the bytes of requests pass through, used again and again: V8 collects its garbage after every few MiB of new buffers,
 * which took half of the time of reading a disk. What a request that failed, or that nobody waits for, goes on to use is not given
 * back: a part of it may still be under way.
 */
export class Lanes {
  /** Of each. */
  readonly bytes: number;
  readonly #most: number;
  readonly #free: Uint8Array[] = [];

  /** @param most that are kept */
  constructor(bytes: number, most: number) {
    this.bytes = bytes;
    this.#most = most;
  }

  /** A buffer with old content, or a new one. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(this.bytes);
  }
  /** Takes a buffer back that nobody uses any more. */
  give(lane: Uint8Array): void {
    if (this.#free.length < this.#most) this.#free.push(lane);
  }
}
