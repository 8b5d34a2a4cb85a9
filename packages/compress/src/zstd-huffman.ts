import { DecodeError } from "./output.ts";
import { bitsAt, streamBits } from "./zstd-bits.ts";
import { type FseKind, readFseTable } from "./zstd-fse.ts";

// Source: RFC 8878, section 4.2 "Huffman Coding".

const MOST_BITS = 11;
const WEIGHTS: FseKind = { name: "weight", mostLog: 6, mostSymbol: 12 };

/** A Huffman code for literals. */
export interface ZstdHuffman {
  /** Longest code. */
  readonly bits: number;
  /** For each value of the next `bits` bits: length of the code | symbol << 4. */
  readonly codes: Uint16Array;
}

/** A code as it stands in the data, and the offset behind it. @throws DecodeError */
export function readHuffman(bytes: Uint8Array, from: number, to: number): [ZstdHuffman, number] {
  if (from >= to) throw new DecodeError("zstd", "the Huffman code is missing");
  const header = bytes[from]!;
  const end = from + 1 + (header < 128 ? header : (header - 126) >> 1);
  if (end > to) throw new DecodeError("zstd", "the Huffman code ends early");
  const weights = new Uint8Array(256);
  let count = 0;
  if (header < 128) count = packedWeights(bytes, from + 1, end, weights);
  else
    for (; count < header - 127; count++)
      weights[count] = (bytes[from + 1 + (count >> 1)]! >> (count & 1 ? 0 : 4)) & 15;
  return [huffman(weights, count), end];
}

/** Weights that two states take in turns; the stream ends where a state would need more bits than there are. @returns their number */
function packedWeights(bytes: Uint8Array, from: number, to: number, weights: Uint8Array): number {
  const [{ log, states }, start] = readFseTable(bytes, from, to, WEIGHTS);
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  let at = streamBits(bytes, start, to) - 2 * log;
  if (at < 0) throw new DecodeError("zstd", "the weights of a Huffman code end early");
  let state = bitsAt(view, at + log, log);
  let other = bitsAt(view, at, log);
  for (let count = 0; count < 254;) {
    const now = states[state]!;
    weights[count++] = now;
    at -= (now >>> 8) & 255;
    if (at < 0) {
      weights[count++] = states[other]!;
      return count;
    }
    state = other;
    other = (now >>> 16) + bitsAt(view, at, (now >>> 8) & 255);
  }
  throw new DecodeError("zstd", "a Huffman code has too many weights");
}

/** The code of these weights; that of the last symbol is what is missing. */
function huffman(weights: Uint8Array, count: number): ZstdHuffman {
  let sum = 0;
  for (let i = 0; i < count; i++) if (weights[i]! > 0) sum += 2 ** (weights[i]! - 1);
  const bits = 32 - Math.clz32(sum);
  if (sum === 0 || bits > MOST_BITS) throw new DecodeError("zstd", `a Huffman code of ${bits} bits`);
  const rest = (1 << bits) - sum;
  if ((rest & (rest - 1)) !== 0) throw new DecodeError("zstd", "a Huffman code is not complete");
  weights[count] = 32 - Math.clz32(rest);
  const starts = new Uint16Array(MOST_BITS + 3);
  for (let i = 0; i <= count; i++) starts[weights[i]! + 1]! += (1 << weights[i]!) >> 1;
  if (starts[2]! < 2) throw new DecodeError("zstd", "a Huffman code has no two longest codes");
  for (let w = 1; w < starts.length; w++) starts[w]! += starts[w - 1]!;
  const codes = new Uint16Array(1 << bits);
  for (let symbol = 0; symbol <= count; symbol++) {
    const weight = weights[symbol]!;
    if (weight === 0) continue;
    const start = starts[weight]!;
    const end = (starts[weight] = start + ((1 << weight) >> 1));
    codes.fill((bits + 1 - weight) | (symbol << 4), start, end);
  }
  return { bits, codes };
}

/** Bits that two codes have at most. */
const TWO = 2 * MOST_BITS;

/** Decodes a stream, bytes `from` to `to`, into `at` to `end` of `out`. `bytes` goes on for 4 bytes behind the stream. @throws DecodeError */
export function unpackStream(
  { bits, codes }: ZstdHuffman,
  bytes: Uint8Array,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
  end: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + from);
  let left = streamBits(bytes, from, to);
  const mask = (1 << bits) - 1;
  const first = TWO - bits;
  let to2 = at;
  for (; left >= TWO && to2 + 2 <= end; to2 += 2) {
    const low = left - TWO;
    const word = view.getInt32(low >> 3, true) >>> (low & 7);
    const one = codes[(word >>> first) & mask]!;
    const two = codes[(word >>> (first - (one & 15))) & mask]!;
    out[to2] = one >> 4;
    out[to2 + 1] = two >> 4;
    left -= (one & 15) + (two & 15);
  }
  for (; to2 < end; to2++) {
    const low = left - bits;
    const code = codes[low >= 0 ? bitsAt(view, low, bits) : bitsAt(view, 0, left) << -low]!;
    out[to2] = code >> 4;
    left -= code & 15;
    if (left < 0) break;
  }
  if (left !== 0) throw new DecodeError("zstd", "a stream of literals has another length");
}
