import { DecodeError, Output } from "./output.ts";

// Source: J. Seward, bzip2 1.0.8; the format as written down in "bzip2 format specification" (J. Tsai, 2016).

const MAX_BITS = 20;
const GROUP = 50;
const BLOCK_MAGIC = [0x314159, 0x265359];
const END_MAGIC = [0x177245, 0x385090];

/** A bzip2 stream, with its checksums checked. @throws DecodeError */
export function bzip2Decompress(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const bits = new Bits(from);
  if (bits.take(24) !== 0x425a68) throw bad("no bzip2 header");
  const level = bits.take(8) - 0x30;
  if (!(level >= 1 && level <= 9)) throw bad(`block size ${level}`);
  const out = new Output("bzip2", size);
  let all = 0;
  for (;;) {
    const magic = [bits.take(24), bits.take(24)];
    const sum = (bits.take(16) * 65536 + bits.take(16)) >>> 0;
    if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) {
      if (sum !== all >>> 0) throw bad("the checksum of the stream does not match");
      return out.done();
    }
    if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1]) throw bad("neither a block nor the end");
    const start = out.at;
    block(bits, Math.min(level * 100_000, Math.ceil((size - out.at) * 1.25) + 4), out);
    const seen = crc(out.bytes, start, out.at);
    if (seen !== sum) throw bad("the checksum of a block does not match");
    all = ((all << 1) | (all >>> 31)) ^ seen;
  }
}

function block(bits: Bits, limit: number, out: Output): void {
  if (bits.take(1)) throw bad("a randomised block");
  const origin = bits.take(24);
  const used = symbols(bits);
  const tables = bits.take(3);
  if (tables < 2 || tables > 6) throw bad(`${tables} Huffman tables`);
  const selectors = selectorList(bits, tables);
  const codes = Array.from({ length: tables }, () => new Code(codeLengths(bits, used.length + 2)));
  const column = moveToFront(bits, used, selectors, codes, limit);
  unsort(column, origin, out);
}

/** The bytes that occur in the block. */
function symbols(bits: Bits): number[] {
  const ranges = bits.take(16);
  const used: number[] = [];
  for (let i = 0; i < 16; i++) {
    if (!((ranges >> (15 - i)) & 1)) continue;
    const map = bits.take(16);
    for (let j = 0; j < 16; j++) if ((map >> (15 - j)) & 1) used.push(16 * i + j);
  }
  if (used.length === 0) throw bad("a block without symbols");
  return used;
}

function selectorList(bits: Bits, tables: number): Uint8Array {
  const count = bits.take(15);
  if (count === 0) throw bad("no selectors");
  const order = Array.from({ length: tables }, (_, i) => i);
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let j = 0;
    while (bits.take(1)) if (++j >= tables) throw bad("a selector beyond the tables");
    const [table] = order.splice(j, 1);
    order.unshift(table!);
    out[i] = table!;
  }
  return out;
}

function codeLengths(bits: Bits, count: number): Uint8Array {
  const out = new Uint8Array(count);
  let length = bits.take(5);
  for (let i = 0; i < count; i++) {
    while (bits.take(1)) length += bits.take(1) ? -1 : 1;
    if (length < 1 || length > MAX_BITS) throw bad(`a code of ${length} bits`);
    out[i] = length;
  }
  return out;
}

/** Huffman, run lengths of the front symbol, move to front: the last column of the sorted rotations. */
function moveToFront(
  bits: Bits,
  used: readonly number[],
  selectors: Uint8Array,
  codes: readonly Code[],
  limit: number,
): Uint8Array {
  const front = Uint8Array.from(used);
  const end = used.length + 1;
  const out = new Uint8Array(limit);
  let at = 0;
  let run = 0;
  let weight = 1;
  for (let n = 0; ; n++) {
    const code = codes[selectors[Math.floor(n / GROUP)] ?? -1];
    if (!code) throw bad("too few selectors");
    const symbol = code.next(bits);
    if (symbol <= 1) {
      run += weight << symbol;
      weight *= 2;
      if (run > limit) throw bad("a run beyond the block");
      continue;
    }
    if (run > 0) {
      if (at + run > limit) throw bad("a run beyond the block");
      out.fill(front[0]!, at, at + run);
      at += run;
      run = 0;
      weight = 1;
    }
    if (symbol === end) return out.subarray(0, at);
    if (at >= limit) throw bad("more bytes than a block has");
    const byte = front[symbol - 1]!;
    front.copyWithin(1, 0, symbol - 1);
    front[0] = byte;
    out[at++] = byte;
  }
}

/** Inverse of the Burrows-Wheeler transform, then of the first run lengths (four equal bytes and a count). */
function unsort(column: Uint8Array, origin: number, out: Output): void {
  if (origin >= column.length) throw bad(`origin ${origin} of ${column.length} bytes`);
  const starts = new Uint32Array(257);
  for (const byte of column) starts[byte + 1]!++;
  for (let i = 0; i < 256; i++) starts[i + 1]! += starts[i]!;
  const next = new Uint32Array(column.length);
  for (let i = 0; i < column.length; i++) next[starts[column[i]!]!++] = i;
  let at = next[origin]!;
  let same = 0;
  let last = -1;
  for (let i = 0; i < column.length; i++) {
    const byte = column[at]!;
    at = next[at]!;
    if (same === 4) {
      for (let j = 0; j < byte; j++) out.byte(last);
      same = 0;
      last = -1;
      continue;
    }
    same = byte === last ? same + 1 : 1;
    last = byte;
    out.byte(byte);
  }
}

/** A canonical Huffman code, most significant bit first. */
class Code {
  readonly #limit: Int32Array = new Int32Array(MAX_BITS + 2);
  readonly #offset: Int32Array = new Int32Array(MAX_BITS + 2);
  readonly #symbols: Uint16Array;
  readonly #shortest: number;

  constructor(lengths: Uint8Array) {
    const counts = new Int32Array(MAX_BITS + 2);
    for (const n of lengths) counts[n]!++;
    this.#symbols = Uint16Array.from(lengths.keys()).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
    let code = 0;
    let index = 0;
    for (let n = 1; n <= MAX_BITS; n++) {
      this.#offset[n] = index - code;
      code += counts[n]!;
      index += counts[n]!;
      this.#limit[n] = code;
      if (code > 1 << n) throw bad("a code has too many symbols");
      code <<= 1;
    }
    this.#shortest = lengths.reduce((a, b) => Math.min(a, b));
  }

  next(bits: Bits): number {
    let code = bits.take(this.#shortest);
    for (let n = this.#shortest; n <= MAX_BITS; n++) {
      if (code < this.#limit[n]!) {
        const symbol = this.#symbols[code + this.#offset[n]!];
        if (symbol !== undefined) return symbol;
        break;
      }
      code = (code << 1) | bits.take(1);
    }
    throw bad("a code that does not exist");
  }
}

/** Bits, most significant first; up to 24 at a time. */
class Bits {
  readonly #from: Uint8Array;
  #at = 0;
  #bits = 0;
  #have = 0;

  constructor(from: Uint8Array) {
    this.#from = from;
  }

  take(count: number): number {
    while (this.#have < count) {
      if (this.#at >= this.#from.length) throw bad("the data end early");
      this.#bits = (this.#bits << 8) | this.#from[this.#at++]!;
      this.#have += 8;
    }
    this.#have -= count;
    return (this.#bits >>> this.#have) & ((1 << count) - 1);
  }
}

const CRC: Int32Array = Int32Array.from({ length: 256 }, (_, i) => {
  let c = i << 24;
  for (let j = 0; j < 8; j++) c = (c << 1) ^ (c < 0 ? 0x04c11db7 : 0);
  return c;
});

function crc(bytes: Uint8Array, from: number, to: number): number {
  let c = -1;
  for (let i = from; i < to; i++) c = (c << 8) ^ CRC[((c >>> 24) ^ bytes[i]!) & 255]!;
  return ~c >>> 0;
}

function bad(what: string): DecodeError {
  return new DecodeError("bzip2", what);
}
