import { DecodeError } from "./output.ts";
import { readHuffman, unpackStream, type ZstdHuffman } from "./zstd-huffman.ts";

// Source: RFC 8878, section 3.1.1.3.1 "Literals_Section".

/** Literals of a block: `length` bytes of `bytes` from `at` on. */
export interface Literals {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
}

/** Reads the literals of one block after another; a code may be used by later blocks. */
export class LiteralsReader {
  readonly #from: Uint8Array;
  readonly #most: number;
  #code: ZstdHuffman | undefined;
  #unpacked: Uint8Array = new Uint8Array(0);

  /** `most`: bytes that a block may become. `from` goes on for 4 bytes behind its last block. */
  constructor(from: Uint8Array, most: number) {
    this.#from = from;
    this.#most = most;
  }

  /** The literals at the start of a block, and the offset behind them. @throws DecodeError */
  read(start: number, to: number): [Literals, number] {
    const from = this.#from;
    if (to - start < 1) throw new DecodeError("zstd", "the literals end early");
    const head = from[start]!;
    const format = (head >> 2) & 3;
    if (head & 2) return this.#packed(start, to, head, format);
    const at = start + (format === 1 ? 2 : format === 3 ? 3 : 1);
    const bytesOfSize = at - start;
    const length = bytesOfSize === 1 ? head >> 3 : (word(from, start) & (bytesOfSize === 2 ? 0xffff : 0xffffff)) >> 4;
    const end = at + ((head & 1) === 1 ? 1 : this.#bounded(length));
    if (end > to) throw new DecodeError("zstd", "the literals end early");
    if ((head & 1) === 0) return [{ bytes: from, at, length }, end];
    const bytes = this.#room(length).fill(from[at]!, 0, length);
    return [{ bytes, at: 0, length }, end];
  }

  #packed(start: number, to: number, head: number, format: number): [Literals, number] {
    const from = this.#from;
    const width = format < 2 ? 10 : format === 2 ? 14 : 18;
    let at = start + (format < 2 ? 3 : format + 2);
    if (at > to) throw new DecodeError("zstd", "the literals end early");
    const mask = (1 << width) - 1;
    const length = this.#bounded((word(from, start) >>> 4) & mask);
    // The second number begins at bit 14, 18 or 22, so that four bytes from the second or third on hold it.
    const end = at + ((word(from, start + ((4 + width) >> 3)) >>> ((4 + width) & 7)) & mask);
    if (end > to) throw new DecodeError("zstd", "the literals end early");
    if (head & 1) {
      if (this.#code === undefined)
        throw new DecodeError("zstd", "literals use the code of a block before, and there is none");
    } else [this.#code, at] = readHuffman(from, at, end);
    const bytes = this.#room(length);
    if (format === 0) unpackStream(this.#code, from, at, end, bytes, 0, length);
    else this.#fourStreams(this.#code, at, end, bytes, length);
    return [{ bytes, at: 0, length }, end];
  }

  /** Four streams, each a quarter of the literals; the lengths of three stand before them. */
  #fourStreams(code: ZstdHuffman, start: number, end: number, out: Uint8Array, length: number): void {
    const from = this.#from;
    const each = (length + 3) >> 2;
    if (end - start < 10 || 3 * each > length) throw new DecodeError("zstd", "four streams of literals are too short");
    let at = start + 6;
    for (let n = 0; n < 4; n++) {
      const to = n === 3 ? end : at + (word(from, start + 2 * n) & 0xffff);
      if (to > end) throw new DecodeError("zstd", "the literals end early");
      unpackStream(code, from, at, to, out, n * each, n === 3 ? length : (n + 1) * each);
      at = to;
    }
  }

  #bounded(length: number): number {
    if (length > this.#most)
      throw new DecodeError("zstd", `${length} literals in a block of at most ${this.#most} bytes`);
    return length;
  }

  #room(length: number): Uint8Array {
    this.#bounded(length);
    if (this.#unpacked.length < length) this.#unpacked = new Uint8Array(length);
    return this.#unpacked;
  }
}

/** Four bytes, the first lowest. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
