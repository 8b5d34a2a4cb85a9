// Random x86 instructions in user mode, run by x86-step (see x86-step.c) on the processor of this computer, as vectors of
// the format x86-native.
// Use: node --conditions=@mimus/source conformance/vectors/oracle/generate-x86.ts X86_STEP 64|32 [PER_ROW [SEED]] > FILE

import { spawnSync } from "node:child_process";
import { ALL_ROWS, createInsn, Decoder, OPERAND } from "@mimus/target-x86";
import type { Encoding, Insn } from "@mimus/target-x86";
import { float, integer, Random } from "../../isa/random.ts";
import { randomInstruction } from "../../x86/random-code.ts";
import { undefinedFlags } from "./x86-undefined.ts";

const BASE = 0x10_0000;
const SIZE = 0x1_0000;
const CODE = 0x5000;
const DATA = 0x8000;
const STACK = 0xc000;
const AREA = 832;
const IN = 24 + 18 * 8 + AREA;
const OUT = 8 + 18 * 8 + AREA;
const STATES = 48;
const NAMES = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp",
  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"]; // prettier-ignore

/** Where the general registers stand in NAMES, by the numbers that instructions give them. */
const PLACES = [0, 2, 3, 1, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

/** What a process can't try, what answers differently each time, and what is not exact. */
const LEFT_OUT: ReadonlySet<string> = new Set(
  (
    "callf jmpf retf iret int int1 into movseg readseg pushseg popseg les lds lss lfs lgs pushf popf cli sti in out ins outs hlt " +
    "sldt str lldt ltr verr verw lar lsl arpl sgdt sidt lgdt lidt smsw lmsw clac stac syscall sysret sysenter sysexit swapgs " +
    "rdtsc rdtscp rdpmc rdpid cpuid xgetbv xsetbv rdpkru wrpkru rdfsbase rdgsbase wrfsbase wrgsbase monitor mwait rdrand rdseed " +
    "fxsave fxrstor xsave xsaveopt xsavec xsaves xrstor xrstors fnsave frstor fnstenv fldenv bound clflush " +
    "f2xm1 fyl2x fptan fpatan fyl2xp1 fsincos fsin fcos rcpps rcpss rsqrtps rsqrtss vrcpps vrcpss vrsqrtps vrsqrtss"
  ).split(" "),
);

/** A NaN of 32 bits, or the upper half of one of 64, in bytes as they are stored. */
const HAS_NAN = /^(?:.{8})*.{4}[89a-f].[7f]f/;

/** #SS, #GP, #PF. */
const FAULTS: ReadonlySet<number> = new Set([12, 13, 14]);

/** The parts of a vector that are no general register. */
const OTHERS = ["fcw", "fsw", "ftw", "mxcsr", "st", "y", "m"];

interface State {
  readonly r: bigint[];
  readonly x: Buffer;
}

function makeState(r: Random, n: number, mode: 32 | 64): State {
  const wide = mode === 64;
  const word = (): bigint => {
    const [lo, hi] = integer(r);
    return BigInt(lo >>> 0) | (wide ? BigInt(hi >>> 0) << 32n : 0n);
  };
  const pointer = (from: number): bigint => BigInt(BASE + from + (r.below(0x800) & (r.chance(2) ? -32 : -1)));
  const regs = NAMES.map((_, k) => (wide || k < 8 ? word() : 0n));
  for (const k of [1, 4, 5, 7]) regs[k] = pointer(DATA + 0x800 * k);
  if (wide) for (const k of [9, 12, 13]) regs[k] = pointer(DATA + 0x100 * k);
  if (n % 2 === 1) regs[2] = BigInt(r.below(70));
  regs[6] = BigInt(BASE + STACK + 0x800 + 8 * r.below(64));
  regs[16] = BigInt(BASE + CODE);
  regs[17] = BigInt(2 | (r.u32() & 0x8d5) | (n % 7 === 3 ? 0x400 : 0));
  const x = Buffer.alloc(AREA);
  x.writeUInt16LE([0x37f, 0x27f, 0x77f, 0xb7f, 0xf7f][n % 5] ?? 0x37f, 0);
  const depth = n % 9;
  const top = (8 - depth) & 7;
  x.writeUInt16LE((top << 11) | (r.u32() & 0x4700), 2);
  for (let k = 0; k < depth; k++) x[4] = (x[4] ?? 0) | (1 << ((top + k) & 7));
  x.writeUInt32LE(0x1f80 | ((n % 4) << 13) | (n % 11 === 5 ? 0x8000 : 0) | (n % 13 === 6 ? 0x40 : 0), 24);
  for (let k = 0; k < depth; k++) extended(r, x, 32 + 16 * k);
  const vectors = wide ? 16 : 8;
  for (let k = 0; k < 2 * vectors; k++) {
    for (const at of [160 + 8 * k, 576 + 8 * k]) {
      const [lo, hi] = float(r);
      x.writeInt32LE(lo, at);
      x.writeInt32LE(hi, at + 4);
    }
  }
  x.writeUInt32LE(7, 512);
  return { r: regs, x };
}

/** A number of 80 bits: one in ten each is zero, infinite, a NaN, a denormal. */
function extended(r: Random, x: Buffer, at: number): void {
  const kind = r.below(10);
  x.writeUInt32LE(kind < 2 ? 0 : r.u32(), at);
  x.writeUInt32LE(
    kind === 0 ? 0 : kind === 1 ? 0x8000_0000 : kind === 3 ? r.u32() >>> 1 : (r.u32() | 0x8000_0000) >>> 0,
    at + 4,
  );
  const exponent = kind === 0 || kind === 3 ? 0 : kind < 3 ? 0x7fff : 0x3fff + r.below(64) - 32;
  x.writeUInt16LE(exponent | (r.below(2) << 15), at + 8);
}

function makeImage(r: Random): Buffer {
  const image = Buffer.alloc(SIZE, 0xf4);
  for (let at = DATA; at < SIZE; at += 8) {
    const [lo, hi] = r.chance(2) ? integer(r) : float(r);
    image.writeInt32LE(lo, at);
    image.writeInt32LE(hi, at + 4);
  }
  return image;
}

/** How many vectors, for whom, from which seed. */
export interface GenerateOptions {
  /** The program x86-step. */
  readonly program: string;
  readonly mode: 32 | 64;
  readonly perRow: number;
  readonly seed: number;
}

/** Vectors as text; instructions that this processor has not are left out. */
export function generate({ program, mode, perRow, seed }: GenerateOptions): string {
  const r = new Random(seed + mode);
  const states = Array.from({ length: STATES }, (_, n) => makeState(r, n, mode));
  const image = makeImage(r);
  const cases = makeCases(r, mode, perRow, states);
  const input = Buffer.alloc(SIZE + IN * cases.length);
  image.copy(input);
  cases.forEach(({ state, code }, n) => {
    const at = SIZE + IN * n;
    input.writeUInt32LE(code.length, at);
    input.writeUInt32LE(mode, at + 4);
    input.set(code, at + 8);
    const { r: regs, x } = states[state] as State;
    regs.forEach((value, k) => input.writeBigUInt64LE(value, at + 24 + 8 * k));
    x.copy(input, at + 24 + 18 * 8);
  });
  const run = spawnSync(program, [], { input, maxBuffer: 1 << 30, timeout: 300_000 });
  if (run.error || run.status !== 0) throw new Error(`${program}: ${run.error?.message ?? `status ${run.status}`}`);
  const lines = [header(mode, image, states)];
  let at = 0;
  for (const test of cases) {
    const count = run.stdout.readUInt32LE(at + 4);
    const line = caseLine(test, states[test.state] as State, run.stdout.subarray(at, at + OUT + 8 * count), mode);
    at += OUT + 8 * count;
    if (line !== undefined) lines.push(line);
  }
  return `${lines.join("\n")}\n`;
}

interface Case {
  readonly row: Encoding;
  readonly code: Uint8Array;
  readonly state: number;
  readonly undef: number;
  /** A memory operand of 16 bytes or more. */
  readonly wide: boolean;
  /** A memory operand that may begin below the end of the addresses and end above. */
  readonly wraps: boolean;
}

function makeCases(r: Random, mode: 32 | 64, perRow: number, states: readonly State[]): Case[] {
  const decoder = new Decoder();
  const insn = createInsn();
  const cases: Case[] = [];
  for (const row of ALL_ROWS) {
    const { flags = "" } = row;
    if (LEFT_OUT.has(row.name) || flags.includes("cpl0") || flags.includes(mode === 64 ? "i64" : "o64")) continue;
    for (let n = 0; n < perRow; n++) {
      const code = Uint8Array.from(randomInstruction(r, row, mode));
      const state = r.below(STATES);
      if (decoder.decode((at) => code[at] ?? 0xf4, mode, insn) !== "ok" || insn.length !== code.length) continue;
      if (LEFT_OUT.has(insn.encoding.name) || differs(insn, code)) continue;
      const undef = undefinedFlags(insn);
      if (undef < 0) continue;
      const wraps = endsBehind(insn, states[state]!, mode);
      cases.push({ row: insn.encoding, code, state, undef, wide: isWide(insn), wraps });
    }
  }
  return cases;
}

function isWide({ operands, operandCount }: Insn): boolean {
  return operands.slice(0, operandCount).some(({ kind, size }) => kind === OPERAND.mem && size >= 16);
}

/**
 * Whether an access may go on behind the end of the address space. Which of #GP and #PF it raises then, if any, is the affair of the
 * processor's maker: SDM volume 3, 5.3.
 */
function endsBehind({ mem: { base, index, scale, disp } }: Insn, { r }: State, mode: 32 | 64): boolean {
  const value = (n: number): bigint => (n < 0 ? 0n : r[PLACES[n]!]!);
  const end = mode === 64 ? 1n << 47n : 1n << 32n;
  return ((value(base) + (value(index) << BigInt(scale)) + BigInt(disp)) & (end - 1n)) > end - 64n;
}

/**
 * What depends on the process (bases of FS and GS) or the maker of the processor: near branches with 66 in 64-bit mode,
 * LOOPE and LOOPNE with a repeat prefix, F3 90 with REX.B (XCHG of AMD, PAUSE of Intel), SHA with an operand that is not aligned
 * (#GP of Intel, none of AMD). MOVDIRI is in no model of ours.
 */
function differs(insn: Insn, code: Uint8Array): boolean {
  const { segment, mode, rep, encoding } = insn;
  const { name, flags = "" } = encoding;
  if (segment > 3) return true;
  if (flags.includes("f64") && mode === 64 && code.includes(0x66)) return true;
  if (name === "movdiri" || (name.startsWith("sha") && isWide(insn))) return true;
  return rep !== 0 && /^(?:loopn?e|xchg)$/.test(name);
}

function header(mode: 32 | 64, image: Buffer, states: readonly State[]): string {
  const list = states.map(({ r, x }) => {
    const out: Record<string, unknown> = {};
    NAMES.forEach((name, k) => {
      if (mode === 64 || k < 8 || k > 15) out[name] = (r[k] ?? 0n).toString(16);
    });
    out.fcw = x.readUInt16LE(0);
    out.fsw = x.readUInt16LE(2);
    out.ftw = x[4];
    out.mxcsr = x.readUInt32LE(24);
    out.st = Array.from({ length: 8 }, (_, k) => st(x, k));
    out.ymm = Array.from({ length: mode === 64 ? 16 : 8 }, (_, k) => ymm(x, k));
    return out;
  });
  const mem = image.subarray(DATA).toString("hex");
  const place = { code: BASE + CODE, base: BASE, len: SIZE, memBase: BASE + DATA, mem, fill: "f4" };
  return JSON.stringify({ kind: "header", mode, cpl: 3, ...place, states: list });
}

const st = (x: Buffer, k: number): string => x.toString("hex", 32 + 16 * k, 42 + 16 * k);
const ymm = (x: Buffer, k: number): string =>
  x.toString("hex", 160 + 16 * k, 176 + 16 * k) + x.toString("hex", 576 + 16 * k, 592 + 16 * k);

/** What x86-step says of a case, as a line; undefined where it is of no use. */
function caseLine(
  { row, code, state, undef, wide, wraps }: Case,
  { r, x }: State,
  out: Buffer,
  mode: 32 | 64,
): string | undefined {
  const vector = out.readInt32LE(0);
  // The row decodes: the processor has not got it
  if (vector === -2 || (vector === 6 && row.name !== "ud" && !row.name.startsWith("ud"))) return undefined;
  // Wide accesses that begin below 4 GiB and end above are two accesses here: #PF for the first comes before #GP
  if (vector === 13 && wide && mode === 32) return undefined;
  const faulted = FAULTS.has(vector);
  if (faulted && wraps) return undefined;
  const after = out.subarray(8 + 18 * 8, 8 + 18 * 8 + AREA);
  // Components in their initial state are not written
  const written = after.readUInt32LE(512);
  if ((written & 4) === 0) after.fill(0, 576, 832);
  if ((written & 2) === 0) after.fill(0, 160, 416);
  if ((written & 1) === 0) {
    after.fill(0, 0, 24).fill(0, 32, 160);
    after.writeUInt16LE(0x37f, 0);
  }
  const line: Record<string, unknown> = { c: row.name, s: state, b: Buffer.from(code).toString("hex") };
  if (vector >= 0) line.x = vector;
  const regs: Record<string, string> = {};
  NAMES.forEach((name, k) => {
    if (mode === 32 && k > 7 && k < 16) return;
    const value = out.readBigUInt64LE(8 + 8 * k) & (k === 17 ? ~0x10300n : -1n);
    if (value !== r[k]) regs[name] = BigInt.asUintN(64, value).toString(16);
  });
  line.r = regs;
  for (const [name, at] of [
    ["fcw", 0],
    ["fsw", 2],
  ] as const)
    if (after.readUInt16LE(at) !== x.readUInt16LE(at)) line[name] = after.readUInt16LE(at);
  if (after[4] !== x[4]) line.ftw = after[4];
  if (after.readUInt32LE(24) !== x.readUInt32LE(24)) line.mxcsr = after.readUInt32LE(24);
  const differing = (count: number, text: (area: Buffer, k: number) => string): Record<string, string> | undefined => {
    const all = Array.from({ length: count }, (_, k) => [String(k), text(after, k)] as const);
    const pairs = all.filter(([k, value]) => value !== text(x, Number(k)));
    return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
  };
  line.st = differing(8, st);
  const changed = differing(mode === 64 ? 16 : 8, ymm);
  line.y = changed;
  const m: [number, string][] = [];
  for (let at = OUT; at < out.length; at += 8)
    m.push([
      BASE + out.readUInt32LE(at),
      out
        .readUInt32LE(at + 4)
        .toString(16)
        .padStart(2, "0"),
    ]);
  if (m.length > 0) line.m = m;
  // What an instruction has done before its fault differs between makers: Intel's turn to MMX, push and set MXCSR's flags first
  if (faulted && OTHERS.some((name) => line[name] !== undefined)) return undefined;
  // So does which of several NaNs a sum of products is: it may be the one that was there
  const sums = changed === undefined ? [""] : Object.values(changed);
  if (/^v?dpp[sd]$/.test(row.name) && sums.some((value) => value === "" || HAS_NAN.test(value))) return undefined;
  if (undef !== 0) line.undef = undef;
  // C0, C2 and C3 are defined by comparisons and tests alone
  if (row.name.startsWith("f") && !/^f(u?com|ist|tst|xam|prem)|^fi?com/.test(row.name)) line.fswMask = 0xbaff;
  return JSON.stringify(line);
}

if (import.meta.main) {
  const [program, mode, perRow = "4", seed = "1"] = process.argv.slice(2);
  if (program === undefined || (mode !== "64" && mode !== "32"))
    throw new TypeError("generate-x86.ts X86_STEP 64|32 [PER_ROW [SEED]]");
  process.stdout.write(
    generate({ program, mode: mode === "64" ? 64 : 32, perRow: Number(perRow), seed: Number(seed) }),
  );
}
