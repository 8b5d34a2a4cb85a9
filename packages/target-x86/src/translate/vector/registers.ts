/** Vector and MMX registers, and operands that are vectors. Source: Intel SDM volume 1 (2023), 9.2, 10.2.2, 14.1. */
import { ops, type Block, type Builder, type OpSpec, type Value } from "@mimus/tcg";
import { TRAITS } from "../../decode/notation.ts";
import { OPERAND, type Insn } from "../../insn.ts";
import { fprOffset, OFF } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { memOf } from "../width.ts";

/** The two halves of a vector: bits 127:0 and 255:128. */
export type Half = 0 | 1;

const XMM = Array.from({ length: 16 }, (_, n) => `xmm${n}`);
const YMMH = Array.from({ length: 16 }, (_, n) => `ymmh${n}`);
const NOUGHT: readonly number[] = Array.from({ length: 16 }, () => 0);

/** Adds the names with a v in front, which VEX encodings have: what they do besides follows from `Insn.vex`. */
export function both<const T extends Readonly<Record<string, Translate>>>(
  map: T,
): T & { readonly [K in keyof T as K extends string ? `v${K}` : never]: Translate } {
  const all: Record<string, Translate> = { ...map };
  for (const name of Object.keys(map)) all[`v${name}`] = map[name]!;
  return all as ReturnType<typeof both<T>>;
}

// ---- registers

export function vec(t: Tx, n: number, half: Half = 0): Value {
  const name = (half === 0 ? XMM : YMMH)[n]!;
  const k = knowledge(t);
  if (k.off) return t.ir.get(name);
  let v = k.registers.get(name);
  if (v === undefined) {
    v = t.ir.get(name);
    k.registers.set(name, v);
  }
  return v;
}
export function setVec(t: Tx, n: number, half: Half, v: Value): void {
  const name = (half === 0 ? XMM : YMMH)[n]!;
  t.ir.set(name, v);
  const k = knowledge(t);
  if (!k.off) k.registers.set(name, v);
}
/** A vector of zeros. */
export function zeros(ir: Builder): Value {
  return ir.const128(NOUGHT);
}
/** Writes bits 127:0; with VEX the others become 0, else they stay. */
export function setLow(t: Tx, i: Insn, n: number, v: Value): void {
  setVec(t, n, 0, v);
  if (i.vex !== 0) setVec(t, n, 1, zeros(t.ir));
}

/** MMX register `n` as i64. */
export function mm(t: Tx, n: number): Value {
  return t.ir.envLd("i64", "u64", fprOffset(n));
}
/** Writes an MMX register: sign and exponent of the x87 register become ones. */
export function setMm(t: Tx, n: number, v: Value): void {
  t.ir.envSt("u64", fprOffset(n), v);
  t.ir.envSt("u16", fprOffset(n) + 8, t.ir.const32(0xffff));
}
/** What every MMX instruction but EMMS does: TOP is 0, all registers are in use. Source: 9.5.1. */
export function enterMmx(t: Tx): void {
  t.ir.set("fpu_top", t.ir.const32(0));
  t.ir.envSt("u64", OFF.fpuEmpty, t.ir.const64(0n));
}

// ---- lanes

/**
 * What is known of a block: the registers' values, which labels within instructions do not change; numbers in lane 0, the
 * vector that one was put into; numbers, and vectors of them, that are zero or normal.
 */
interface Known {
  block: Block | undefined;
  readonly registers: Map<string, Value>;
  readonly scalar: Map<Value, Value>;
  readonly base: Map<Value, Value>;
  readonly plain: Map<Value, Float>;
  /** Nothing is known, nor learnt: what is emitted now may be passed by. */
  off: boolean;
}
const known: Known = {
  block: undefined, registers: new Map(), scalar: new Map(), base: new Map(), plain: new Map(), off: false,
}; // prettier-ignore

function knowledge(t: Tx): Known {
  const { block } = t.ir;
  if (known.block !== block) {
    known.block = block;
    forget();
  }
  return known;
}
/** Registers may have changed behind our back. */
export function forget(): void {
  known.registers.clear();
  known.scalar.clear();
  known.base.clear();
  known.plain.clear();
}
/** Emits what may be passed by, and does not go on with what follows, or writes no register. */
export function apart(t: Tx, emit: () => void): void {
  const k = knowledge(t);
  k.off = true;
  emit();
  k.off = false;
}

/** Types of a lane that is a number. */
export type Float = "f32" | "f64";

const EXTRACT: Readonly<Record<Float, OpSpec>> = { f32: ops.f32x4_extract_lane, f64: ops.f64x2_extract_lane };
const REPLACE: Readonly<Record<Float, OpSpec>> = { f32: ops.f32x4_replace_lane, f64: ops.f64x2_replace_lane };

/** Lane 0 of a vector. */
export function lane0(t: Tx, f: Float, v: Value): Value {
  const { scalar, base, off } = knowledge(t);
  const x = off ? undefined : scalar.get(v);
  if (x !== undefined && t.ir.typeOf(x) === f) return x;
  const lane = t.ir.vector(EXTRACT[f], v);
  if (off) return lane;
  if (isPlain(t, v, f)) setPlain(t, lane, f);
  if (x === undefined) {
    scalar.set(v, lane);
    base.set(v, v);
  }
  return lane;
}
/** A vector with lane 0 replaced. What was lane 0 of `base` before is not computed for it. */
export function withLane0(t: Tx, f: Float, base: Value, x: Value): Value {
  const k = knowledge(t);
  if (k.off) return t.ir.vector(REPLACE[f], base, x);
  const under = k.scalar.has(base) && t.ir.typeOf(k.scalar.get(base)!) === f ? k.base.get(base)! : base;
  const v = t.ir.vector(REPLACE[f], under, x);
  k.scalar.set(v, x);
  k.base.set(v, under);
  return v;
}
/** A number, or all of a vector's, is zero or normal: looked at already. */
export function isPlain(t: Tx, x: Value, f: Float): boolean {
  const { plain, off } = knowledge(t);
  return !off && plain.get(x) === f;
}
export function setPlain(t: Tx, x: Value, f: Float): void {
  const k = knowledge(t);
  if (!k.off) k.plain.set(x, f);
}

// ---- operands

/** The instruction works on 256 bits. */
export function isWide(i: Insn): boolean {
  return i.vex === 32;
}
/** Operand `k` is an MMX register. */
export function isMm(i: Insn, k: number): boolean {
  return i.operands[k]!.kind === OPERAND.mm;
}
export function isMem(i: Insn, k: number): boolean {
  return i.operands[k]!.kind === OPERAND.mem;
}
/** Index of the first source: with VEX a register of its own, else the destination. */
export function first(i: Insn): number {
  return i.vex === 0 ? 0 : 1;
}
/** The immediate, 0..255. */
export function immediate(i: Insn): number {
  return i.immLo & 0xff;
}

/** Linear address of memory operand `k`; #GP(0) where it must be aligned and is not. */
function vectorAddress(t: Tx, i: Insn, k: number, how: "r" | "w" | "rw"): Value {
  const address = t.address(k, how);
  const { size } = i.operands[k]!;
  if ((i.traits & TRAITS.aligned) !== 0 && size >= 16) t.raiseIf("tstne", address, t.imm(size - 1), 13, 0);
  return address;
}

/** Operand `k`, one vector of 128 bits. */
export function read128(t: Tx, i: Insn, k: number): Value {
  const o = i.operands[k]!;
  if (o.kind === OPERAND.mem) return t.loadVec(vectorAddress(t, i, k, "r"));
  return vec(t, o.n);
}
/** Operand `k`: one or two halves. */
export function readVec(t: Tx, i: Insn, k: number): Value[] {
  const o = i.operands[k]!;
  if (o.kind !== OPERAND.mem) return isWide(i) ? [vec(t, o.n), vec(t, o.n, 1)] : [vec(t, o.n)];
  const address = vectorAddress(t, i, k, "r");
  if (!isWide(i)) return [t.loadVec(address)];
  return [t.loadVec(address), t.loadVec(upper(t, address))];
}
/** Linear address 16 bytes further. */
export function upper(t: Tx, address: Value, bytes: number = 16): Value {
  const sum = t.ir.addI(address, bytes);
  return t.code === 64 ? sum : t.cut(sum, 4);
}
/** Writes operand `k`: one or two halves. */
export function writeVec(t: Tx, i: Insn, k: number, halves: readonly Value[]): void {
  const o = i.operands[k]!;
  if (o.kind === OPERAND.mem) {
    const address = vectorAddress(t, i, k, "w");
    t.storeVec(address, halves[0]!);
    if (halves.length === 2) t.storeVec(upper(t, address), halves[1]!);
  } else if (halves.length === 2) {
    setVec(t, o.n, 0, halves[0]!);
    setVec(t, o.n, 1, halves[1]!);
  } else setLow(t, i, o.n, halves[0]!);
}

/** The low 64 bits of operand `k` (vector, MMX, memory) as i64. */
export function read64(t: Tx, i: Insn, k: number): Value {
  const o = i.operands[k]!;
  if (o.kind === OPERAND.mem) return t.load("u64", t.address(k, "r"));
  return o.kind === OPERAND.mm ? mm(t, o.n) : t.ir.vector(ops.i64x2_extract_lane, vec(t, o.n));
}
/** Number operand `k`: lane 0 of a register, or memory. */
export function readScalar(t: Tx, i: Insn, k: number, f: Float): Value {
  const o = i.operands[k]!;
  if (o.kind !== OPERAND.mem) return lane0(t, f, vec(t, o.n));
  return t.ir.ld(f, f === "f64" ? "u64" : "u32", t.address(k, "r"), t.mmu);
}
/** A number operand that is in memory: loaded before paths part. */
export function loadedScalar(t: Tx, i: Insn, k: number, f: Float): Value | undefined {
  return isMem(i, k) ? readScalar(t, i, k, f) : undefined;
}
/** Writes a number into lane 0 of the destination; the other lanes are those of the first source. */
export function writeScalar(t: Tx, i: Insn, f: Float, x: Value): void {
  setLow(t, i, i.operands[0].n, withLane0(t, f, vec(t, i.operands[first(i)]!.n), x));
}
/** The low `bytes` (2, 4, 8, 16) bytes of operand `k` from byte `at` of memory on, as a vector whose other bytes do not matter. */
export function readPart(t: Tx, i: Insn, k: number, bytes: number): Value {
  const o = i.operands[k]!;
  if (o.kind !== OPERAND.mem) return vec(t, o.n);
  if (bytes === 16) return t.loadVec(vectorAddress(t, i, k, "r"));
  const v = t.load(memOf(bytes), t.address(k, "r"));
  return bytes === 8 ? t.ir.vector(ops.i64x2_splat, v) : t.ir.vector(ops.i32x4_splat, v);
}
