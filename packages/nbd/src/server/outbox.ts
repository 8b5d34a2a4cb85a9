import type { ByteStream } from "../stream.ts";
import type { Buffers } from "./buffers.ts";

/** Bytes of one piece in which small messages are gathered. */
const PIECE: number = 1 << 17;
/** Data from this size on goes out as it is; smaller data is copied beside its header. */
const OWN_PIECE: number = 1 << 15;
/** Bytes of replies that may gather in one turn. */
const MOST_WAITING: number = 1 << 20;

/** Replies that leave together: those that are ready in one turn of the host's loop take one call of the host. */
export class Outbox {
  readonly #stream: ByteStream;
  readonly #drained: () => void;
  readonly #buffers: Buffers;
  /** Arrays among the pieces that go back when they are sent. */
  #lent: Uint8Array[] = [];
  #piece: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #pieces: Uint8Array[] = [];
  #scheduled = false;
  #full = false;
  /** Bytes that the stream has not got yet. */
  #waiting = 0;

  /** @param drained called when output that waited has left */
  constructor(stream: ByteStream, buffers: Buffers, drained: () => void) {
    this.#stream = stream;
    this.#buffers = buffers;
    this.#drained = drained;
    stream.onDrain(() => {
      this.#full = false;
      this.#drained();
    });
  }

  /** The other end does not read: no more requests should be begun. */
  get full(): boolean {
    return this.#full || this.#waiting > MOST_WAITING;
  }

  /** The array in which the next message of `length` bytes (at most 64 KiB) is written, at `at`. */
  room(length: number): number {
    if (this.#end + length > this.#piece.length) {
      this.#cut();
      this.#piece = new Uint8Array(PIECE);
      this.#start = this.#end = 0;
    }
    const at = this.#end;
    this.#end += length;
    this.#waiting += length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#stream.later(() => this.flush());
    }
    return at;
  }

  get bytes(): Uint8Array {
    return this.#piece;
  }

  /** Sends data behind what `room` gave last; the array goes back to the buffers. */
  data(from: Uint8Array): void {
    if (from.length < OWN_PIECE) {
      // The header may have been the last thing that fitted: the stream gets pieces in order either way.
      const at = this.room(from.length);
      this.#piece.set(from, at);
      this.#buffers.give(from);
      return;
    }
    this.#cut();
    this.#pieces.push(from);
    this.#lent.push(from);
    this.#waiting += from.length;
  }

  flush(): void {
    this.#scheduled = false;
    this.#cut();
    if (this.#pieces.length === 0) return;
    const pieces = this.#pieces;
    const held = this.#waiting > MOST_WAITING;
    this.#pieces = [];
    this.#waiting = 0;
    const lent = this.#lent;
    let sent: (() => void) | undefined;
    if (lent.length > 0) {
      this.#lent = [];
      sent = () => {
        for (const array of lent) this.#buffers.give(array);
      };
    }
    if (!this.#stream.write(pieces, sent)) this.#full = true;
    else if (held) this.#drained();
  }

  #cut(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#piece.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
