import type { GuestMemory } from "./guest-memory.ts";

/** One buffer that the driver made available: pieces that the device reads, then pieces that it writes. Windows on guest RAM. */
export class Chain {
  /** What the used ring returns: the head's index (split) or the buffer id (packed). */
  id: number;
  /** Descriptors that it takes in the ring; packed rings count them. */
  slots: number;
  /** Driver to device. The guest may change the bytes at any time: copy what must not change. */
  readonly out: Uint8Array[] = [];
  /** Device to driver. */
  readonly in: Uint8Array[] = [];
  /** Guest address of each piece of `in`. */
  readonly inAddrs: number[] = [];
  /** Bytes of `out`. */
  outBytes = 0;
  /** Bytes of `in`. */
  inBytes = 0;

  constructor(id: number, slots = 1) {
    this.id = id;
    this.slots = slots;
  }

  /** Copies up to `into.length` bytes from `at` of the readable part; answers how many there were. */
  readOut(at: number, into: Uint8Array): number {
    let done = 0;
    for (const piece of this.out) {
      if (at >= piece.length) {
        at -= piece.length;
        continue;
      }
      const part = piece.subarray(at, at + into.length - done);
      into.set(part, done);
      done += part.length;
      at = 0;
      if (done === into.length) break;
    }
    return done;
  }

  /** Copies `from` to `at` of the writable part; answers how many bytes fitted. */
  writeIn(at: number, from: Uint8Array): number {
    let done = 0;
    for (const piece of this.in) {
      if (at >= piece.length) {
        at -= piece.length;
        continue;
      }
      const n = Math.min(piece.length - at, from.length - done);
      piece.set(n === from.length ? from : from.subarray(done, done + n), at);
      done += n;
      at = 0;
      if (done === from.length) break;
    }
    return done;
  }

  /** Readable pieces without their first `skip` bytes and, when given, no more than `length` after them. */
  outFrom(skip: number, length: number = Number.MAX_SAFE_INTEGER): Uint8Array[] {
    return cut(this.out, skip, length);
  }

  /** Writable pieces, likewise. */
  inFrom(skip: number, length: number = Number.MAX_SAFE_INTEGER): Uint8Array[] {
    return cut(this.in, skip, length);
  }

  /** Tells dirty tracking about the first `bytes` of the writable part. */
  markWritten(memory: GuestMemory, bytes: number): void {
    for (let i = 0; bytes > 0 && i < this.in.length; i++) {
      const n = Math.min(bytes, this.in[i]!.length);
      memory.written(this.inAddrs[i]!, n);
      bytes -= n;
    }
  }
}

function cut(pieces: readonly Uint8Array[], skip: number, length: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (const piece of pieces) {
    if (length <= 0) break;
    if (skip >= piece.length) {
      skip -= piece.length;
      continue;
    }
    const whole = skip === 0 && piece.length <= length;
    const part = whole ? piece : piece.subarray(skip, Math.min(piece.length, skip + length));
    skip = 0;
    length -= part.length;
    out.push(part);
  }
  return out;
}
