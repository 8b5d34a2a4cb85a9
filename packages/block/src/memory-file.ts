import { BlockError } from "./errors.ts";
import type { HostFile, HostFiles } from "./host-file.ts";

const PAGE = 1 << 16;

/** A sparse file in memory: what tests and browsers use in place of a disk. Unwritten parts take no space. */
export class MemoryFile implements HostFile {
  readonly path: string;
  readonly #pages: Map<number, Uint8Array> = new Map();
  #size: number;

  constructor(path = "memory", content: Uint8Array | number = 0) {
    this.path = path;
    this.#size = typeof content === "number" ? content : content.length;
    if (typeof content !== "number") this.#put(0, content);
  }

  size(): Promise<number> {
    return Promise.resolve(this.#size);
  }

  async read(at: number, into: Uint8Array): Promise<number> {
    return this.#get(at, into);
  }

  readNow(at: number, into: readonly Uint8Array[]): boolean {
    for (const piece of into) {
      if (this.#get(at, piece) < piece.length) return false;
      at += piece.length;
    }
    return true;
  }

  #get(at: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.length, this.#size - at));
    for (let done = 0; done < length;) {
      const from = (at + done) % PAGE;
      const piece = Math.min(PAGE - from, length - done);
      const page = this.#pages.get(Math.floor((at + done) / PAGE));
      if (page) into.set(page.subarray(from, from + piece), done);
      else into.fill(0, done, done + piece);
      done += piece;
    }
    return length;
  }

  async write(at: number, from: Uint8Array): Promise<number> {
    this.#put(at, from);
    this.#size = Math.max(this.#size, at + from.length);
    return from.length;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  async truncate(size: number): Promise<void> {
    if (size < this.#size) await this.punch(size, this.#size - size);
    this.#size = size;
  }

  async punch(at: number, length: number): Promise<void> {
    const end = Math.min(at + length, this.#size);
    for (let here = at; here < end;) {
      const from = here % PAGE;
      const piece = Math.min(PAGE - from, end - here);
      const index = Math.floor(here / PAGE);
      if (piece === PAGE) this.#pages.delete(index);
      else this.#pages.get(index)?.fill(0, from, from + piece);
      here += piece;
    }
  }

  async zero(at: number, length: number): Promise<void> {
    await this.punch(at, length);
    this.#size = Math.max(this.#size, at + length);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** A copy of everything, for looking at. */
  content(): Uint8Array {
    const all = new Uint8Array(this.#size);
    for (const [index, page] of this.#pages) {
      const at = index * PAGE;
      if (at < all.length) all.set(page.subarray(0, Math.min(PAGE, all.length - at)), at);
    }
    return all;
  }

  #put(at: number, from: Uint8Array): void {
    for (let done = 0; done < from.length;) {
      const start = (at + done) % PAGE;
      const piece = Math.min(PAGE - start, from.length - done);
      const index = Math.floor((at + done) / PAGE);
      let page = this.#pages.get(index);
      if (!page) this.#pages.set(index, (page = new Uint8Array(PAGE)));
      page.set(from.subarray(done, done + piece), start);
      done += piece;
    }
  }
}

/** A folder of memory files. */
export class MemoryFiles implements HostFiles {
  /** The files by path. */
  readonly files: Map<string, HostFile> = new Map();

  /** Adds a file; content may be bytes or a size. */
  add(path: string, content: Uint8Array | number | HostFile): this {
    const plain = typeof content === "number" || content instanceof Uint8Array;
    this.files.set(path, plain ? new MemoryFile(path, content) : content);
    return this;
  }

  async open(path: string, opts: { writable: boolean; create?: boolean }): Promise<HostFile> {
    const file = this.files.get(path);
    if (file) return file;
    if (!opts.create) throw new BlockError("not-found", `Could not open '${path}': no such file`);
    const made = new MemoryFile(path);
    this.files.set(path, made);
    return made;
  }

  async read(path: string): Promise<Uint8Array> {
    const file = await this.open(path, { writable: false });
    const bytes = new Uint8Array(await file.size());
    await file.read(0, bytes);
    return bytes;
  }
}
