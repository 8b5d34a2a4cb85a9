import { read, readSync, write } from "node:fs";

import { RangeLock, totalLength } from "@mimus/block";

/** Bytes of one piece, and how many pieces of a file are under way at once. */
const LANE = 1 << 18;
const LANES = 4;
const WASM_PAGE = 1 << 16;
/** Units that disks have: the smaller one is tried first. */
const SECTOR = 512;
const BLOCK = 4096;

/** The part of WebAssembly's interface that gives memory at the start of a page: Node has no other. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

function pages(bytes: number): Uint8Array {
  const count = bytes / WASM_PAGE;
  return new Uint8Array(new WebAssembly.Memory({ initial: count, maximum: count }).buffer);
}

/** What a transfer needs of its file besides bytes. */
export interface Sized {
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
}

/**
 * Transfers past the host's cache (O_DIRECT): at multiples of the disk's block, in memory that begins at a multiple of a page. What
 * a request has besides whole blocks is read, changed and written. Source: Linux, open(2), "O_DIRECT".
 */
export class DirectTransfer {
  readonly #fd: number;
  /** Bytes that positions and lengths are multiples of. */
  readonly block: number;
  readonly #free: Uint8Array[] = [];
  #made = 0;
  readonly #waiting: ((lane: Uint8Array) => void)[] = [];
  readonly #writes = new RangeLock();

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.block = size >= 2 * SECTOR && this.#takes(SECTOR) ? SECTOR : BLOCK;
  }

  /** @returns bytes read: fewer than asked only at the end of the file */
  async read(at: number, into: readonly Uint8Array[]): Promise<number> {
    const length = totalLength(into);
    const pieces = new Pieces(into);
    let done = 0;
    while (done < length) {
      const start = this.#down(at + done);
      const skip = at + done - start;
      const want = Math.min(length - done, LANE - skip);
      const got = await this.#withLane(async (lane) => {
        const n = await this.#read(lane, this.#up(skip + want), start);
        const useful = Math.max(0, Math.min(want, n - skip));
        pieces.fill(lane.subarray(skip, skip + useful));
        return useful;
      });
      done += got;
      if (got < want) break;
    }
    return done;
  }

  /** Writes all of it; what the last block has beyond the end of the file is cut off again. */
  async write(at: number, from: readonly Uint8Array[], file: Sized): Promise<number> {
    const length = totalLength(from);
    const [start, end] = [this.#down(at), this.#up(at + length)];
    const whole = start === at && end === at + length;
    // A block that is written in part may be the file's last: then nobody else may make the file longer meanwhile.
    const release = await this.#writes.acquire(start, whole ? length : Number.MAX_SAFE_INTEGER - start);
    try {
      const size = whole ? end : Math.max(await file.size(), at + length);
      const pieces = new Pieces(from);
      for (let here = start; here < end; here += LANE)
        await this.#withLane(async (all) => {
          const lane = all.subarray(0, Math.min(LANE, end - here));
          const [first, last] = [Math.max(0, at - here), Math.min(lane.length, at + length - here)];
          if (first > 0) await this.#block(lane.subarray(0, this.block), here);
          const tail = lane.length - this.block;
          if (last < lane.length && (tail > 0 || first === 0)) await this.#block(lane.subarray(tail), here + tail);
          pieces.drain(lane.subarray(first, last));
          await this.#store(lane, here);
        });
      if (size < end) await file.truncate(size);
      return length;
    } finally {
      release();
    }
  }

  async #store(lane: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < lane.length;) {
      const n = await this.#write(lane, done, lane.length - done, at + done);
      if (n < this.block) throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
      done += n - (n % this.block);
    }
  }

  /** One block as the file has it, zeroes beyond its end. */
  async #block(into: Uint8Array, at: number): Promise<void> {
    into.fill(0, await this.#read(into, into.length, at));
  }

  async #withLane<T>(act: (lane: Uint8Array) => Promise<T>): Promise<T> {
    let lane = this.#free.pop();
    if (lane === undefined && this.#made < LANES) {
      this.#made++;
      lane = pages(LANE);
    }
    lane ??= await new Promise<Uint8Array>((resolve) => this.#waiting.push(resolve));
    try {
      return await act(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  #takes(unit: number): boolean {
    const lane = pages(WASM_PAGE);
    try {
      return readSync(this.#fd, lane, 0, unit, unit) === unit;
    } catch {
      return false;
    }
  }

  #read(into: Uint8Array, length: number, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#fd, into, 0, length, at, (error, n) => (error ? reject(error) : resolve(n)));
    });
  }

  #write(from: Uint8Array, done: number, length: number, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, from, done, length, at, (error, n) => (error ? reject(error) : resolve(n)));
    });
  }

  #down(at: number): number {
    return at - (at % this.block);
  }
  #up(at: number): number {
    return Math.ceil(at / this.block) * this.block;
  }
}

/** A list of buffers, filled or drained from its start on. */
class Pieces {
  readonly #pieces: readonly Uint8Array[];
  #index = 0;
  #at = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
  }

  fill(from: Uint8Array): void {
    this.#go(from.length, (piece, at, done) => piece.set(from.subarray(done, done + piece.length - at), at));
  }
  drain(into: Uint8Array): void {
    this.#go(into.length, (piece, at, done) => into.set(piece.subarray(at, at + into.length - done), done));
  }

  #go(length: number, act: (piece: Uint8Array, at: number, done: number) => void): void {
    for (let done = 0; done < length;) {
      const piece = this.#pieces[this.#index] as Uint8Array;
      act(piece, this.#at, done);
      const n = Math.min(piece.length - this.#at, length - done);
      done += n;
      this.#at += n;
      if (this.#at === piece.length) [this.#index, this.#at] = [this.#index + 1, 0];
    }
  }
}
