/** The suite that a guest instruction set runs: `testTarget`. */
import { encode, type Entry, extract } from "@mimus/decodetree";
import type { Stateful } from "@mimus/machine-core";
import { ENV, type Engine, type Target, type TargetCpu } from "@mimus/tcg";
import { describe, expect, it } from "vitest";
import { hostileStates } from "./hostile.ts";
import { Seeded } from "./random.ts";
import { TargetBench } from "./target-bench.ts";

export { TARGET_RAM, TargetBench, type TargetBenchOptions } from "./target-bench.ts";

/** What some instructions do: state in, code, state out. */
export interface TargetVector {
  /** For people. */
  readonly name: string;
  /** Bytes at the start of RAM, where it runs. */
  readonly code: Uint8Array | readonly number[];
  /** Instructions to run; default 1. An exception that is delivered counts as one. */
  readonly steps?: number;
  /** Globals before, as bits; those not named are 0 or what `prepare` makes them. */
  readonly before?: Readonly<Record<string, bigint>>;
  /** Globals that change; all others but the program counter must not. */
  readonly after?: Readonly<Record<string, bigint>>;
  /** Bytes of RAM before and after, by offset. */
  readonly ramBefore?: Readonly<Record<number, readonly number[]>>;
  /** Bytes of RAM that change, by offset; no others may. */
  readonly ramAfter?: Readonly<Record<number, readonly number[]>>;
}

/** A part of the suite that a target may opt out of; say why beside it. */
export type TargetCheck = "layout" | "tables" | "disassembler" | "vectors" | "random" | "state";

/** How to try an instruction set. */
export interface TestTargetOptions<Cpu extends TargetCpu = TargetCpu> {
  /** For people. */
  readonly name: string;
  /** Makes the target under test. */
  readonly target: () => Target;
  /** Makes the CPU whose state block is at `env`. */
  readonly cpu: (env: number, engine: Engine) => Cpu;
  /** Physical address of {@link TARGET_RAM} bytes of RAM; also the virtual address of the code after `prepare`. */
  readonly base: number;
  /** Runs after reset: opens protections, switches units on, sends traps to `handler` (in RAM). */
  readonly prepare?: (cpu: Cpu, handler: number) => void;
  /** Instructions with known results. */
  readonly vectors: readonly TargetVector[];
  /** Rows of the decode tables, for round trips. */
  readonly entries?: readonly Entry[];
  /** Assembles what the disassembler shows, at an address. */
  readonly assemble?: (text: string, pc: bigint) => Uint8Array;
  /** Operand values that the tables allow but that have no text, such as reserved rounding modes. */
  readonly reserved?: (entry: Entry, operands: Readonly<Record<string, number>>) => boolean;
  /** Save, load and reset of a CPU. */
  readonly state?: (cpu: Cpu) => Stateful;
  /** Programs of random bytes to run; default 200. */
  readonly programs?: number;
  /** Parts of the suite that do not apply. */
  readonly without?: readonly TargetCheck[];
}

const BACK_ENDS = ["interp", "wasm"] as const;
/** Offset of the trap handler in RAM. */
const HANDLER = 0x8000;
const STEPS = 60;

/**
 * The suite that every instruction set passes, third parties' too. Call it at the top of a test file. It checks the state layout and
 * the tables, runs the vectors on both back ends, lets both run random bytes, and saves and loads the CPU's state.
 */
export function testTarget<Cpu extends TargetCpu>(options: TestTargetOptions<Cpu>): void {
  const without = new Set(options.without);
  const check = (name: TargetCheck, title: string, run: () => void): void => {
    if (without.has(name)) it.skip(`${title} (opted out)`, () => {});
    else it(title, { timeout: 60_000 }, run);
  };
  describe(`target ${options.name}`, () => {
    check("layout", "describes a state block that holds together", () => checkLayout(options.target()));
    if (options.entries !== undefined) {
      const entries = options.entries;
      check("tables", "encodes what it decodes", () => checkTables(options, entries));
    }
    check("disassembler", "disassembles any bytes", () => checkDisassembler(options.target()));
    for (const backend of BACK_ENDS)
      for (const vector of options.vectors)
        check("vectors", `${backend}: ${vector.name}`, () => checkVector(options, vector, backend));
    check("random", "runs random bytes the same on both back ends", () => checkRandom(options));
    if (options.state !== undefined) {
      const stateOf = options.state;
      check("state", "saves, loads and saves the same; survives hostile states", () => checkState(options, stateOf));
    }
  });
}

function bench<Cpu extends TargetCpu>(
  options: TestTargetOptions<Cpu>,
  backend: (typeof BACK_ENDS)[number],
): { b: TargetBench; cpu: Cpu } {
  let cpu: Cpu | undefined;
  const make = (env: number, engine: Engine): Cpu => (cpu = options.cpu(env, engine));
  const b = new TargetBench({ target: options.target(), cpu: make, backend, base: options.base });
  if (cpu === undefined) throw new Error("the target's CPU was not made");
  restart(options, b, cpu);
  return { b, cpu };
}

function restart<Cpu extends TargetCpu>(options: TestTargetOptions<Cpu>, b: TargetBench, cpu: Cpu): void {
  cpu.reset();
  options.prepare?.(cpu, options.base + HANDLER);
  b.set(options.target().pcGlobal, BigInt(options.base));
}

function checkLayout(target: Target): void {
  const names = new Set(target.globals.map((g) => g.name));
  expect(names.size, "two globals have one name").toBe(target.globals.length);
  expect([...names]).toContain(target.pcGlobal);
  expect(target.mmuIndexes).toBeGreaterThanOrEqual(1);
  expect(target.mmuIndexes).toBeLessThanOrEqual(8);
  expect(target.pageBits).toBeGreaterThanOrEqual(12);
  expect(new Set(target.helpers.map((h) => h.name)).size, "two helpers have one name").toBe(target.helpers.length);
  const used: Map<number, string> = new Map();
  for (const { name, offset, type } of target.globals) {
    const size = type === "i32" || type === "f32" ? 4 : type === "v128" ? 16 : 8;
    expect(offset % size, `${name} is not aligned`).toBe(0);
    const ours = offset >= ENV.target || offset === ENV.tbFlags;
    expect(ours, `${name} lies among the engine's fields`).toBe(true);
    expect(offset + size, `${name} lies behind the target's fields`).toBeLessThanOrEqual(ENV.temps);
    for (let at = offset; at < offset + size; at += 4) {
      expect(used.get(at), `${name} overlaps another global`).toBeUndefined();
      used.set(at, name);
    }
  }
}

function checkTables<Cpu extends TargetCpu>(options: TestTargetOptions<Cpu>, entries: readonly Entry[]): void {
  const target = options.target();
  const random = new Seeded(1);
  const pc = BigInt(options.base);
  for (const entry of entries)
    for (let i = 0; i < 4; i++) {
      const operands = randomOperands(entry, random, options.reserved);
      if (operands === undefined) continue;
      const word = encode(entry, operands);
      expect([entry.name, extract(entry, word)]).toEqual([entry.name, operands]);
      const bytes = bytesOf(word, entry.width / 8, target.bigEndian);
      const { text, length } = target.disassemble(pc, bytes);
      expect([entry.name, length]).toEqual([entry.name, bytes.length]);
      if (options.assemble !== undefined) expect([text, ...options.assemble(text, pc)]).toEqual([text, ...bytes]);
    }
}

/** Operands that the entry accepts; undefined when a hundred tries found none. */
function randomOperands(
  entry: Entry,
  random: Seeded,
  reserved: TestTargetOptions["reserved"],
): Record<string, number> | undefined {
  for (let tries = 0; tries < 100; tries++) {
    const operands = extract(entry, random.next());
    if (
      entry.fields.every(([name, field]) => field.accepts(operands[name] ?? 0)) &&
      reserved?.(entry, operands) !== true
    )
      return operands;
  }
  return undefined;
}

function bytesOf(word: number, length: number, bigEndian: boolean): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => word >>> (8 * i));
  return bigEndian ? bytes.toReversed() : bytes;
}

function checkDisassembler(target: Target): void {
  const random = new Seeded(2);
  for (let i = 0; i < 2000; i++) {
    const bytes = random.bytes(i % 20);
    const { text, length } = target.disassemble(0x1000n, bytes);
    expect(length, "a length within the bytes given").toBeLessThanOrEqual(bytes.length);
    if (bytes.length > 0) {
      expect(length).toBeGreaterThan(0);
      expect(text).not.toBe("");
    }
  }
}

function checkVector<Cpu extends TargetCpu>(
  options: TestTargetOptions<Cpu>,
  vector: TargetVector,
  backend: (typeof BACK_ENDS)[number],
): void {
  const { b } = bench(options, backend);
  b.ram.set(vector.code);
  for (const [at, bytes] of Object.entries(vector.ramBefore ?? {})) b.ram.set(bytes, Number(at));
  for (const [name, value] of Object.entries(vector.before ?? {})) b.set(name, value);
  const before = b.globals();
  const ram = b.ram.slice();
  b.vcpu.run(vector.steps ?? 1);
  const { pcGlobal } = options.target();
  const expected = { ...before, ...vector.after };
  const found = b.globals();
  if (vector.after?.[pcGlobal] === undefined) found[pcGlobal] = expected[pcGlobal] ?? 0n;
  expect(found).toEqual(expected);
  for (const [at, bytes] of Object.entries(vector.ramAfter ?? {})) ram.set(bytes, Number(at));
  expect(
    b.ram.findIndex((byte, at) => byte !== ram[at]),
    "first byte of RAM that differs",
  ).toBe(-1);
}

function checkRandom<Cpu extends TargetCpu>(options: TestTargetOptions<Cpu>): void {
  const sides = BACK_ENDS.map((backend) => bench(options, backend));
  const random = new Seeded(3);
  const code = new Uint8Array(256);
  for (let n = 0; n < (options.programs ?? 200); n++) {
    code.set(random.bytes(code.length));
    // Half of the programs are real instructions: bytes alone seldom get far.
    if (n % 2 === 1) sprinkle(code, options, random);
    const ends = sides.map(({ b, cpu }) => {
      b.ram.fill(0).set(code);
      b.engine.flushCode();
      restart(options, b, cpu);
      b.vcpu.run(STEPS);
      return { globals: b.globals(), halted: b.halted, ram: b.ram.slice() };
    });
    const [a, c] = ends;
    expect({ program: n, ...a!.globals, halted: a!.halted }).toEqual({ program: n, ...c!.globals, halted: c!.halted });
    expect(
      a!.ram.findIndex((byte, at) => byte !== c!.ram[at]),
      `program ${n}: first byte of RAM that differs`,
    ).toBe(-1);
  }
}

/** Fills `code` with encodings of the tables' instructions. */
function sprinkle<Cpu extends TargetCpu>(code: Uint8Array, options: TestTargetOptions<Cpu>, random: Seeded): void {
  const { entries = [] } = options;
  const { bigEndian } = options.target();
  for (let at = 0; entries.length > 0;) {
    const entry = entries[random.below(entries.length)]!;
    const operands = randomOperands(entry, random, undefined);
    if (operands === undefined) continue;
    const bytes = bytesOf(encode(entry, operands), entry.width / 8, bigEndian);
    if (at + bytes.length > code.length) return;
    code.set(bytes, at);
    at += bytes.length;
  }
}

function checkState<Cpu extends TargetCpu>(options: TestTargetOptions<Cpu>, stateOf: (cpu: Cpu) => Stateful): void {
  const random = new Seeded(4);
  const one = bench(options, "interp");
  for (let n = 0; n < 20; n++) {
    const code = one.b.ram.subarray(0, 256);
    code.set(random.bytes(code.length));
    sprinkle(code, options, random);
    one.b.engine.flushCode();
    one.b.vcpu.run(STEPS);
    const saved = JSON.stringify(stateOf(one.cpu).save());
    const twin = bench(options, "wasm");
    stateOf(twin.cpu).load(JSON.parse(saved));
    expect(JSON.stringify(stateOf(twin.cpu).save())).toBe(saved);
    expect(twin.b.globals()).toEqual(one.b.globals());
  }
  const good = stateOf(one.cpu).save();
  for (const bad of hostileStates(good)) {
    const { b, cpu } = one;
    try {
      stateOf(cpu).load(bad);
    } catch (error) {
      expect(error, "a refusal is an Error").toBeInstanceOf(Error);
      continue;
    }
    stateOf(cpu).load(stateOf(cpu).save());
    b.vcpu.run(STEPS);
  }
}
