import { DecodeError, Output } from "./output.ts";

// Source: RFC 1951 (deflate), RFC 1950 (zlib).

/** Longest code, bits. */
const MAX_BITS = 15;
/** Codes up to this length are found in one step. */
const FAST_BITS = 10;
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A Huffman code: by its first bits where it is short, else counted through (canonical order). */
interface Huffman {
  /** For each value of the next {@link FAST_BITS} bits: symbol << 4 | length; 0 = longer than that. */
  readonly fast: Uint16Array;
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

/** Raw deflate; bytes after its end are ignored. @throws DecodeError */
export function inflateRaw(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const inflater = new Inflater(from, 0, size);
  inflater.run();
  return inflater.out.done();
}

/** The first `size` bytes of raw deflate data that may be longer. @throws DecodeError */
export function inflateRawStart(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const inflater = new Inflater(from, 0, size, true);
  inflater.out.untilFull(() => inflater.run());
  return inflater.out.done();
}

/** zlib: checks header and Adler-32. @throws DecodeError */
export function inflateZlib(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const head = (from[0]! << 8) | from[1]!;
  if (from.length < 6 || (head & 0x0f00) !== 0x0800 || head % 31 !== 0 || head >> 12 > 7)
    throw new DecodeError("zlib", "no zlib header");
  if (head & 0x20) throw new DecodeError("zlib", "a preset dictionary is wanted");
  const inflater = new Inflater(from, 2, size);
  inflater.run();
  const bytes = inflater.out.done();
  const at = inflater.end();
  const stored = ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0;
  if (at + 4 > from.length || stored !== adler32(bytes)) throw new DecodeError("zlib", "the checksum does not match");
  return bytes;
}

class Inflater {
  readonly out: Output;
  readonly #from: Uint8Array;
  #at: number;
  #bits = 0;
  #have = 0;

  constructor(from: Uint8Array, at: number, size: number, startOnly = false) {
    this.#from = from;
    this.#at = at;
    this.out = new Output("deflate", size, startOnly);
  }

  run(): void {
    for (let last = false; !last;) {
      last = this.#take(1) === 1;
      const type = this.#take(2);
      if (type === 0) this.#stored();
      else if (type === 1) this.#compressed(fixedCodes().lengths, fixedCodes().distances);
      else if (type === 2) this.#dynamic();
      else throw new DecodeError("deflate", "block type 3");
    }
  }

  /** Offset of the first byte after the stream. */
  end(): number {
    return this.#at - (this.#have >> 3);
  }

  #stored(): void {
    this.#at = this.end();
    this.#bits = 0;
    this.#have = 0;
    const length = this.#take(16);
    if ((this.#take(16) ^ 0xffff) !== length) throw new DecodeError("deflate", "the length of a stored block is wrong");
    this.out.literals(this.#from, this.#at, length);
    this.#at += length;
  }

  #dynamic(): void {
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const codes = this.#take(4) + 4;
    if (literals > 286 || distances > 30) throw new DecodeError("deflate", "too many codes");
    const lengths = new Uint8Array(320);
    for (let i = 0; i < codes; i++) lengths[CODE_ORDER[i]!] = this.#take(3);
    const code = huffman(lengths.subarray(0, 19), false);
    lengths.fill(0, 0, 19);
    for (let i = 0; i < literals + distances;) {
      const symbol = this.#symbol(code);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      const value = symbol === 16 ? lengths[i - 1] : 0;
      if (value === undefined) throw new DecodeError("deflate", "nothing to repeat");
      const times = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (i + times > literals + distances) throw new DecodeError("deflate", "too many code lengths");
      lengths.fill(value, i, i + times);
      i += times;
    }
    if (lengths[256] === 0) throw new DecodeError("deflate", "no code for the end");
    this.#compressed(
      huffman(lengths.subarray(0, literals), true),
      huffman(lengths.subarray(literals, literals + distances), true),
    );
  }

  #compressed(lengths: Huffman, distances: Huffman): void {
    const out = this.out;
    for (;;) {
      const symbol = this.#symbol(lengths);
      if (symbol < 256) out.byte(symbol);
      else if (symbol === 256) return;
      else {
        const base = LENGTH_BASE[symbol - 257];
        if (base === undefined) throw new DecodeError("deflate", `length symbol ${symbol}`);
        const length = base + this.#take(LENGTH_EXTRA[symbol - 257]!);
        const d = this.#symbol(distances);
        if (d > 29) throw new DecodeError("deflate", `distance symbol ${d}`);
        const extra = d < 4 ? 0 : (d >> 1) - 1;
        out.match((d < 4 ? d : (2 + (d & 1)) << extra) + 1 + this.#take(extra), length);
      }
    }
  }

  #symbol(code: Huffman): number {
    this.#fill();
    const hit = code.fast[this.#bits & ((1 << FAST_BITS) - 1)]!;
    if (hit !== 0) {
      const length = hit & 15;
      if (length > this.#have) throw new DecodeError("deflate", "the data end early");
      this.#bits >>>= length;
      this.#have -= length;
      return hit >> 4;
    }
    return this.#longSymbol(code);
  }

  #longSymbol(code: Huffman): number {
    let value = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      value |= this.#take(1);
      const count = code.counts[length]!;
      if (value - count < first) return code.symbols[index + value - first]!;
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    throw new DecodeError("deflate", "a code that does not exist");
  }

  /** At least 25 bits ahead, as long as there are any. */
  #fill(): void {
    while (this.#have <= 24 && this.#at < this.#from.length) {
      this.#bits |= this.#from[this.#at++]! << this.#have;
      this.#have += 8;
    }
  }

  #take(count: number): number {
    if (this.#have < count) this.#fill();
    if (this.#have < count) throw new DecodeError("deflate", "the data end early");
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.#have -= count;
    return value;
  }
}

/** Makes a code from its lengths; `partial` = a code of at most one symbol may be incomplete. */
function huffman(lengths: Uint8Array, partial: boolean): Huffman {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const n of lengths) counts[n]!++;
  counts[0] = 0;
  let left = 1;
  for (let n = 1; n <= MAX_BITS; n++) {
    left = (left << 1) - counts[n]!;
    if (left < 0) throw new DecodeError("deflate", "a code has too many symbols");
  }
  const used = counts.reduce((sum, n) => sum + n, 0);
  if (left > 0 && !(partial && used <= 1)) throw new DecodeError("deflate", "a code has too few symbols");
  const offsets = new Uint16Array(MAX_BITS + 2);
  const first = new Uint16Array(MAX_BITS + 2);
  for (let n = 1; n <= MAX_BITS; n++) {
    offsets[n + 1] = offsets[n]! + counts[n]!;
    first[n + 1] = (first[n]! + counts[n]!) << 1;
  }
  const symbols = new Uint16Array(lengths.length);
  const fast = new Uint16Array(1 << FAST_BITS);
  for (const [symbol, n] of lengths.entries()) {
    if (n === 0) continue;
    symbols[offsets[n]!++] = symbol;
    const code = first[n]!++;
    if (n <= FAST_BITS) for (let i = reverse(code, n); i < fast.length; i += 1 << n) fast[i] = (symbol << 4) | n;
  }
  return { fast, counts, symbols };
}

function reverse(code: number, length: number): number {
  let out = 0;
  for (let i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i);
  return out;
}

let fixed: { readonly lengths: Huffman; readonly distances: Huffman } | undefined;

/** The codes of blocks that bring none, made at first use. */
function fixedCodes(): { readonly lengths: Huffman; readonly distances: Huffman } {
  if (fixed !== undefined) return fixed;
  const lengths = Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  return (fixed = { lengths: huffman(lengths, false), distances: huffman(new Uint8Array(32).fill(5), false) });
}

/** Bytes after which sums must be reduced to stay below 2^31. */
const ADLER_RUN = 3600;

/** RFC 1950 section 8.2. */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(at + ADLER_RUN, bytes.length);
    // Four at once: b grows by four times what a was, and what each byte adds to it.
    for (; at + 4 <= end; at += 4) {
      const w = bytes[at]!;
      const x = bytes[at + 1]!;
      const y = bytes[at + 2]!;
      const z = bytes[at + 3]!;
      b = (b + 4 * (a + w) + 3 * x + 2 * y + z) | 0;
      a = (a + w + x + y + z) | 0;
    }
    for (; at < end; at++) {
      a = (a + bytes[at]!) | 0;
      b = (b + a) | 0;
    }
    a %= 65521;
    b %= 65521;
  }
  return (b * 65536 + a) >>> 0;
}
