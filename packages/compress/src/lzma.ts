import { DecodeError, Output } from "./output.ts";

// Source: LZMA specification (I. Pavlov, 2015, public domain), sections "LZMA Decoding" and "Range Decoder".

const TOP = 2 ** 24;
const HALF = 1024;
const STATES = 12;
const LENGTH_STATES = 4;
const ALIGN_BITS = 4;
const FIRST_MODEL = 4;
const END_MODEL = 14;
/** Probabilities of one length coder: two choices, low and mid for 16 position states, high. */
const LENGTH_SIZE = 2 + 16 * 8 + 16 * 8 + 256;

/** The state of LZMA between chunks of LZMA2. Matches reach back into `out`, which is the dictionary. */
export class LzmaDecoder {
  readonly #out: Output;
  readonly #dictionary: number;
  #origin = 0;
  #lc = 0;
  #lp = 0;
  #pb = 0;
  #state = 0;
  readonly #reps: Uint32Array = new Uint32Array(4);
  #literal: Uint16Array = new Uint16Array(0);
  readonly #isMatch: Uint16Array = new Uint16Array(STATES * 16);
  readonly #isRep: Uint16Array = new Uint16Array(STATES);
  readonly #isRep0: Uint16Array = new Uint16Array(STATES);
  readonly #isRep1: Uint16Array = new Uint16Array(STATES);
  readonly #isRep2: Uint16Array = new Uint16Array(STATES);
  readonly #isRep0Long: Uint16Array = new Uint16Array(STATES * 16);
  readonly #slot: Uint16Array = new Uint16Array(LENGTH_STATES * 64);
  readonly #distance: Uint16Array = new Uint16Array(1 + 128 - END_MODEL);
  readonly #align: Uint16Array = new Uint16Array(1 << ALIGN_BITS);
  readonly #length: Uint16Array = new Uint16Array(LENGTH_SIZE);
  readonly #repLength: Uint16Array = new Uint16Array(LENGTH_SIZE);
  #in: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #range = 0;
  #code = 0;

  /** `dictionary`: the furthest that a match may go back. */
  constructor(out: Output, dictionary: number) {
    this.#out = out;
    this.#dictionary = dictionary;
  }

  /** Matches do not reach further back than here. */
  forget(): void {
    this.#origin = this.#out.at;
  }

  /** Takes new properties (lc, lp, pb in one byte). @throws DecodeError */
  properties(byte: number): void {
    if (byte > 4 * 45 + 4 * 9 + 8) throw bad(`properties ${byte}`);
    this.#lc = byte % 9;
    this.#lp = Math.floor(byte / 9) % 5;
    this.#pb = Math.floor(byte / 45);
    if (this.#lc + this.#lp > 4) throw bad(`lc ${this.#lc} and lp ${this.#lp} are more than 4`);
    this.#literal = new Uint16Array(0x300 << (this.#lc + this.#lp));
    this.reset();
  }

  /** All probabilities even, as at the start. */
  reset(): void {
    this.#state = 0;
    this.#reps.fill(0);
    for (const table of [
      this.#literal,
      this.#isMatch,
      this.#isRep,
      this.#isRep0,
      this.#isRep1,
      this.#isRep2,
      this.#isRep0Long,
      this.#slot,
      this.#distance,
      this.#align,
      this.#length,
      this.#repLength,
    ])
      table.fill(HALF);
  }

  /** Decodes one chunk: bytes `at` to `end` of `from` become exactly `size` bytes. @throws DecodeError */
  chunk(from: Uint8Array, at: number, end: number, size: number): void {
    if (this.#literal.length === 0) throw bad("a chunk without properties");
    if (end - at < 5 || from[at] !== 0) throw bad("the range coder does not start with 0");
    this.#in = from;
    this.#at = at + 5;
    this.#end = end;
    this.#range = 0xffffffff;
    this.#code = ((from[at + 1]! << 24) | (from[at + 2]! << 16) | (from[at + 3]! << 8) | from[at + 4]!) >>> 0;
    const target = this.#out.at + size;
    if (target > this.#out.bytes.length) throw this.#out.tooLong();
    while (this.#out.at < target) this.#symbol(target);
    this.#normalize();
    if (this.#at !== end || this.#code !== 0) throw bad("a chunk does not end where it should");
  }

  #symbol(target: number): void {
    const out = this.#out;
    const position = (out.at - this.#origin) & ((1 << this.#pb) - 1);
    const state = this.#state;
    if (this.#bit(this.#isMatch, (state << 4) + position) === 0) return this.#literalByte();
    let length: number;
    if (this.#bit(this.#isRep, state) !== 0) {
      if (this.#bit(this.#isRep0, state) === 0) {
        if (this.#bit(this.#isRep0Long, (state << 4) + position) === 0) {
          this.#state = state < 7 ? 9 : 11;
          this.#copy(1, target);
          return;
        }
      } else this.#oldDistance(state);
      length = this.#lengthOf(this.#repLength, position);
      this.#state = state < 7 ? 8 : 11;
    } else {
      this.#reps.copyWithin(1, 0, 3);
      length = this.#lengthOf(this.#length, position);
      this.#state = state < 7 ? 7 : 10;
      this.#reps[0] = this.#newDistance(length);
    }
    this.#copy(length + 2, target);
  }

  #copy(length: number, target: number): void {
    const distance = this.#reps[0]! + 1;
    if (distance > this.#out.at - this.#origin || distance > this.#dictionary) throw bad("a match goes back too far");
    if (this.#out.at + length > target) throw bad("a match goes beyond its chunk");
    this.#out.match(distance, length);
  }

  #oldDistance(state: number): void {
    const reps = this.#reps;
    let which = 1;
    if (this.#bit(this.#isRep1, state) !== 0) which = this.#bit(this.#isRep2, state) === 0 ? 2 : 3;
    const distance = reps[which]!;
    reps.copyWithin(1, 0, which);
    reps[0] = distance;
  }

  #literalByte(): void {
    const { bytes, at } = this.#out;
    const before = at > this.#origin ? bytes[at - 1]! : 0;
    const place = (at - this.#origin) & ((1 << this.#lp) - 1);
    const base = 0x300 * ((place << this.#lc) + (before >> (8 - this.#lc)));
    let symbol = 1;
    if (this.#state >= 7) {
      const distance = this.#reps[0]! + 1;
      if (distance > at - this.#origin) throw bad("a match goes back too far");
      let match = bytes[at - distance]!;
      do {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(this.#literal, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(this.#literal, base + symbol);
    this.#out.byte(symbol & 255);
    const state = this.#state;
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  #lengthOf(table: Uint16Array, position: number): number {
    if (this.#bit(table, 0) === 0) return this.#tree(table, 2 + position * 8, 3);
    if (this.#bit(table, 1) === 0) return 8 + this.#tree(table, 2 + 128 + position * 8, 3);
    return 16 + this.#tree(table, 2 + 256, 8);
  }

  #newDistance(length: number): number {
    const slot = this.#tree(this.#slot, Math.min(length, LENGTH_STATES - 1) * 64, 6);
    if (slot < FIRST_MODEL) return slot;
    const direct = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** direct;
    if (slot < END_MODEL) return base + this.#reverseTree(this.#distance, base - slot, direct);
    const high = this.#directBits(direct - ALIGN_BITS) * 2 ** ALIGN_BITS;
    const all = base + high + this.#reverseTree(this.#align, 0, ALIGN_BITS);
    if (all >= 0xffffffff) throw bad("an end mark in a chunk");
    return all;
  }

  #tree(table: Uint16Array, base: number, bits: number): number {
    let m = 1;
    for (let i = 0; i < bits; i++) m = (m << 1) | this.#bit(table, base + m);
    return m - (1 << bits);
  }

  #reverseTree(table: Uint16Array, base: number, bits: number): number {
    let m = 1;
    let symbol = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(table, base + m);
      m = (m << 1) | bit;
      symbol |= bit << i;
    }
    return symbol;
  }

  #directBits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#normalize();
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit) this.#code -= this.#range;
      value = value * 2 + bit;
    }
    return value;
  }

  #bit(table: Uint16Array, index: number): number {
    this.#normalize();
    const p = table[index]!;
    const bound = (this.#range >>> 11) * p;
    if (this.#code < bound) {
      this.#range = bound;
      table[index] = p + ((2048 - p) >> 5);
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    table[index] = p - (p >> 5);
    return 1;
  }

  #normalize(): void {
    if (this.#range >= TOP) return;
    if (this.#at >= this.#end) throw bad("the data end early");
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#in[this.#at++]!) >>> 0;
  }
}

function bad(what: string): DecodeError {
  return new DecodeError("lzma", what);
}
