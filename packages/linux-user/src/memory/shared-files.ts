/** Writing shared mappings of files back: only bytes that the program changed. */
import type { MappedFile } from "../guest-memory.ts";
import { PAGE } from "./page-table.ts";

/** For each page of a shared, writable mapping: the bytes that the file has, as far as is known. */
export class SharedFiles {
  readonly #u8: Uint8Array;
  readonly #base: number;
  readonly #copies: Map<number, Uint8Array> = new Map();

  constructor(u8: Uint8Array, base: number) {
    this.#u8 = u8;
    this.#base = base;
  }

  #bytes(page: number): Uint8Array {
    const at = this.#base + page * PAGE;
    return this.#u8.subarray(at, at + PAGE);
  }

  /** A page is as in the file. */
  remember(page: number): void {
    const copy = this.#copies.get(page);
    if (copy === undefined) this.#copies.set(page, this.#bytes(page).slice());
    else copy.set(this.#bytes(page));
  }

  /** Writes the changed bytes of pages [first, end) to the file; page `first` is at `offset` in it. */
  writeBack(first: number, end: number, file: MappedFile, offset: number): void {
    const size = file.size();
    for (let p = first; p < end; p++) {
      const copy = this.#copies.get(p);
      if (copy === undefined) continue;
      const bytes = this.#bytes(p);
      const at = offset + (p - first) * PAGE;
      const length = Math.min(PAGE, size - at);
      let i = 0;
      while (i < length) {
        if (bytes[i] === copy[i]) {
          i++;
          continue;
        }
        const start = i;
        while (i < length && bytes[i] !== copy[i]) i++;
        file.write(at + start, bytes.subarray(start, i));
      }
      copy.set(bytes);
    }
  }

  /** Pages are no longer mapped so. */
  drop(first: number, end: number): void {
    if (this.#copies.size === 0) return;
    for (let p = first; p < end; p++) this.#copies.delete(p);
  }

  /** Whether a page's contents are known. */
  has(page: number): boolean {
    return this.#copies.has(page);
  }
}
