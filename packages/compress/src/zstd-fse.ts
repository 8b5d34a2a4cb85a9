import { DecodeError } from "./output.ts";

// Source: RFC 8878, section 4.1 "FSE" (finite state entropy).

/** A table of states: each stands for a symbol and says how the next state is found. */
export interface FseTable {
  /** A stream's first state has so many bits. */
  readonly log: number;
  /** For each state: symbol | bits to read << 8 | what they are added to << 16. */
  readonly states: Uint32Array;
}

/** What kind of symbols a table is for. */
export interface FseKind {
  readonly name: string;
  /** Most bits of a state. */
  readonly mostLog: number;
  /** Largest symbol. */
  readonly mostSymbol: number;
}

/** The table of one symbol that needs no bits. */
export function fseOfOne(symbol: number, kind: FseKind): FseTable {
  if (symbol > kind.mostSymbol) throw new DecodeError("zstd", `${kind.name} code ${symbol}`);
  return { log: 0, states: Uint32Array.of(symbol) };
}

/** Spreads symbols over the states by how often they occur: -1 = less than once. `counts` add up to 2^log. */
export function fseTable(counts: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const states = new Uint32Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  counts.forEach((count, symbol) => {
    if (count === -1) states[--high] = symbol;
    next[symbol] = Math.abs(count);
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  counts.forEach((count, symbol) => {
    for (let n = 0; n < count; n++) {
      states[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at >= high);
    }
  });
  for (let state = 0; state < size; state++) {
    const symbol = states[state]!;
    const number = next[symbol]!++;
    const bits = log - 31 + Math.clz32(number);
    states[state] = symbol | (bits << 8) | (((number << bits) - size) << 16);
  }
  return { log, states };
}

/** A table as it stands in the data, and the offset behind it. @throws DecodeError */
export function readFseTable(bytes: Uint8Array, from: number, to: number, kind: FseKind): [FseTable, number] {
  const bad = (what: string): DecodeError => new DecodeError("zstd", `the table of ${kind.name} codes ${what}`);
  let bit = from * 8;
  const take = (count: number): number => {
    const at = bit >> 3;
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const value = (word >>> (bit & 7)) & ((1 << count) - 1);
    bit += count;
    return value;
  };
  if (from >= to) throw bad("is missing");
  const log = take(4) + 5;
  if (log > kind.mostLog) throw bad(`has ${log} bits`);
  const counts: number[] = [];
  for (let left = 1 << log; left > 0;) {
    if (bit > to * 8) throw bad("ends early");
    if (counts.length > kind.mostSymbol) throw bad("has too many symbols");
    // One of 0 to left + 1, in fewer bits where a small one can be no other.
    const bits = 32 - Math.clz32(left + 1);
    const short = (1 << bits) - 2 - left;
    let value = take(bits - 1);
    if (value >= short) {
      if (take(1) === 1) value += 1 << (bits - 1);
      if (value >= 1 << (bits - 1)) value -= short;
    }
    const count = value - 1;
    counts.push(count);
    left -= Math.abs(count);
    if (count !== 0) continue;
    for (let more = 3; more === 3;) {
      more = take(2);
      for (let n = 0; n < more; n++) counts.push(0);
      if (counts.length > kind.mostSymbol + 1 || bit > to * 8) throw bad("has too many symbols");
    }
  }
  const end = (bit + 7) >> 3;
  if (end > to) throw bad("ends early");
  return [fseTable(counts, log), end];
}
