/**
 * Memory that bytes of a bus master's transfer wait in, the same for every transfer: V8 collects its garbage after every few MiB of
 * new buffers, which took half of the time of reading a disk. A transfer that was dropped keeps its memory, as the drive may still
 * fill it.
 */
export class Lane {
  readonly #bytes: number;
  #free: Uint8Array | undefined;

  /** @param bytes most that one request moves */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Uint8Array {
    const memory = this.#free ?? new Uint8Array(this.#bytes);
    this.#free = undefined;
    return memory;
  }
  /** The bytes have been moved, or nobody wants them. */
  give(memory: Uint8Array): void {
    this.#free = memory;
  }
}
