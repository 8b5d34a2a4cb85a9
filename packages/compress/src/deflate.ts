import { adler32 } from "./inflate.ts";

// Source: RFC 1951 (deflate), RFC 1950 (zlib).

const MAX_WINDOW_BITS = 15;
const MIN_MATCH = 3;
const MAX_MATCH = 258;
const HASH_BITS = 14;
const BLOCK_TOKENS = 1 << 14;
const MAX_BITS = 15;
const MAX_CODE_BITS = 7;
const END_OF_BLOCK = 256;
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/**
 * Raw deflate whose matches go back at most 2^`windowBits` bytes, for readers with a small window. `level` 1 to 9: how long
 * matches are searched for.
 */
export function deflateRawWithin(from: Uint8Array, level: number, windowBits: number): Uint8Array {
  const out = new BitWriter(from.length + 64);
  const matcher = new Matcher(from, 1 << windowBits, 1 << Math.max(1, level));
  const tokens = new Uint32Array(BLOCK_TOKENS);
  let at = 0;
  do {
    let count = 0;
    while (count < BLOCK_TOKENS && at < from.length) {
      const length = matcher.find(at);
      // A longer match one byte on is worth a literal.
      if (length >= MIN_MATCH && !(level > 4 && length < 32 && matcher.longerAt(at + 1, length))) {
        tokens[count++] = (length << 16) | matcher.distance;
        matcher.skip(at + 1, at + length);
        at += length;
      } else tokens[count++] = from[at++]!;
    }
    writeBlock(out, tokens.subarray(0, count), at >= from.length);
  } while (at < from.length);
  return out.done();
}

/** zlib, RFC 1950. */
export function deflateZlib(from: Uint8Array, level: number): Uint8Array {
  const raw = deflateRawWithin(from, level, MAX_WINDOW_BITS);
  const out = new Uint8Array(raw.length + 6);
  out.set([0x78, 0x9c]);
  out.set(raw, 2);
  new DataView(out.buffer).setUint32(raw.length + 2, adler32(from));
  return out;
}

/** Finds matches through chains of places with the same first three bytes. */
class Matcher {
  distance = 0;
  readonly #from: Uint8Array;
  readonly #window: number;
  readonly #depth: number;
  readonly #heads: Int32Array = new Int32Array(1 << HASH_BITS).fill(-1);
  readonly #before: Int32Array;
  #entered = 0;

  constructor(from: Uint8Array, window: number, depth: number) {
    this.#from = from;
    this.#window = window;
    this.#depth = depth;
    this.#before = new Int32Array(from.length);
  }

  /** Length of the best match at a place, 0 for none; its distance is in `distance`. The place is entered. */
  find(at: number): number {
    const best = this.#search(at, MIN_MATCH - 1);
    this.skip(at, at + 1);
    return best;
  }

  /** Whether a longer match starts at a place; `distance` stays. */
  longerAt(at: number, length: number): boolean {
    const { distance } = this;
    const longer = this.#search(at, length) > length;
    this.distance = distance;
    return longer;
  }

  /** Enters the places of a range. */
  skip(from: number, to: number): void {
    for (let i = Math.max(from, this.#entered); i < to; i++) {
      const h = this.#hash(i);
      if (h < 0) break;
      this.#before[i] = this.#heads[h]!;
      this.#heads[h] = i;
    }
    this.#entered = Math.max(this.#entered, to);
  }

  #search(at: number, atLeast: number): number {
    const from = this.#from;
    const h = this.#hash(at);
    const most = Math.min(MAX_MATCH, from.length - at);
    let best = atLeast;
    if (h < 0) return 0;
    let place = this.#heads[h]!;
    for (let left = this.#depth; place >= 0 && at - place <= this.#window && left > 0 && best < most; left--) {
      if (place < at && from[place + best] === from[at + best]) {
        let n = 0;
        while (n < most && from[place + n] === from[at + n]) n++;
        if (n > best) {
          best = n;
          this.distance = at - place;
        }
      }
      place = this.#before[place]!;
    }
    return best > atLeast ? best : 0;
  }

  #hash(at: number): number {
    if (at + 2 >= this.#from.length) return -1;
    const three = this.#from[at]! | (this.#from[at + 1]! << 8) | (this.#from[at + 2]! << 16);
    return (Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS)) | 0;
  }
}

interface Code {
  readonly lengths: Uint8Array;
  readonly bits: Uint16Array;
}

function writeBlock(out: BitWriter, tokens: Uint32Array, last: boolean): void {
  const literalCounts = new Uint32Array(286);
  const distanceCounts = new Uint32Array(30);
  literalCounts[END_OF_BLOCK] = 1;
  for (const token of tokens) {
    const length = token >>> 16;
    literalCounts[length === 0 ? token : lengthSymbol(length)]!++;
    if (length > 0) distanceCounts[distanceSymbol(token & 0xffff)]!++;
  }
  const literals = makeCode(literalCounts, MAX_BITS);
  const distances = makeCode(distanceCounts, MAX_BITS);
  out.put(last ? 1 : 0, 1);
  out.put(2, 2);
  writeCodes(out, literals.lengths, distances.lengths);
  for (const token of tokens) {
    const length = token >>> 16;
    if (length === 0) {
      out.put(literals.bits[token]!, literals.lengths[token]!);
      continue;
    }
    const symbol = lengthSymbol(length);
    out.put(literals.bits[symbol]!, literals.lengths[symbol]!);
    const extra = lengthExtra(symbol);
    if (extra > 0) out.put((length - MIN_MATCH) & ((1 << extra) - 1), extra);
    const distance = (token & 0xffff) - 1;
    const d = distanceSymbol(distance + 1);
    out.put(distances.bits[d]!, distances.lengths[d]!);
    if (d > 3) out.put(distance & ((1 << ((d >> 1) - 1)) - 1), (d >> 1) - 1);
  }
  out.put(literals.bits[END_OF_BLOCK]!, literals.lengths[END_OF_BLOCK]!);
}

/** Section 3.2.5: four symbols for each number of extra bits; 258 has its own. */
function lengthSymbol(length: number): number {
  const n = length - MIN_MATCH;
  if (length === MAX_MATCH) return 285;
  if (n < 8) return 257 + n;
  const extra = 29 - Math.clz32(n);
  return 257 + 4 * extra + (n >> extra);
}

function lengthExtra(symbol: number): number {
  return symbol < 265 || symbol === 285 ? 0 : (symbol - 261) >> 2;
}

function distanceSymbol(distance: number): number {
  const n = distance - 1;
  if (n < 4) return n;
  const extra = 30 - Math.clz32(n);
  return 2 * extra + (n >> extra);
}

/** Section 3.2.7. */
function writeCodes(out: BitWriter, literals: Uint8Array, distances: Uint8Array): void {
  const most = (lengths: Uint8Array, least: number): number => {
    let n = lengths.length;
    while (n > least && lengths[n - 1] === 0) n--;
    return n;
  };
  const literalCount = most(literals, 257);
  const distanceCount = most(distances, 1);
  const all = [...literals.subarray(0, literalCount), ...distances.subarray(0, distanceCount)];
  const runs: { symbol: number; extra: number; bits: number }[] = [];
  for (let i = 0; i < all.length;) {
    const value = all[i]!;
    let n = 1;
    while (i + n < all.length && all[i + n] === value) n++;
    i += n;
    if (value !== 0) {
      runs.push({ symbol: value, extra: 0, bits: 0 });
      n--;
    }
    for (; n >= 3;) {
      const part = Math.min(n, value !== 0 ? 6 : 138);
      if (value !== 0) runs.push({ symbol: 16, extra: part - 3, bits: 2 });
      else if (part > 10) runs.push({ symbol: 18, extra: part - 11, bits: 7 });
      else runs.push({ symbol: 17, extra: part - 3, bits: 3 });
      n -= part;
    }
    for (; n > 0; n--) runs.push({ symbol: value, extra: 0, bits: 0 });
  }
  const counts = new Uint32Array(19);
  for (const { symbol } of runs) counts[symbol]!++;
  const code = makeCode(counts, MAX_CODE_BITS);
  let codes = 19;
  while (codes > 4 && code.lengths[CODE_ORDER[codes - 1]!] === 0) codes--;
  out.put(literalCount - 257, 5);
  out.put(distanceCount - 1, 5);
  out.put(codes - 4, 4);
  for (let i = 0; i < codes; i++) out.put(code.lengths[CODE_ORDER[i]!]!, 3);
  for (const { symbol, extra, bits } of runs) {
    out.put(code.bits[symbol]!, code.lengths[symbol]!);
    if (bits > 0) out.put(extra, bits);
  }
}

/** A Huffman code with lengths of at most `limit`: rare symbols count for more until it fits. At least two symbols get a code. */
function makeCode(given: Uint32Array, limit: number): Code {
  const counts = Uint32Array.from(given);
  for (let i = 0, used = counts.filter((n) => n > 0).length; used < 2; i++) if (counts[i] === 0) used += counts[i] = 1;
  let lengths = huffmanLengths(counts);
  while (lengths.some((n) => n > limit)) {
    for (let i = 0; i < counts.length; i++) if (counts[i]! > 0) counts[i] = (counts[i]! >> 2) + 1;
    lengths = huffmanLengths(counts);
  }
  const bits = new Uint16Array(counts.length);
  let code = 0;
  for (let n = 1; n <= limit; n++, code <<= 1)
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] === n) bits[symbol] = reversed(code++, n);
  return { lengths, bits };
}

function huffmanLengths(counts: Uint32Array): Uint8Array {
  const leaves = [...counts.keys()].filter((i) => counts[i]! > 0).sort((a, b) => counts[a]! - counts[b]!);
  const weights = leaves.map((i) => counts[i]!);
  const parents: number[] = [];
  const n = leaves.length;
  let leaf = 0;
  let inner = n;
  const lightest = (): number => {
    if (leaf < n && (inner >= weights.length || weights[leaf]! <= weights[inner]!)) return leaf++;
    return inner++;
  };
  while (weights.length < 2 * n - 1) {
    const a = lightest();
    const b = lightest();
    parents[a] = parents[b] = weights.length;
    weights.push(weights[a]! + weights[b]!);
  }
  const depth = new Uint8Array(weights.length);
  for (let i = weights.length - 2; i >= 0; i--) depth[i] = depth[parents[i]!]! + 1;
  const lengths = new Uint8Array(counts.length);
  for (const [i, symbol] of leaves.entries()) lengths[symbol] = depth[i]!;
  return lengths;
}

function reversed(code: number, length: number): number {
  let out = 0;
  for (let i = 0; i < length; i++) out |= ((code >> i) & 1) << (length - 1 - i);
  return out;
}

/** Bits, least significant first. */
class BitWriter {
  #bytes: Uint8Array;
  #at = 0;
  #bits = 0;
  #have = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  put(value: number, count: number): void {
    this.#bits |= value << this.#have;
    this.#have += count;
    while (this.#have >= 8) {
      this.#byte(this.#bits & 255);
      this.#bits >>>= 8;
      this.#have -= 8;
    }
  }

  done(): Uint8Array {
    if (this.#have > 0) this.#byte(this.#bits & 255);
    return this.#bytes.slice(0, this.#at);
  }

  #byte(value: number): void {
    if (this.#at === this.#bytes.length) {
      const longer = new Uint8Array(this.#at * 2);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes[this.#at++] = value;
  }
}
