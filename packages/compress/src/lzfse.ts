import { lzvnDecode } from "./lzvn.ts";
import { DecodeError, Output } from "./output.ts";

// Source: LZFSE's stream format (github.com/lzfse/lzfse, BSD; block headers and symbol tables, not its code).

const MAGIC = { end: 0x24787662, raw: 0x2d787662, v1: 0x31787662, v2: 0x32787662, lzvn: 0x6e787662 };
const SYMBOLS = { l: 20, m: 20, d: 64, literal: 256 };
const STATES = { l: 64, m: 64, d: 256, literal: 1024 };
const L_EXTRA: readonly number[] = [...Array<number>(16).fill(0), 2, 3, 5, 8];
const M_EXTRA: readonly number[] = [...Array<number>(16).fill(0), 3, 5, 8, 11];
const D_EXTRA: readonly number[] = Array.from({ length: 64 }, (_, i) => i >> 2);
const L_BASE: readonly number[] = bases(L_EXTRA);
const M_BASE: readonly number[] = bases(M_EXTRA);
const D_BASE: readonly number[] = bases(D_EXTRA);
const MAX_LITERALS = 4 * 10_000;
const MAX_MATCHES = 10_000;

interface Header {
  readonly rawBytes: number;
  readonly literals: number;
  readonly literalBytes: number;
  readonly literalBits: number;
  readonly matches: number;
  readonly matchBytes: number;
  readonly matchBits: number;
  readonly literalStates: readonly number[];
  readonly states: readonly [number, number, number];
  readonly frequencies: Uint16Array;
  /** Bytes of the header. */
  readonly length: number;
}

/** An LZFSE stream (with its LZVN and raw blocks). @throws DecodeError */
export function lzfseDecompress(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Output("lzfse", size);
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  for (let at = 0; ;) {
    need(from, at + 4);
    const magic = view.getUint32(at, true);
    if (magic === MAGIC.end) return out.done();
    need(from, at + 12);
    const rawBytes = view.getUint32(at + 4, true);
    const before = out.at;
    if (rawBytes > size - before) throw out.tooLong();
    if (magic === MAGIC.raw) {
      out.literals(from, at + 8, rawBytes);
      at += 8 + rawBytes;
    } else if (magic === MAGIC.lzvn) {
      const payload = view.getUint32(at + 8, true);
      need(from, at + 12 + payload);
      lzvnDecode(from, at + 12, at + 12 + payload, out);
      at += 12 + payload;
    } else if (magic === MAGIC.v1 || magic === MAGIC.v2) {
      const header = magic === MAGIC.v1 ? readV1(from, view, at) : readV2(from, view, at);
      decodeBlock(from, at + header.length, header, out);
      at += header.length + header.literalBytes + header.matchBytes;
    } else throw bad(`block magic 0x${magic.toString(16)}`);
    if (out.at - before !== rawBytes) throw bad(`a block holds ${out.at - before} bytes where it claims ${rawBytes}`);
  }
}

function decodeBlock(from: Uint8Array, at: number, h: Header, out: Output): void {
  const ends = at + h.literalBytes + h.matchBytes;
  need(from, ends);
  const f = h.frequencies;
  const lTable = new Table(f.subarray(0, 20), STATES.l, L_EXTRA, L_BASE);
  const mTable = new Table(f.subarray(20, 40), STATES.m, M_EXTRA, M_BASE);
  const dTable = new Table(f.subarray(40, 104), STATES.d, D_EXTRA, D_BASE);
  const literals = readLiterals(new Backwards(from, at, h.literalBytes, h.literalBits), h);
  const bits = new Backwards(from, at + h.literalBytes, h.matchBytes, h.matchBits);
  let [l, m, d] = h.states;
  let used = 0;
  let distance = 0;
  for (let i = 0; i < h.matches; i++) {
    const count = lTable.value(l, bits);
    l = lTable.next;
    const length = mTable.value(m, bits);
    m = mTable.next;
    distance = dTable.value(d, bits) || distance;
    d = dTable.next;
    if (used + count > h.literals) throw bad("more literals than there are");
    out.literals(literals, used, count);
    used += count;
    if (length > 0) out.match(distance, length);
  }
}

/** Literals come from four states in turn. */
function readLiterals(bits: Backwards, h: Header): Uint8Array {
  const plain = Array.from({ length: SYMBOLS.literal }, (_, i) => i);
  const table = new Table(
    h.frequencies.subarray(104),
    STATES.literal,
    plain.map(() => 0),
    plain,
  );
  const states = [...h.literalStates];
  const out = new Uint8Array(h.literals);
  for (let i = 0; i < h.literals; i++) {
    out[i] = table.value(states[i & 3]!, bits);
    states[i & 3] = table.next;
  }
  return out;
}

/** A finite-state decoder: each state gives a symbol and, with some bits, the next state. */
class Table {
  next = 0;
  readonly #symbols: Uint8Array;
  readonly #bits: Uint8Array;
  readonly #delta: Int16Array;
  readonly #extra: readonly number[];
  readonly #base: readonly number[];

  constructor(frequencies: Uint16Array, states: number, extra: readonly number[], base: readonly number[]) {
    this.#symbols = new Uint8Array(states);
    this.#bits = new Uint8Array(states);
    this.#delta = new Int16Array(states);
    this.#extra = extra;
    this.#base = base;
    let at = 0;
    for (const [symbol, f] of frequencies.entries()) {
      if (f === 0) continue;
      if (at + f > states) throw bad(`frequencies of more than ${states} states`);
      const k = Math.clz32(f) - Math.clz32(states);
      const wide = ((2 * states) >> k) - f;
      for (let j = 0; j < f; j++, at++) {
        this.#symbols[at] = symbol;
        this.#bits[at] = j < wide ? k : k - 1;
        this.#delta[at] = j < wide ? ((f + j) << k) - states : (j - wide) << (k - 1);
      }
    }
    // States that no symbol has stay 0 bits to state 0, symbol 0, as in an empty table.
  }

  value(state: number, bits: Backwards): number {
    const symbol = this.#symbols[state]!;
    this.next = this.#delta[state]! + bits.take(this.#bits[state]!);
    return this.#base[symbol]! + bits.take(this.#extra[symbol]!);
  }
}

/** Bits from the end of a payload to its start. */
class Backwards {
  readonly #from: Uint8Array;
  readonly #start: number;
  #at: number;

  /** `spare`: 0 to -7, bits of the last byte that are not used. */
  constructor(from: Uint8Array, start: number, length: number, spare: number) {
    this.#from = from;
    this.#start = start;
    this.#at = 8 * length + spare;
  }

  /** Up to 16 bits. */
  take(count: number): number {
    this.#at -= count;
    if (this.#at < 0) throw bad("the data end early");
    const byte = this.#start + (this.#at >> 3);
    const three = this.#from[byte]! | (this.#from[byte + 1]! << 8) | (this.#from[byte + 2]! << 16);
    return (three >> (this.#at & 7)) & ((1 << count) - 1);
  }
}

function readV1(from: Uint8Array, view: DataView, at: number): Header {
  need(from, at + 770);
  const u16 = (offset: number): number => view.getUint16(at + offset, true);
  const u32 = (offset: number): number => view.getUint32(at + offset, true);
  return checked({
    rawBytes: u32(4),
    literals: u32(12),
    matches: u32(16),
    literalBytes: u32(20),
    matchBytes: u32(24),
    literalBits: view.getInt32(at + 28, true),
    literalStates: [u16(32), u16(34), u16(36), u16(38)],
    matchBits: view.getInt32(at + 40, true),
    states: [u16(44), u16(46), u16(48)],
    frequencies: Uint16Array.from({ length: 360 }, (_, i) => u16(50 + 2 * i)),
    length: 770,
  });
}

function readV2(from: Uint8Array, view: DataView, at: number): Header {
  need(from, at + 32);
  const low = (word: number): number => view.getUint32(at + 8 + 8 * word, true);
  const top = (word: number): number => view.getUint32(at + 12 + 8 * word, true);
  const length = view.getUint32(at + 24, true);
  if (length < 32 || length > 32 + 360 * 2) throw bad(`a header of ${length} bytes`);
  need(from, at + length);
  return checked({
    rawBytes: view.getUint32(at + 4, true),
    literals: low(0) & 0xfffff,
    literalBytes: (low(0) >>> 20) | ((top(0) & 255) << 12),
    matches: (top(0) >>> 8) & 0xfffff,
    literalBits: ((top(0) >>> 28) & 7) - 7,
    literalStates: [
      low(1) & 1023,
      (low(1) >>> 10) & 1023,
      (low(1) >>> 20) & 1023,
      (low(1) >>> 30) | ((top(1) & 255) << 2),
    ],
    matchBytes: (top(1) >>> 8) & 0xfffff,
    matchBits: ((top(1) >>> 28) & 7) - 7,
    states: [top(2) & 1023, (top(2) >>> 10) & 1023, (top(2) >>> 20) & 1023],
    frequencies: readFrequencies(from.subarray(at + 32, at + length)),
    length,
  });
}

/** The 360 frequencies in a prefix code, least significant bit first; none = all are 0. */
function readFrequencies(from: Uint8Array): Uint16Array {
  const out = new Uint16Array(360);
  if (from.length === 0) return out;
  let at = 0;
  let bits = 0;
  let have = 0;
  for (let i = 0; i < out.length; i++) {
    while (have < 14 && at < from.length) {
      bits |= from[at++]! << have;
      have += 8;
    }
    const [length, value] = frequency(bits);
    if (length > have) throw bad("the data end early");
    out[i] = value;
    bits >>>= length;
    have -= length;
  }
  return out;
}

/** Code length and value: 00, 10 are 0, 1; then 001.. 2, 3; 4 to 7 in 5 bits; 8 to 23 in 8; more in 14. */
function frequency(bits: number): readonly [number, number] {
  if ((bits & 1) === 0) return [2, (bits >> 1) & 1 ? 1 : 0];
  if ((bits & 3) === 1) return [3, (bits >> 2) & 1 ? 3 : 2];
  if ((bits & 7) === 3) return [5, 4 + ((bits >> 3) & 3)];
  return (bits & 15) === 7 ? [8, 8 + ((bits >> 4) & 15)] : [14, 24 + ((bits >> 4) & 1023)];
}

function checked(h: Header): Header {
  if (h.literals > MAX_LITERALS || h.literals % 4 !== 0) throw bad(`${h.literals} literals`);
  if (h.matches > MAX_MATCHES) throw bad(`${h.matches} matches`);
  if (h.literalBits < -7 || h.literalBits > 0 || h.matchBits < -7 || h.matchBits > 0) throw bad("spare bits");
  const inside = (states: readonly number[], count: number): boolean => states.every((s) => s < count);
  const [l, m, d] = h.states;
  if (!inside(h.literalStates, STATES.literal) || !inside([l, m], STATES.l) || d >= STATES.d)
    throw bad("a state that does not exist");
  return h;
}

function bases(extra: readonly number[]): readonly number[] {
  let base = 0;
  return extra.map((bits) => {
    const at = base;
    base += 2 ** bits;
    return at;
  });
}

function need(from: Uint8Array, end: number): void {
  if (end > from.length) throw bad("the data end early");
}

function bad(what: string): DecodeError {
  return new DecodeError("lzfse", what);
}
