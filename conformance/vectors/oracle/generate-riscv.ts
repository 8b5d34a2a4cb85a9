// Makes steps-rv64.jsonl: random single instructions, run by riscv-step (see riscv-step.c) under an oracle.
// Use: node --conditions=@mimus/source conformance/vectors/oracle/generate-riscv.ts RISCV_STEP [PER_INSTRUCTION [SEED]]
// RISCV_STEP is the program compiled; it runs under qemu-riscv64-static. The vectors go to standard output.

import { spawnSync } from "node:child_process";
import { createDisassembler, isaParts } from "@mimus/target-riscv";
import type { StepsHeader, StepsLine } from "../readers/steps.ts";

const DATA = 0x10000000;
const CODE = 0x20000000;
const SIZE = 0x10000;
const AT = CODE + 0x8000;
const STATES = 24;
const IN = 8 + 65 * 8;
/** Signals of Linux by exception cause: illegal instruction 2, breakpoint 3. */
const SIGILL = 4n;
const SIGTRAP = 5n;
/** No system calls, nothing that waits or depends on time or on an earlier case. */
const EXCLUDED = /^(ecall|wfi|wrs|fence_i|mret|sret|sc_|cbo_|c_ebreak|uret|sfence|hfence|hlv|hsv)/;
const EXCLUDED_PARTS = new Set(["machine", "supervisor", "svinval", "zawrs", "zicbom", "zicboz"]);

const [program, perInstruction = "24", seed = "1"] = process.argv.slice(2);
if (program === undefined) throw new Error("Use: generate-riscv.ts RISCV_STEP [PER_INSTRUCTION [SEED]]");

let random64 = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
function next(): bigint {
  random64 = BigInt.asUintN(64, random64 ^ (random64 << 13n));
  random64 ^= random64 >> 7n;
  return (random64 = BigInt.asUintN(64, random64 ^ (random64 << 17n)));
}
function below(n: number): number {
  return Number((next() >> 8n) % BigInt(n));
}
function pick<T>(list: readonly T[]): T {
  return list[below(list.length)] as T;
}

/** Registers that point into the data area, into the code area; all others hold numbers. */
const POINTERS = [2, 8, 9, 10, 11, 20, 21, 30];
const LABELS = [1, 5, 31];

function integer(): bigint {
  const sign = below(2) === 0 ? 0n : -1n;
  return BigInt.asUintN(
    64,
    pick([
      () => sign,
      () => next(),
      () => (next() >> BigInt(below(64))) ^ sign,
      () => (1n << BigInt(below(64))) + sign,
      () => BigInt(below(70)),
    ])(),
  );
}

function float(bits: number, exponentBits: number): bigint {
  const fractionBits = bits - 1 - exponentBits;
  const top = 2 ** exponentBits - 1;
  const exponent = pick([below(top + 1), (top >> 1) - 3 + below(8), (top >> 1) + below(60), 0, top]);
  const fraction = pick([BigInt.asUintN(fractionBits, next()), 0n, 1n << BigInt(below(fractionBits))]);
  return (BigInt(below(2)) << BigInt(bits - 1)) | (BigInt(exponent) << BigInt(fractionBits)) | fraction;
}

interface State {
  readonly x: bigint[];
  readonly f: bigint[];
  readonly fcsr: bigint;
}

function state(): State {
  const x = Array.from({ length: 32 }, integer);
  x[0] = BigInt(AT);
  for (const n of POINTERS) x[n] = BigInt(DATA + 0x4000 + below(0x800) * 16 + (below(3) === 0 ? below(16) : 0));
  for (const n of LABELS) x[n] = BigInt(CODE + 0x1000 + below(0x7000) * 2);
  const boxed = (): bigint => float(32, 8) | (0xffffffffn << 32n);
  const f = Array.from({ length: 32 }, () => (below(8) === 0 ? next() : below(2) === 0 ? boxed() : float(64, 11)));
  return { x, f, fcsr: BigInt(below(5) * 32 + below(32) * below(2)) };
}

function instruction(entry: {
  mask: number;
  value: number;
  width: number;
  fields: readonly (readonly [string, unknown])[];
}): number {
  let word = (entry.value | (Number(BigInt.asUintN(32, next())) & ~entry.mask)) >>> 0;
  if (entry.width === 16) {
    // Loads and stores of quadrant 0: one of x8 to x11 as the base.
    return (word & 3) === 0 && word & 0xe000 ? word & 0xfdff : word & 0xffff;
  }
  const major = word & 0x7f;
  const setRs1 = (n: number): void => void (word = ((word & ~(31 << 15)) | (n << 15)) >>> 0);
  if ([0x03, 0x07, 0x23, 0x27, 0x2f].includes(major)) setRs1(pick(POINTERS));
  if (major === 0x67) setRs1(pick(LABELS));
  // jal: within 16 KiB. Its immediate's bits 19:12 are the word's, bit 20 is bit 31.
  if (major === 0x6f) word = (word & ~(0xff << 12) & ~(0x18 << 20)) >>> 0;
  if (major === 0x6f && word >>> 31 === 1) word = (word | (0xff << 12) | (1 << 30) | (1 << 29)) >>> 0;
  // A jump into its own second half would run that too.
  if ((major === 0x6f && word >>> 12 === 0x200) || (major === 0x63 && (word & 0xfe000f80) >>> 0 === 0x100))
    word ^= major === 0x6f ? 1 << 22 : 1 << 9;
  // csr…: one of fflags, frm, fcsr.
  if (major === 0x73) word = ((word & 0xfffff) | ((1 + below(3)) << 20)) >>> 0;
  // Register operands coincide more often than at random.
  if (major === 0x33 && below(6) === 0) word = ((word & ~(31 << 20)) | (((word >>> 15) & 31) << 20)) >>> 0;
  return word;
}

const image = new Uint8Array(SIZE);
for (let i = 0x3000; i < 0xe000; i++) image[i] = below(4) === 0 ? pick([0, 255, 128, 127]) : below(256);
const states = Array.from({ length: STATES }, state);
const disassemble = createDisassembler(64);

interface Case {
  readonly word: number;
  readonly length: number;
  readonly state: number;
  readonly name: string;
}
const cases: Case[] = [];
for (const part of isaParts(64)) {
  if (EXCLUDED_PARTS.has(part.name)) continue;
  for (const entry of part.entries) {
    if (EXCLUDED.test(entry.name)) continue;
    for (let i = 0; i < Number(perInstruction); i++) {
      const word = instruction(entry);
      const length = entry.width / 8;
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, word, true);
      const name = disassemble(BigInt(AT), bytes.subarray(0, length)).text.split(/\s/)[0] ?? entry.name;
      cases.push({ word, length, state: below(STATES), name });
    }
  }
}

const input = Buffer.alloc(SIZE + cases.length * IN);
input.set(image);
cases.forEach(({ word, length, state: n }, i) => {
  const at = SIZE + i * IN;
  input.writeUInt32LE(length, at);
  input.writeUInt32LE(word, at + 4);
  const { x, f, fcsr } = states[n] as State;
  [...x, ...f, fcsr].forEach((value, k) => input.writeBigUInt64LE(value, at + 8 + k * 8));
});
const oracle = spawnSync("qemu-riscv64-static", ["-cpu", "rv64,zba=on,zbb=on,zbc=on,zbs=on", program], {
  input,
  maxBuffer: 1 << 30,
});
if (oracle.error) throw oracle.error;

const hex = (value: bigint): string => value.toString(16);
const named = ({ x, f, fcsr }: State): [string, bigint][] => [
  ...x.map((value, n): [string, bigint] => [n === 0 ? "pc" : `x${n}`, value]),
  ...f.map((value, n): [string, bigint] => [`f${n}`, value]),
  ["fcsr", fcsr],
];
const used = image.subarray(0x3000, 0xe000);
const header: StepsHeader = {
  kind: "mimus-steps",
  version: 1,
  target: "riscv64",
  options: { isa: "rv64gc_zba_zbb_zbc_zbs" },
  oracle: "qemu-riscv64 7.2.22, user mode",
  code: hex(BigInt(AT)),
  memory: [
    [hex(BigInt(DATA)), "00".repeat(0x3000)],
    [hex(BigInt(DATA + 0x3000)), Buffer.from(used).toString("hex")],
    [hex(BigInt(DATA + 0xe000)), "00".repeat(0x2000)],
  ],
  states: states.map((s) => Object.fromEntries(named(s).map(([name, value]) => [name, hex(value)]))),
};
const lines = [JSON.stringify(header)];
let at = 0;
let dropped = 0;
for (const test of cases) {
  if (at + 66 * 8 > oracle.stdout.length)
    throw new Error(`The oracle stopped at case ${lines.length + dropped} (${test.name})`);
  const words = Array.from({ length: 66 }, (_, k) => oracle.stdout.readBigUInt64LE(at + k * 8));
  const count = oracle.stdout.readUInt32LE(at + 66 * 8);
  at += 66 * 8 + 4;
  const bytes = Array.from({ length: count }, (_, k) => [
    oracle.stdout.readUInt32LE(at + k * 8),
    oracle.stdout.readUInt32LE(at + k * 8 + 4),
  ]) as [number, number][];
  at += count * 8;
  const [signal = 0n, ...after] = words;
  const before = states[test.state] as State;
  const illegal = signal === SIGILL && after[0] === BigInt(AT);
  const breakpoint = signal === SIGTRAP && after[0] === BigInt(AT);
  if (!illegal && signal !== SIGTRAP) {
    dropped++; // a memory fault: user mode has other ones than the bare machine
    continue;
  }
  if (test.name === "ctzw" && BigInt.asUintN(32, before.x[(test.word >>> 15) & 31] ?? 0n) === 0n) {
    dropped++; // QEMU 7.2 looks at the upper word then; the specification says 32
    continue;
  }
  const changed = named({ x: after.slice(0, 32), f: after.slice(32, 64), fcsr: after[64] ?? 0n }).filter(
    ([, value], k) => value !== named(before)[k]?.[1],
  );
  const encoded = Buffer.alloc(4);
  encoded.writeUInt32LE(test.word);
  const line: StepsLine = {
    c: illegal ? `illegal ${test.name}` : test.name,
    s: test.state,
    b: encoded.toString("hex", 0, test.length),
    to: {
      ...(changed.length > 0 ? { r: Object.fromEntries(changed.map(([name, value]) => [name, hex(value)])) } : {}),
      ...(count > 0 ? { m: joined(bytes) } : {}),
      ...(illegal ? { x: 2 } : breakpoint ? { x: 3 } : {}),
    },
  };
  lines.push(JSON.stringify(line));
}
console.log(lines.join("\n"));
console.error(`${lines.length - 1} cases, ${dropped} dropped for memory faults`);

function joined(bytes: readonly (readonly [number, number])[]): [string, string][] {
  const out: { start: number; end: number; text: string }[] = [];
  for (const [offset, value] of bytes) {
    const text = value.toString(16).padStart(2, "0");
    const last = out.at(-1);
    if (last?.end === offset) {
      last.text += text;
      last.end++;
    } else out.push({ start: offset, end: offset + 1, text });
  }
  return out.map(({ start, text }) => [hex(BigInt(DATA + start)), text]);
}
