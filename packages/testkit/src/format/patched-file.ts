import type { HostFile } from "@mimus/block";

const PAGE = 4096;

/** A file that shares the bytes of another one until they are changed: thousands of damaged copies cost next to nothing. */
export class PatchedFile implements HostFile {
  readonly path: string;
  readonly #base: Uint8Array;
  /** Changed pages by their number. */
  readonly #pages: Map<number, Uint8Array> = new Map();
  #size: number;
  /** Of the base, what a cut took away reads as zeroes. */
  #shown: number;

  constructor(path: string, base: Uint8Array) {
    this.path = path;
    this.#base = base;
    this.#size = this.#shown = base.length;
  }

  async size(): Promise<number> {
    return this.#size;
  }

  async read(at: number, into: Uint8Array): Promise<number> {
    const length = Math.max(0, Math.min(into.length, this.#size - at));
    for (let done = 0; done < length;) {
      const here = at + done;
      const inPage = here % PAGE;
      const piece = Math.min(PAGE - inPage, length - done);
      const page = this.#pages.get(Math.floor(here / PAGE));
      if (page) into.set(page.subarray(inPage, inPage + piece), done);
      else this.#below(here, into.subarray(done, done + piece));
      done += piece;
    }
    return length;
  }

  async write(at: number, from: Uint8Array): Promise<number> {
    this.patch(at, from);
    return from.length;
  }

  /** Changes bytes, growing the file where they end beyond it. */
  patch(at: number, from: Uint8Array): void {
    for (let done = 0; done < from.length;) {
      const here = at + done;
      const inPage = here % PAGE;
      const piece = Math.min(PAGE - inPage, from.length - done);
      this.#page(Math.floor(here / PAGE)).set(from.subarray(done, done + piece), inPage);
      done += piece;
    }
    this.#size = Math.max(this.#size, at + from.length);
  }

  /** Cuts the file off, or makes it longer by zeroes. */
  cut(size: number): void {
    if (size < this.#size) {
      this.#shown = Math.min(this.#shown, size);
      for (const number of this.#pages.keys()) if (number * PAGE >= size) this.#pages.delete(number);
      if (size % PAGE !== 0) this.#page(Math.floor(size / PAGE)).fill(0, size % PAGE);
    }
    this.#size = size;
  }

  async truncate(size: number): Promise<void> {
    this.cut(size);
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}

  #below(at: number, into: Uint8Array): void {
    const stored = this.#base.subarray(Math.min(at, this.#shown), Math.min(at + into.length, this.#shown));
    into.set(stored);
    into.fill(0, stored.length);
  }

  #page(number: number): Uint8Array {
    let page = this.#pages.get(number);
    if (!page) {
      page = new Uint8Array(PAGE);
      this.#below(number * PAGE, page);
      this.#pages.set(number, page);
    }
    return page;
  }
}
