/** The part of the machine memory with the descriptors of blocks, their bytecode, and lists of jump targets. */
import { TARGETS, TB } from "./descriptor.ts";

/** A counter that never runs out. */
export const NO_LIMIT = 0x7fffffff;

/** What stands in a descriptor besides zeros. */
export interface DescriptorFields {
  readonly id: number;
  readonly insns: number;
  readonly counter: number;
  readonly pcLo: number;
  readonly pcHi: number;
}

/** What stands behind the fields: words of instructions, and bytecode, `length` units. */
interface Bytecode {
  readonly words: Int32Array;
  readonly code: Uint16Array;
  readonly length: number;
}

/** Gives out memory from the front; all is given back at once. */
export class Arena {
  readonly #i32: Int32Array;
  readonly #u16: Uint16Array;
  readonly #start: number;
  readonly #size: number;
  #next = 0;

  constructor(i32: Int32Array, u16: Uint16Array, start: number, size: number) {
    this.#i32 = i32;
    this.#u16 = u16;
    this.#start = start;
    this.#size = size;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#next;
  }

  /** Descriptor of a block of no instructions that goes on with the one the jump cache has for pc. */
  get trampoline(): number {
    return this.#start;
  }

  /** Begins anew, with the trampoline, whose bytecode is given. */
  reset(code: readonly number[]): void {
    const at = this.#start;
    this.#i32.fill(0, at >>> 2, (at + TB.words) >>> 2);
    this.#i32[(at + TB.code) >>> 2] = at + TB.words;
    this.#i32[(at + TB.counter) >>> 2] = NO_LIMIT;
    this.#u16.set(code, (at + TB.words) >>> 1);
    this.#next = (TB.words + code.length * 2 + 15) & ~15;
  }

  /** Whether a block with so many units of bytecode and words of instructions still fits. */
  fits(units: number, words: number): boolean {
    return this.#next + this.#blockSize(units, words) <= this.#size;
  }

  #blockSize(units: number, words: number): number {
    return (TB.words + words * 4 + units * 2 + 15) & ~15;
  }

  #take(size: number): number {
    const address = this.#start + this.#next;
    this.#next += size;
    return address;
  }

  /** Writes a descriptor, with the first `count` words and the bytecode; gives its address. */
  place({ words, code, length }: Bytecode, count: number, f: DescriptorFields): number {
    const i32 = this.#i32;
    const address = this.#take(this.#blockSize(length, count));
    const at = address >>> 2;
    const codeAt = address + TB.words + count * 4;
    // So short a stretch is over before a call of fill has begun.
    for (let i = at; i < at + TB.words / 4; i++) i32[i] = 0;
    i32[at + TB.code / 4] = codeAt;
    i32[at + TB.counter / 4] = f.counter;
    i32[at + TB.id / 4] = f.id;
    i32[at + TB.insns / 4] = f.insns;
    i32[at + TB.pc / 4] = f.pcLo;
    i32[at + TB.pc / 4 + 1] = f.pcHi;
    const word = (address + TB.words) >>> 2;
    for (let i = 0; i < count; i++) i32[word + i] = words[i]!;
    const u16 = this.#u16;
    for (let i = 0, to = codeAt >>> 1; i < length; i++) u16[to + i] = code[i]!;
    return address;
  }

  /** Gives the block with a descriptor a list of the addresses it jumps to, if there is room. */
  listTargets(descriptor: number): void {
    if (this.#next + TARGETS * 4 > this.#size) return;
    const address = this.#take(TARGETS * 4);
    this.#i32.fill(0, address >>> 2, (address >>> 2) + TARGETS);
    this.#i32[(descriptor + TB.targets) >>> 2] = address;
  }
}
