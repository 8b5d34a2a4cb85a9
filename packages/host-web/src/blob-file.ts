import { BlockError, type HostFile } from "@mimus/block";

const PAGE = 65536;
/** Stands for every page that was zeroed as a whole; never written to. */
const ZERO = new Uint8Array(PAGE);

/**
 * A Blob or File of the browser as a disk. What is written stays in memory, a page of 64 KiB at a time, and the Blob is as it was; with
 * `writable` false, writing is an error.
 */
export class BlobFile implements HostFile {
  readonly path: string;
  readonly #blob: Blob;
  readonly #writable: boolean;
  /** Pages that were written: by page number. */
  readonly #pages: Map<number, Uint8Array> = new Map();
  #size: number;
  /** The Blob shows through below this; what lies above was cut off or never there. */
  #shown: number;
  /** Writes one after the other: two that fill the same page for the first time must not lose one of them. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, blob: Blob, options: { writable: boolean }) {
    this.path = path;
    this.#blob = blob;
    this.#writable = options.writable;
    this.#size = blob.size;
    this.#shown = blob.size;
  }

  /** Bytes of memory that written pages take. */
  get written(): number {
    let pages = 0;
    for (const page of this.#pages.values()) if (page !== ZERO) pages++;
    return pages * PAGE;
  }

  size(): Promise<number> {
    return Promise.resolve(this.#size);
  }

  async read(at: number, into: Uint8Array): Promise<number> {
    const length = Math.max(0, Math.min(into.length, this.#size - at));
    for (let done = 0; done < length;) {
      const here = at + done;
      const from = here % PAGE;
      const page = this.#pages.get(Math.floor(here / PAGE));
      let piece = Math.min(PAGE - from, length - done);
      if (page !== undefined) into.set(page.subarray(from, from + piece), done);
      else {
        // As much as lies below at once: each slice of a Blob is a trip to another process.
        while (done + piece < length && !this.#pages.has(Math.floor((here + piece) / PAGE)))
          piece += Math.min(PAGE, length - done - piece);
        await this.#below(here, into.subarray(done, done + piece));
      }
      done += piece;
    }
    return length;
  }

  write(at: number, from: Uint8Array): Promise<number> {
    const bytes = from.slice();
    return this.#inTurn(async () => {
      await this.#put(at, bytes);
      this.#size = Math.max(this.#size, at + bytes.length);
      return bytes.length;
    });
  }

  flush(): Promise<void> {
    return this.#last.then(
      () => {},
      () => {},
    );
  }

  truncate(size: number): Promise<void> {
    return this.#inTurn(async () => {
      if (size < this.#size) {
        this.#shown = Math.min(this.#shown, size);
        for (const index of this.#pages.keys()) if (index * PAGE >= size) this.#pages.delete(index);
        const last = this.#pages.get(Math.floor(size / PAGE));
        if (last !== ZERO) last?.fill(0, size % PAGE);
      }
      this.#size = size;
    });
  }

  punch(at: number, length: number): Promise<void> {
    return this.zero(at, Math.max(0, Math.min(length, this.#size - at)));
  }

  zero(at: number, length: number): Promise<void> {
    return this.#inTurn(async () => {
      for (let done = 0; done < length;) {
        const start = (at + done) % PAGE;
        const piece = Math.min(PAGE - start, length - done);
        if (piece === PAGE) this.#pages.set((at + done) / PAGE, ZERO);
        else await this.#put(at + done, ZERO.subarray(0, piece));
        done += piece;
      }
      this.#size = Math.max(this.#size, at + length);
    });
  }

  async close(): Promise<void> {
    await this.flush();
    this.#pages.clear();
  }

  async #put(at: number, from: Uint8Array): Promise<void> {
    for (let done = 0; done < from.length;) {
      const start = (at + done) % PAGE;
      const piece = Math.min(PAGE - start, from.length - done);
      const index = Math.floor((at + done) / PAGE);
      let page = this.#pages.get(index);
      if (page === undefined || page === ZERO) {
        const made = new Uint8Array(PAGE);
        if (page === undefined && piece < PAGE) await this.#below(index * PAGE, made);
        this.#pages.set(index, (page = made));
      }
      page.set(from.subarray(done, done + piece), start);
      done += piece;
    }
  }

  /** What the Blob has there; zeroes beyond it. */
  async #below(at: number, into: Uint8Array): Promise<void> {
    const end = Math.min(at + into.length, this.#shown);
    if (at >= end) {
      into.fill(0);
      return;
    }
    let bytes: ArrayBuffer;
    try {
      bytes = await this.#blob.slice(at, end).arrayBuffer();
    } catch (cause) {
      throw new BlockError(
        "io",
        `read of '${this.path}' failed: the file changed or went away since it was chosen. Choose it again`,
        { at, cause },
      );
    }
    into.set(new Uint8Array(bytes));
    into.fill(0, bytes.byteLength);
  }

  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (!this.#writable)
      throw new BlockError("read-only", `'${this.path}' was opened for reading only: it cannot be written`);
    const mine = this.#last.then(act, act);
    this.#last = mine;
    return mine;
  }
}
