import { BlockError, type BlockNode, type BlockStatus } from "@mimus/block";

const PAGE = 4096;
const SECTOR = 512;
/** Up to here copying byte by byte is faster than a view of the bytes. */
const FEW = 64;
/** Bytes that one run may add beyond the end before the file takes no more. */
const MOST_ADDED = 1 << 26;
const DONE: Promise<void> = Promise.resolve();

/**
 * A file as a block node whose changes are taken back by {@link undo}: what a run touched is copied from the original,
 * nothing else. Answers at once; a request that no parser may make (half bytes, a write to what is read-only) is an Error.
 */
export class ScratchFile implements BlockNode {
  readonly name: string;
  readonly filename: string;
  readonly driver: string = "file";
  readonly sectorSize: number = SECTOR;
  readonly grows: boolean = true;
  readOnly = true;
  /** The bytes as they are now, of the original's length; those behind {@link length} mean nothing. Who changes them says so by {@link touch}. */
  readonly bytes: Uint8Array;
  readonly #original: Uint8Array;
  /** Changed ranges: from, to, from, to. */
  readonly #touched: number[] = [];
  /** What lies behind the original's length. */
  readonly #beyond: Map<number, Uint8Array> = new Map();
  #size: number;

  constructor(filename: string, original: Uint8Array) {
    this.name = this.filename = filename;
    this.#original = original;
    this.bytes = original.slice();
    this.#size = original.length;
  }

  /** Bytes of the file, not rounded up to sectors. */
  get length(): number {
    return this.#size;
  }
  get size(): number {
    return Math.ceil(this.#size / SECTOR) * SECTOR;
  }

  /** The original again. */
  undo(): void {
    const touched = this.#touched;
    for (let i = 0; i < touched.length; i += 2) copy(this.#original, touched[i]!, touched[i + 1]!, this.bytes);
    touched.length = 0;
    if (this.#beyond.size > 0) this.#beyond.clear();
    this.#size = this.#original.length;
  }

  /** Bytes `from` to `to` differ from the original. */
  touch(from: number, to: number): void {
    if (from < this.bytes.length) this.#touched.push(from, Math.min(to, this.bytes.length));
  }

  /** Whether any of the bytes `from` to `to` was changed. */
  touches(from: number, to: number): boolean {
    const touched = this.#touched;
    for (let i = 0; i < touched.length; i += 2) if ((touched[i] ?? 0) < to && (touched[i + 1] ?? 0) > from) return true;
    return false;
  }

  /** Changes bytes inside the file. */
  patch(at: number, from: Uint8Array): void {
    const inside = Math.max(0, Math.min(from.length, this.#size - at));
    this.#put(at, inside === from.length ? from : from.subarray(0, inside));
  }

  /** Puts other bytes in the place of `start` to `end`; of what follows the next `moved` bytes move, inside the file. */
  splice(start: number, end: number, by: Uint8Array, moved: number): void {
    const last = Math.min(this.#size, this.bytes.length);
    const to = start + by.length;
    const stop = Math.min(last, to + Math.min(moved, last - end));
    if (to < stop) {
      this.bytes.copyWithin(to, end, end + stop - to);
      this.#touched.push(to, stop);
    }
    this.patch(start, by);
  }

  /** Cuts the file off, or makes it longer by zeroes. */
  cut(size: number): void {
    if (size > this.#size) this.#reach(size);
    else if (this.#beyond.size > 0) this.#zero(size, this.#size);
    this.#size = size;
  }

  /** The file becomes longer: what a cut left behind its end reads as zeroes from now on. */
  #reach(end: number): void {
    const from = this.#size;
    const to = Math.min(end, this.bytes.length);
    if (from < to) {
      this.bytes.fill(0, from, to);
      this.#touched.push(from, to);
    }
    this.#size = Math.max(from, end);
  }

  read(at: number, into: Uint8Array): Promise<void> {
    const wrong = this.#wrong("read", at, into.length, false);
    if (wrong) return wrong;
    const here = Math.min(this.bytes.length, this.#size);
    const end = at + into.length;
    if (end <= here) {
      if (into.length <= FEW) for (let i = 0; i < into.length; i++) into[i] = this.bytes[at + i]!;
      else into.set(this.bytes.subarray(at, end));
      return DONE;
    }
    const inside = Math.max(0, here - at);
    if (inside > 0) into.set(this.bytes.subarray(at, here));
    into.fill(0, inside);
    for (const [number, page] of this.#beyond) {
      const from = Math.max(at + inside, number * PAGE);
      const to = Math.min(end, number * PAGE + PAGE);
      if (from < to) into.set(page.subarray(from - number * PAGE, to - number * PAGE), from - at);
    }
    return DONE;
  }

  write(at: number, from: Uint8Array): Promise<void> {
    const wrong = this.#wrong("write", at, from.length, true);
    if (wrong) return wrong;
    if (this.#beyond.size * PAGE + from.length > MOST_ADDED)
      return Promise.reject(new BlockError("no-space", `'${this.filename}' takes no more data`, { at }));
    this.#reach(Math.max(this.#size, at + from.length));
    this.#put(at, from);
    return DONE;
  }

  writeZeroes(at: number, length: number): Promise<void> {
    const wrong = this.#wrong("write zeroes", at, length, true);
    if (wrong) return wrong;
    this.#reach(Math.max(this.#size, at + length));
    this.#zero(at, at + length);
    return DONE;
  }

  discard(at: number, length: number): Promise<void> {
    const wrong = this.#wrong("discard", at, length, true);
    if (wrong) return wrong;
    this.#zero(at, Math.min(this.#size, at + length));
    return DONE;
  }

  resize(size: number): Promise<void> {
    const wrong = this.#wrong("resize", size, 0, true);
    if (wrong) return wrong;
    this.cut(size);
    return DONE;
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    await this.#wrong("block status", at, length, false);
    const behind = at >= this.#size;
    return { length, allocated: true, zero: behind, data: !behind, offset: at, file: this };
  }

  async allocated(): Promise<number | undefined> {
    return this.#size;
  }
  flush(): Promise<void> {
    return DONE;
  }
  close(): Promise<void> {
    return DONE;
  }

  #wrong(what: string, at: number, length: number, changes: boolean): Promise<never> | undefined {
    if (at < 0)
      return Promise.reject(
        new BlockError("out-of-range", `${what} of ${length} bytes at ${at} lies outside '${this.name}'`, { at }),
      );
    if (!Number.isSafeInteger(at + length) || !Number.isSafeInteger(at) || length < 0)
      return Promise.reject(new RangeError(`${what} of ${length} bytes at ${at} of '${this.name}': no whole numbers`));
    if (changes && this.readOnly)
      return Promise.reject(new TypeError(`${what} of '${this.name}', which was opened read-only`));
    return undefined;
  }

  #put(at: number, from: Uint8Array): void {
    const inside = Math.max(0, Math.min(from.length, this.bytes.length - at));
    if (inside > 0) {
      if (inside <= FEW) for (let i = 0; i < inside; i++) this.bytes[at + i] = from[i]!;
      else this.bytes.set(inside === from.length ? from : from.subarray(0, inside), at);
      this.#touched.push(at, at + inside);
    }
    for (let done = inside; done < from.length;) {
      const number = Math.floor((at + done) / PAGE);
      const start = at + done - number * PAGE;
      const piece = Math.min(PAGE - start, from.length - done);
      let page = this.#beyond.get(number);
      if (!page) this.#beyond.set(number, (page = new Uint8Array(PAGE)));
      page.set(from.subarray(done, done + piece), start);
      done += piece;
    }
  }

  #zero(from: number, to: number): void {
    const here = Math.min(to, this.bytes.length);
    if (from < here) {
      this.bytes.fill(0, from, here);
      this.#touched.push(from, here);
    }
    for (const [number, page] of this.#beyond) {
      const start = Math.max(0, from - number * PAGE);
      const end = Math.min(PAGE, to - number * PAGE);
      if (start < end) page.fill(0, start, end);
    }
  }
}

/** Bytes `from` to `to` of one array to the same place of another. */
function copy(source: Uint8Array, from: number, to: number, into: Uint8Array): void {
  if (to - from > FEW) into.set(source.subarray(from, to), from);
  else for (let i = from; i < to; i++) into[i] = source[i]!;
}
