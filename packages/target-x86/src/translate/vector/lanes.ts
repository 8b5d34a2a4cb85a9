/** Operations that do the same in every lane, or in each half: the shape of most instructions on integers. */
import { ops, type Builder, type OpSpec, type Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { enterMmx, first, isMm, mm, read64, readVec, setMm, writeVec, zeros } from "./registers.ts";

/** Makes a vector of two. */
export type Two = (ir: Builder, a: Value, b: Value) => Value;
/** Makes a vector of one. */
export type One = (ir: Builder, a: Value) => Value;

/** One operation of the table. */
export const op2 =
  (spec: OpSpec): Two =>
  (ir, a, b) =>
    ir.vector(spec, a, b);
export const op1 =
  (spec: OpSpec): One =>
  (ir, a) =>
    ir.vector(spec, a);

/** How 64-bit registers are done in 128-bit ones: both operands in low halves, or one behind the other. */
type Mmx = "low" | "joined" | "high";

/** MMX operand `k` in the low half of a vector. */
export function mmVector(t: Tx, i: Insn, k: number): Value {
  return t.ir.vector(ops.i64x2_splat, read64(t, i, k));
}
/** The low or high half of a vector to MMX register operand 0. */
export function setMmVector(t: Tx, i: Insn, v: Value, lane: number = 0): void {
  setMm(t, i.operands[0].n, t.ir.vector(ops.i64x2_extract_lane, v, undefined, undefined, lane));
}

/** destination = fn(first source, second source); `mmx` says how on MMX registers. */
export function two(fn: Two, mmx: Mmx = "low"): Translate {
  return (t, i) => {
    if (isMm(i, 0)) {
      let b = mmVector(t, i, 1);
      enterMmx(t);
      let a = t.ir.vector(ops.i64x2_splat, mm(t, i.operands[0].n));
      if (mmx === "joined") a = b = t.ir.shuffle(a, b, JOIN);
      return setMmVector(t, i, fn(t.ir, a, b), mmx === "high" ? 1 : 0);
    }
    const k = first(i);
    const b = readVec(t, i, k + 1);
    const a = readVec(t, i, k);
    writeVec(t, i, 0, a.map((v, n) => fn(t.ir, v, b[n]!))); // prettier-ignore
  };
}
const JOIN = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** The same where an operand with itself gives a constant: a register is cleared, or set, without being read. */
export function idiom(fn: Two, constant: (ir: Builder) => Value): Translate {
  const plain = two(fn);
  return (t, i) => {
    const k = first(i);
    const [a, b] = [i.operands[k]!, i.operands[k + 1]!];
    if (isMm(i, 0) || a.kind !== b.kind || a.n !== b.n) return plain(t, i);
    const v = constant(t.ir);
    writeVec(t, i, 0, i.vex === 32 ? [v, v] : [v]);
  };
}
export const ones = (ir: Builder): Value => ir.const128(Array.from({ length: 16 }, () => 0xff));
export { zeros };

/** destination = fn(source). */
export function one(fn: One): Translate {
  return (t, i) => {
    if (isMm(i, 0)) {
      const v = mmVector(t, i, 1);
      enterMmx(t);
      return setMmVector(t, i, fn(t.ir, v));
    }
    writeVec(t, i, 0, readVec(t, i, 1).map((v) => fn(t.ir, v))); // prettier-ignore
  };
}

/** 16 times a byte, or a longer pattern repeated. */
export function pattern(ir: Builder, ...bytes: number[]): Value {
  return ir.const128(Array.from({ length: 16 }, (_, n) => bytes[n % bytes.length]!));
}
