import { LzmaDecoder } from "./lzma.ts";
import { DecodeError, Output } from "./output.ts";

// Source: The .xz File Format 1.2.1 (2024), sections 2 to 5; LZMA2 chunks as in XZ for Java's documentation of them.

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
const LZMA2 = 0x21;
/** Bytes of a check by its type, section 2.1.1.2. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** The first stream of an xz file, whose only filter is LZMA2. CRC32 and CRC64 are checked. @throws DecodeError */
export function xzDecompress(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  if (from.length < 12 || MAGIC.some((b, i) => from[i] !== b)) throw bad("no xz header");
  const check = from[7]!;
  if (from[6] !== 0 || check > 15) throw bad("stream flags");
  if (crc32(from, 6, 8) !== u32(from, 8)) throw bad("the checksum of the header does not match");
  const out = new Output("xz", size);
  let at = 12;
  while (from[at] !== 0) at = block(from, at, check, out);
  return out.done();
}

function block(from: Uint8Array, start: number, check: number, out: Output): number {
  const headerEnd = start + (from[start]! + 1) * 4;
  if (!(headerEnd <= from.length)) throw bad("the data end early");
  if (crc32(from, start, headerEnd - 4) !== u32(from, headerEnd - 4))
    throw bad("the checksum of a block header does not match");
  const flags = from[start + 1]!;
  if ((flags & 0x3f) !== 0) throw bad("filters other than LZMA2");
  let at = start + 2;
  if (flags & 0x40) at = afterNumber(from, at);
  if (flags & 0x80) at = afterNumber(from, at);
  if (from[at] !== LZMA2 || from[at + 1] !== 1) throw bad("filters other than LZMA2");
  const before = out.at;
  const end = lzma2(from, headerEnd, dictionarySize(from[at + 2]!), out);
  const checkAt = start + Math.ceil((end - start) / 4) * 4;
  verify(from, checkAt, check, out.bytes, before, out.at);
  return checkAt + CHECK_BYTES[check]!;
}

/** Section 5.3.1. */
function dictionarySize(bits: number): number {
  if (bits > 40) throw bad(`dictionary size ${bits}`);
  return bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** (bits / 2 - (bits & 1) / 2 + 11);
}

/** Chunks up to the control byte 0; returns the offset behind it. */
function lzma2(from: Uint8Array, start: number, dictionary: number, out: Output): number {
  const decoder = new LzmaDecoder(out, dictionary);
  let fresh = true;
  for (let at = start; ;) {
    const control = from[at];
    if (control === undefined || at + 6 > from.length + 5) throw bad("the data end early");
    if (control === 0) return at + 1;
    if (control === 1 || control >= 0xe0) {
      decoder.forget();
      fresh = false;
    } else if (fresh) throw bad("the first chunk keeps a dictionary");
    if (control < 0x80) {
      if (control > 2) throw bad(`control byte ${control}`);
      const size = ((from[at + 1]! << 8) | from[at + 2]!) + 1;
      out.literals(from, at + 3, size);
      at += 3 + size;
      continue;
    }
    const size = ((control & 31) << 16) + ((from[at + 1]! << 8) | from[at + 2]!) + 1;
    const packed = ((from[at + 3]! << 8) | from[at + 4]!) + 1;
    at += 5;
    if (control >= 0xc0) decoder.properties(from[at++]!);
    else if (control >= 0xa0) decoder.reset();
    if (!(at + packed <= from.length)) throw bad("the data end early");
    decoder.chunk(from, at, at + packed, size);
    at += packed;
  }
}

/** Skips a number of up to nine bytes with seven bits each. */
function afterNumber(from: Uint8Array, at: number): number {
  for (let i = 0; i < 9; i++) if ((from[at + i] ?? 0) < 0x80) return at + i + 1;
  throw bad("a number of more than nine bytes");
}

function verify(from: Uint8Array, at: number, check: number, bytes: Uint8Array, start: number, end: number): void {
  if (at + CHECK_BYTES[check]! > from.length) throw bad("the data end early");
  if (check === 1 && crc32(bytes, start, end) !== u32(from, at)) throw bad("the checksum of a block does not match");
  if (check !== 4) return;
  const [low, high] = crc64(bytes, start, end);
  if (low !== u32(from, at) || high !== u32(from, at + 4)) throw bad("the checksum of a block does not match");
}

function u32(from: Uint8Array, at: number): number {
  return (from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24)) >>> 0;
}

const CRC32: Int32Array = Int32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let j = 0; j < 8; j++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  return c;
});

function crc32(bytes: Uint8Array, from: number, to: number): number {
  let c = -1;
  for (let i = from; i < to; i++) c = (c >>> 8) ^ CRC32[(c ^ bytes[i]!) & 255]!;
  return ~c >>> 0;
}

/** ECMA-182, reflected: low and high words of the table. */
let CRC64: Int32Array | undefined;

function crc64Table(): Int32Array {
  const table = new Int32Array(512);
  for (let i = 0; i < 256; i++) {
    let low = i;
    let high = 0;
    for (let j = 0; j < 8; j++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry) {
        low ^= 0xd7870f42;
        high ^= 0xc96c5795;
      }
    }
    table[2 * i] = low;
    table[2 * i + 1] = high;
  }
  return table;
}

function crc64(bytes: Uint8Array, from: number, to: number): readonly [number, number] {
  const table = (CRC64 ??= crc64Table());
  let low = -1;
  let high = -1;
  for (let i = from; i < to; i++) {
    const k = 2 * ((low ^ bytes[i]!) & 255);
    low = ((low >>> 8) | (high << 24)) ^ table[k]!;
    high = (high >>> 8) ^ table[k + 1]!;
  }
  return [~low >>> 0, ~high >>> 0];
}

function bad(what: string): DecodeError {
  return new DecodeError("xz", what);
}
