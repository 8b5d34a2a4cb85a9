/** Runs random code strings in each mode on each back end and compares how they end. */
import { ALL_ROWS, OFF, regOffset, SEG, SEG_FIELD, segOffset, xmmOffset } from "@mimus/target-x86";
import type { Encoding } from "@mimus/target-x86";
import { ENV } from "@mimus/tcg";
import { float, integer, Random } from "../isa/random.ts";
import type { Pair } from "../isa/random.ts";
import { flowSide } from "../isa/flow-sides.ts";
import { FlatX86 } from "../vectors/adapters/x86-machine.ts";
import type { FlatMode } from "../vectors/adapters/x86-machine.ts";
import { randomCode } from "./random-code.ts";

/** What the strings run in: a mode of flat memory, or a task of virtual-8086 mode, whose ring is 3. */
export type StringMode = FlatMode | "virtual8086";

/** Options of {@link runStrings}. */
export interface StringOptions {
  readonly word: 32 | 64;
  readonly mode: StringMode;
  readonly strings: number;
  readonly backends: readonly string[];
  /** The back ends but the first run one string of so many (1): compiling a string takes longer than interpreting it. */
  readonly sample?: number;
  readonly seed: number;
}

/** How the strings ended, by exception; and what must not happen. */
export interface StringResult {
  readonly strings: number;
  readonly ends: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

const BASE = 0x10_0000;
const SIZE = 0x1_0000;
/** User pages: code, data, stack. */
const USER_SIZE = 0x8000;
const DATA = 0x2000;
const DATA_SIZE = 0x2000;
const STACK = 0x7f00;
/** Supervisor pages. */
const GDT = 0x8000;
const TASK = 0x8800;
const IDT = 0x9000;
const HANDLER = 0xa010;
const KERNEL_STACK = 0xbf00;
/** Bytes of one string, and instructions it may execute before it is stopped. */
const LENGTH = 48;
const BUDGET = 300;

/** EFLAGS.VM, and the bit that is always one. */
const VIRTUAL = 0x2_0002;

/** Selectors. */
const [KERNEL_CODE, KERNEL_DATA, HANDLER_CODE, USER_CODE, USER_DATA, TSS] = [8, 16, 24, 32, 40, 48] as const;

/** Runs the strings. */
export function runStrings(o: StringOptions): StringResult {
  const sides = o.backends.map((backend) => ({ backend, machine: new StringMachine(o, backend) }));
  const bits = bitsOf(o.mode);
  const rows = ALL_ROWS.filter(({ flags = "" }) => !flags.includes(bits === 64 ? "i64" : "o64"));
  const random = new Random(o.seed * 64 + o.word + o.mode.length + bits);
  const ends = new Map<string, number>();
  const failures: string[] = [];
  for (let i = 0; i < o.strings; i++) {
    const input = makeInput(random, rows, bits, o.word);
    let first: string | undefined;
    for (const { backend, machine } of i % (o.sample ?? 1) === 0 ? sides : sides.slice(0, 1)) {
      let end: string;
      try {
        end = machine.run(input);
      } catch (error) {
        failures.push(`${backend}: string ${i} ${toHex(input.code)}: ${(error as Error).stack ?? String(error)}`);
        continue;
      }
      if (first === undefined) {
        first = end;
        const name = end.split(" at ")[0] ?? end;
        ends.set(name, (ends.get(name) ?? 0) + 1);
      } else if (first !== end) failures.push(`string ${i} ${toHex(input.code)}: ${first}; on ${backend} ${end}`);
    }
  }
  return { strings: o.strings, ends, failures };
}

function bitsOf(mode: StringMode): 16 | 32 | 64 {
  return mode.endsWith("64") ? 64 : mode.endsWith("32") ? 32 : 16;
}

interface Input {
  readonly code: Uint8Array;
  readonly registers: readonly Pair[];
  readonly vectors: readonly Pair[];
  readonly flags: number;
}

/** Half of the registers point into memory. */
function makeInput(r: Random, rows: readonly Encoding[], bits: 16 | 32 | 64, word: 32 | 64): Input {
  const from = bits === 16 ? 0 : BASE;
  const pointer = (): Pair => [from + DATA + (r.below(DATA_SIZE) & (r.chance(4) ? -1 : -32)), 0];
  const value = (): Pair => {
    const [lo, hi] = integer(r);
    return r.chance(2) ? pointer() : [lo, word === 64 ? hi : 0];
  };
  const registers = Array.from({ length: word === 64 ? 16 : 8 }, value);
  registers[4] = [from + STACK - 8 * r.below(32), 0];
  const vectors = Array.from({ length: word === 64 ? 32 : 16 }, () => float(r));
  return { code: randomCode(r, rows, bits, LENGTH), registers, vectors, flags: r.u32() & 0x8d5 };
}

/** A CPU with tables for exceptions: their handler is a HLT in ring 0. */
class StringMachine {
  readonly #machine: FlatX86;
  readonly #mode: StringMode;
  readonly #bits: 16 | 32 | 64;
  readonly #image: Uint8Array = new Uint8Array(SIZE);
  readonly #words: Int32Array;

  constructor({ word, mode, seed }: StringOptions, backend: string) {
    const side = flowSide(backend, seed);
    this.#machine = new FlatX86(word, { backend: side.backend, exact: true, ...side.tcg });
    this.#mode = mode;
    this.#bits = bitsOf(mode);
    this.#machine.cpu.delivers = true;
    this.#machine.ram.addRam(BASE, SIZE);
    const ram = this.#machine.ram.view(BASE, SIZE);
    this.#words = new Int32Array(ram.buffer, ram.byteOffset, USER_SIZE / 4);
    this.#tables(word === 64);
  }

  /** Descriptors, gates, the task's stack. */
  #tables(wide: boolean): void {
    const view = new DataView(this.#image.buffer);
    const descriptor = (selector: number, base: number, attr: number): void => {
      const limit = attr & 0x80_0000 ? 0xfffff : 0xffff;
      const at = GDT + selector;
      view.setUint32(at, ((base & 0xffff) << 16) | (limit & 0xffff), true);
      view.setUint32(at + 4, (base & 0xff00_0000) | attr | (limit & 0xf0000) | ((base >>> 16) & 0xff), true);
    };
    const size = this.#bits === 64 ? 0xa0_0000 : this.#bits === 32 ? 0xc0_0000 : 0;
    const base = this.#bits === 16 ? BASE : 0;
    descriptor(KERNEL_CODE, base, 0x9b00 | size);
    descriptor(KERNEL_DATA, base, 0x9300 | (size && 0xc0_0000));
    descriptor(HANDLER_CODE, 0, 0x9b00 | (wide ? 0xa0_0000 : 0xc0_0000));
    descriptor(USER_CODE, base, 0xfb00 | size);
    descriptor(USER_DATA, base, 0xf300 | (size && 0xc0_0000));
    descriptor(TSS, BASE + TASK, 0x8b00);
    if (wide) view.setUint32(TASK + 4, BASE + KERNEL_STACK, true);
    else {
      view.setUint32(TASK + 4, (this.#bits === 16 ? 0 : BASE) + KERNEL_STACK, true);
      view.setUint32(TASK + 8, KERNEL_DATA, true);
    }
    view.setUint16(TASK + 0x66, 0x68, true);
    const handler = BASE + HANDLER;
    for (let n = 0; n < 256; n++) {
      if (this.#mode === "real") {
        view.setUint32(IDT + 4 * n, (0xffff_0000 | HANDLER) >>> 0, true);
        continue;
      }
      const at = IDT + (wide ? 16 : 8) * n;
      view.setUint32(at, (HANDLER_CODE << 16) | (handler & 0xffff), true);
      view.setUint32(at + 4, (handler & 0xffff_0000) | 0xee00, true);
    }
    for (let at = HANDLER; at < HANDLER + 16; at++) this.#image[at] = 0xf4;
    for (let at = DATA; at < DATA + DATA_SIZE; at++) this.#image[at] = Math.imul(at, 0x9e3779b1) >>> 24;
  }

  /** Runs one string; how it ended, with the CPU's state. */
  run({ code, registers, vectors, flags }: Input): string {
    const machine = this.#machine;
    const { cpu, ram, vcpu } = machine;
    const virtual = this.#mode === "virtual8086";
    machine.setMode(this.#mode === "virtual8086" ? "user16" : this.#mode, [
      [BASE, USER_SIZE],
      [BASE + USER_SIZE, SIZE - USER_SIZE],
    ]);
    this.#image.set(code, 0);
    ram.poke(BASE, this.#image);
    if (this.#bits === 16)
      for (let n = 0; n < 6; n++) {
        cpu.set(segOffset(n) + SEG_FIELD.base, BASE, 0);
        cpu.setLo(segOffset(n) + SEG_FIELD.limit, 0xffff);
        if (virtual) {
          cpu.setLo(segOffset(n) + SEG_FIELD.selector, 0);
          cpu.setLo(segOffset(n) + SEG_FIELD.attr, 0xf300);
        }
      }
    cpu.set(OFF.gdtBase, BASE + GDT, 0);
    cpu.setLo(OFF.gdtLimit, 0x3f);
    cpu.set(OFF.idtBase, BASE + IDT, 0);
    cpu.setLo(OFF.idtLimit, machine.wide ? 0xfff : 0x7ff);
    cpu.set(segOffset(SEG.tr) + SEG_FIELD.base, BASE + TASK, 0);
    registers.forEach(([lo, hi], n) => cpu.set(regOffset(n), lo, hi));
    vectors.forEach(([lo, hi], n) => cpu.set(xmmOffset(0) + 8 * n, lo, hi));
    cpu.set(OFF.pc, BASE, 0);
    // In virtual-8086 mode IOPL decides what CLI, PUSHF and INT do.
    machine.setFlags(virtual ? flags | ((flags & 3) << 12) | VIRTUAL : flags | 2);
    cpu.stateReplaced();
    cpu.exception = -1;
    cpu.setLo(ENV.halted, 0);
    const reason = vcpu.run(BUDGET);
    const name = cpu.exception >= 0 ? `exception ${cpu.exception}` : reason === "halted" ? "halted" : "running";
    return `${name} at ${machine.pc.toString(16)} state ${this.#state()}`;
  }

  /** A sum over everything that a program can see. */
  #state(): string {
    const { cpu } = this.#machine;
    let sum = cpu.eflags | 0;
    const add = (word: number): void => void (sum = (Math.imul(sum, 31) + word) | 0);
    const range = (first: number, bytes: number): void => {
      for (let at = first; at < first + bytes; at += 4) add(cpu.lo(at));
    };
    range(regOffset(0), 128);
    range(segOffset(0), 192);
    range(OFF.cr0, 0x88);
    range(xmmOffset(0), 640);
    for (const at of [OFF.mxcsr, OFF.fpuCw, OFF.fpuSw, OFF.fpuTop, OFF.fpuEmpty, OFF.fpuEmpty + 4]) add(cpu.lo(at));
    const registers = sum;
    for (let n = 0; n < this.#words.length; n++) add(this.#words[n] ?? 0);
    return `${registers >>> 0} ${sum >>> 0}`;
  }
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
