import { DecodeError, type Output } from "./output.ts";
import { bitsAt, streamBits } from "./zstd-bits.ts";
import { type FseKind, fseOfOne, type FseTable, fseTable, readFseTable } from "./zstd-fse.ts";
import type { Literals } from "./zstd-literals.ts";

// Source: RFC 8878, section 3.1.1.3.2 "Sequences_Section".

/** A kind of code, with the table of blocks that bring none: its bits and how often each code occurs. */
interface CodeKind extends FseKind {
  readonly log: number;
  readonly counts: readonly number[];
}

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

const LENGTHS: CodeKind = {
  name: "literal length",
  mostLog: 9,
  mostSymbol: 35,
  log: 6,
  counts: [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], // prettier-ignore
};
const OFFSETS: CodeKind = {
  name: "offset",
  mostLog: 8,
  mostSymbol: 31,
  log: 5,
  counts: [...ones(6), 2, 2, 2, ...ones(15), -1, -1, -1, -1, -1],
};
const MATCHES: CodeKind = {
  name: "match length",
  mostLog: 9,
  mostSymbol: 52,
  log: 6,
  counts: [1, 4, 3, 2, 2, 2, 2, 2, 2, ...ones(37), -1, -1, -1, -1, -1, -1, -1],
};
const KINDS = [LENGTHS, OFFSETS, MATCHES] as const;

/** Codes above the small ones, which are themselves: bits that follow, from the code on that has the first of them. */
const LENGTH_BITS = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_BITS = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/** For each code: what it stands for | bits that are added << 24. */
function values(plain: number, first: number, bits: readonly number[]): Uint32Array {
  const out = new Uint32Array(plain + bits.length);
  let value = first;
  for (let code = 0; code < out.length; code++) {
    const extra = code < plain ? 0 : bits[code - plain]!;
    out[code] = value | (extra << 24);
    value += 1 << extra;
  }
  return out;
}

const LENGTH_VALUES: Uint32Array = /* @__PURE__ */ values(16, 0, LENGTH_BITS);
const MATCH_VALUES: Uint32Array = /* @__PURE__ */ values(32, 3, MATCH_BITS);
const VALUE = 0xffffff;

/** Below this many bytes a loop is faster than a copy of the engine's. */
const FEW = 24;

/** Carries out the sequences of one block after another: literals, then what stands further back. */
export class Sequences {
  readonly #from: Uint8Array;
  readonly #out: Output;
  /** Tables of literal lengths, offsets and match lengths, for blocks that use those of the block before. */
  readonly #tables: (FseTable | undefined)[] = [undefined, undefined, undefined];
  /** The last three offsets. */
  readonly #recent: Int32Array = Int32Array.of(1, 4, 8);

  /** `from` goes on for 4 bytes behind its last block. */
  constructor(from: Uint8Array, out: Output) {
    this.#from = from;
    this.#out = out;
  }

  /** The sequences in bytes `start` to `to`; the output may grow to `most`. @throws DecodeError */
  run(start: number, to: number, literals: Literals, most: number): void {
    const from = this.#from;
    if (start >= to) throw new DecodeError("zstd", "the sequences end early");
    const head = from[start]!;
    let at = start + (head < 128 ? 1 : head < 255 ? 2 : 3);
    const count = head < 128 ? head : head < 255 ? ((head - 128) << 8) | from[start + 1]! : 0x7f00 + (from[start + 1]! | (from[start + 2]! << 8)); // prettier-ignore
    let used = 0;
    if (count === 0) {
      if (at !== to) throw new DecodeError("zstd", "bytes follow where there are no sequences");
    } else {
      const modes = at < to ? from[at++]! : 0;
      if (modes & 3) throw new DecodeError("zstd", "a reserved bit is set");
      for (let kind = 0; kind < 3; kind++) at = this.#table(kind, (modes >> (6 - 2 * kind)) & 3, at, to);
      used = this.#each(count, at, to, literals, most);
    }
    const rest = literals.length - used;
    if (this.#out.at + rest > most) throw tooLong(most);
    this.#out.literals(literals.bytes, literals.at + used, rest);
  }

  /** Finds the table for one kind of code. @returns offset behind it */
  #table(which: number, mode: number, at: number, to: number): number {
    const kind = KINDS[which]!;
    if (mode === 0) this.#tables[which] = predefined(which);
    else if (mode === 1) {
      if (at >= to) throw new DecodeError("zstd", "the sequences end early");
      this.#tables[which] = fseOfOne(this.#from[at]!, kind);
      return at + 1;
    } else if (mode === 2) {
      const [table, end] = readFseTable(this.#from, at, to, kind);
      this.#tables[which] = table;
      return end;
    } else if (this.#tables[which] === undefined)
      throw new DecodeError("zstd", `no table of ${kind.name} codes comes before the block that repeats one`);
    return at;
  }

  /** Decodes and carries out. @returns literals that were used. One function: calls in it cost a fifth of its speed. */
  #each(count: number, start: number, to: number, literals: Literals, most: number): number {
    const [lengths, offsets, matches] = this.#tables as [FseTable, FseTable, FseTable];
    const [lengthStates, offsetStates, matchStates] = [lengths.states, offsets.states, matches.states];
    const view = new DataView(this.#from.buffer, this.#from.byteOffset + start);
    let left = streamBits(this.#from, start, to) - lengths.log - offsets.log - matches.log;
    if (left < 0) throw new DecodeError("zstd", "the sequences end early");
    let ofState = offsetStates[bitsAt(view, left + matches.log, offsets.log)]!;
    let mlState = matchStates[bitsAt(view, left, matches.log)]!;
    let llState = lengthStates[bitsAt(view, left + matches.log + offsets.log, lengths.log)]!;
    const { bytes } = this.#out;
    const source = literals.bytes;
    let from = literals.at;
    const literalsEnd = from + literals.length;
    let at = this.#out.at;
    let recent = this.#recent[0]!;
    let second = this.#recent[1]!;
    let third = this.#recent[2]!;
    for (let n = count; n > 0; n--) {
      const ofBits = ofState & 255;
      const ml = MATCH_VALUES[mlState & 255]!;
      const ll = LENGTH_VALUES[llState & 255]!;
      left -= ofBits + (ml >>> 24) + (ll >>> 24);
      if (left < 0) throw new DecodeError("zstd", "the sequences end early");
      const length = (ll & VALUE) + bitsAt(view, left, ll >>> 24);
      const match = (ml & VALUE) + bitsAt(view, left + (ll >>> 24), ml >>> 24);
      const offset = offsetValue(view, left + (ll >>> 24) + (ml >>> 24), ofBits);
      let distance = offset - 3;
      if (distance > 0) {
        third = second;
        second = recent;
      } else {
        const which = length === 0 ? offset : offset - 1;
        distance = which === 0 ? recent : which === 1 ? second : which === 2 ? third : recent - 1;
        if (which > 1) third = second;
        if (which > 0) second = recent;
      }
      recent = distance;

      const matchAt = at + length;
      const end = matchAt + match;
      if (from + length > literalsEnd) throw new DecodeError("zstd", "a sequence needs more literals than there are");
      if (end > most) throw tooLong(most);
      if (!(distance > 0 && distance <= matchAt)) throw new DecodeError("zstd", `a match goes back ${distance} of ${matchAt} bytes`); // prettier-ignore
      if (length > FEW) bytes.set(source.subarray(from, from + length), at);
      else for (let i = 0; i < length; i++) bytes[at + i] = source[from + i]!;
      from += length;
      at = matchAt;
      if (match > FEW && distance >= match) bytes.copyWithin(at, at - distance, end - distance);
      else for (; at < end; at++) bytes[at] = bytes[at - distance]!;
      at = end;

      if (n === 1) break;
      const llMore = (llState >>> 8) & 255;
      const mlMore = (mlState >>> 8) & 255;
      const ofMore = (ofState >>> 8) & 255;
      left -= llMore + mlMore + ofMore;
      if (left < 0) throw new DecodeError("zstd", "the sequences end early");
      ofState = offsetStates[(ofState >>> 16) + bitsAt(view, left, ofMore)]!;
      mlState = matchStates[(mlState >>> 16) + bitsAt(view, left + ofMore, mlMore)]!;
      llState = lengthStates[(llState >>> 16) + bitsAt(view, left + ofMore + mlMore, llMore)]!;
    }
    if (left !== 0) throw new DecodeError("zstd", "bits follow the last sequence");
    this.#out.at = at;
    this.#recent[0] = recent;
    this.#recent[1] = second;
    this.#recent[2] = third;
    return from - literals.at;
  }
}

/** Offset codes say how many bits follow the highest one; many are read in two pieces. Offsets of 2^31 and more stay where V8 has integers: out of every output. */
function offsetValue(view: DataView, at: number, bits: number): number {
  if (bits <= 24) return (1 << bits) + bitsAt(view, at, bits);
  if (bits > 30) return 0x7fffffff;
  return (1 << bits) + (bitsAt(view, at + 16, bits - 16) << 16) + bitsAt(view, at, 16);
}

const made: (FseTable | undefined)[] = [];

/** The table of blocks that bring none, made at first use. */
function predefined(which: number): FseTable {
  return (made[which] ??= fseTable(KINDS[which]!.counts, KINDS[which]!.log));
}

function tooLong(most: number): DecodeError {
  return new DecodeError("zstd", `a block makes more than the ${most} bytes that there may be until its end`);
}
