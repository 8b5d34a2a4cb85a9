import type { BlockNode } from "@mimus/block";
import { BlockError } from "@mimus/block";
import type { RemoteFile } from "./remote-file.ts";

/** Bytes that the cache holds at most. */
const CACHE_BYTES: number = 16 << 20;
/** Bytes of one request at most. */
const REQUEST_BYTES: number = 4 << 20;
const SECTOR = 512;

/** A file of a web server as a block node. Reads ahead in blocks, and keeps the blocks that were used last. */
export class HttpNode implements BlockNode {
  readonly name: string;
  readonly filename: string;
  readonly driver: string;
  readonly readOnly: boolean = true;
  readonly sectorSize: number = SECTOR;
  readonly size: number;
  readonly #file: RemoteFile;
  readonly #block: number;
  /** Blocks by number, the one used longest ago first; those that are on their way included. */
  readonly #cache: Map<number, Promise<Uint8Array>> = new Map();

  /** @param head the first block, or all of a shorter file */
  constructor(
    names: { readonly name: string; readonly filename: string; readonly driver: string },
    file: RemoteFile,
    head: Uint8Array,
    block: number,
  ) {
    this.name = names.name;
    this.filename = names.filename;
    this.driver = names.driver;
    this.#file = file;
    this.#block = block;
    this.size = Math.ceil(file.size / SECTOR) * SECTOR;
    if (head.length > 0) this.#cache.set(0, Promise.resolve(head));
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const end = Math.min(at + into.length, this.#file.size);
    if (end < at + into.length) into.fill(0, Math.max(0, end - at));
    const first = Math.floor(at / this.#block);
    const last = Math.ceil(end / this.#block);
    // What a request needs may be more than the cache keeps: it is asked for in steps.
    const step = Math.max(1, Math.floor(REQUEST_BYTES / this.#block));
    for (let n = first; n < last; n += step) {
      const blocks = this.#blocks(n, Math.min(last, n + step));
      for (const [index, block] of blocks.entries()) {
        const bytes = await block;
        const start = (n + index) * this.#block;
        const from = Math.max(0, at - start);
        const to = Math.min(bytes.length, end - start);
        if (to > from) into.set(bytes.subarray(from, to), start + from - at);
      }
    }
  }

  write(): Promise<void> {
    return Promise.reject(new BlockError("read-only", `'${this.filename}': web servers take no writes`));
  }
  async flush(): Promise<void> {
    // Nothing is ever written.
  }
  async close(): Promise<void> {
    this.#cache.clear();
  }

  /** Blocks `first` to `last` - 1: neighbours that are missing come with one request. */
  #blocks(first: number, last: number): Promise<Uint8Array>[] {
    const out: Promise<Uint8Array>[] = [];
    for (let n = first; n < last; n++) {
      const known = this.#cache.get(n);
      if (known === undefined) {
        let end = n + 1;
        while (end < last && !this.#cache.has(end)) end++;
        this.#fetch(n, end);
      }
      const block = this.#cache.get(n) as Promise<Uint8Array>;
      this.#cache.delete(n);
      this.#cache.set(n, block);
      out.push(block);
    }
    const most = Math.max(1, Math.floor(CACHE_BYTES / this.#block));
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= most) break;
      this.#cache.delete(oldest);
    }
    return out;
  }

  #fetch(first: number, last: number): void {
    const at = first * this.#block;
    const length = Math.min(last * this.#block, this.#file.size) - at;
    const all = this.#file.read(at, length);
    for (let n = first; n < last; n++) {
      const start = (n - first) * this.#block;
      const block = all.then((bytes) => bytes.slice(start, start + this.#block));
      block.catch(() => {
        // A failure is not kept: the next read asks again.
        if (this.#cache.get(n) === block) this.#cache.delete(n);
      });
      this.#cache.set(n, block);
    }
  }
}
