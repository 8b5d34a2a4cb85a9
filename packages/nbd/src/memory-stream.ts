import type { ByteStream } from "./stream.ts";

/** Two streams that lead to each other, in memory: a server and a client in one program, and tests. */
export function streamPair(): [ByteStream, ByteStream] {
  const a = new MemoryStream("server");
  const b = new MemoryStream("client");
  a.other = b;
  b.other = a;
  return [a, b];
}

/** Bytes under way from which on the writer should wait. */
const HIGH_WATER = 1 << 18;

class MemoryStream implements ByteStream {
  readonly peer: string;
  other!: MemoryStream;
  #data: ((bytes: Uint8Array) => void) | undefined;
  #closed: ((error?: Error) => void) | undefined;
  #drained: (() => void) | undefined;
  readonly #queue: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #running = false;
  #over = false;

  constructor(peer: string) {
    this.peer = peer;
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#data = listener;
    this.#run();
  }
  onClose(listener: (error?: Error) => void): void {
    this.#closed = listener;
    this.#run();
  }
  onDrain(listener: () => void): void {
    this.#drained = listener;
  }
  write(pieces: readonly Uint8Array[], sent?: () => void): boolean {
    const room = this.other.#take(pieces);
    sent?.();
    return room;
  }
  later(act: () => void): void {
    void Promise.resolve().then(act);
  }
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#run();
  }
  end(): void {
    this.#over = true;
    this.other.#over = true;
    this.#run();
    this.other.#run();
  }
  destroy(): void {
    this.#queue.length = 0;
    this.end();
  }

  #take(pieces: readonly Uint8Array[]): boolean {
    if (this.#over) return true;
    for (const piece of pieces) {
      // Who wrote it may use its array again.
      this.#queue.push(piece.slice());
      this.#bytes += piece.length;
    }
    this.#run();
    return this.#bytes < HIGH_WATER;
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    void Promise.resolve().then(() => {
      this.#running = false;
      while (!this.#paused && this.#data !== undefined) {
        const piece = this.#queue.shift();
        if (piece === undefined) break;
        const full = this.#bytes >= HIGH_WATER;
        this.#bytes -= piece.length;
        this.#data(piece);
        if (full && this.#bytes < HIGH_WATER) this.other.#drained?.();
      }
      if (this.#over && this.#queue.length === 0 && this.#closed !== undefined) {
        const closed = this.#closed;
        this.#closed = undefined;
        closed();
      }
    });
  }
}
