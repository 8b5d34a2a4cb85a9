/**
 * Floating point with the host's instructions, where they give RISC-V's result and flags: the rounding mode is to nearest,
 * ties to even; the inexact flag is already set, so that it need not be found out; and the result is an ordinary
 * number, so that no other flag can be due. Everything else branches to the exact function.
 *
 * The test of the exponent in integers was the fastest in loops of dependent and of independent operations: 1.05 and 1.1 ns
 * an operation with it (0.65 with branch hints), 1.05 and 0.26 without; comparisons of |x| with both limits 1.3 and 1.4.
 * The test of the inexact flag costs nothing. An instruction sets nothing before its last branch to the exact function.
 */
import { HOST_FMA, ops, type Cond, type Label, type OpSpec, type Value } from "@mimus/tcg";
import type { Block } from "./block.ts";

const NX = 1;
/** Rounding mode to nearest, ties to even. */
export const RNE = 0;

/** Widths of a format's parts. */
export interface Shape {
  readonly type: "f32" | "f64";
  readonly fraction: number;
  readonly exponent: number;
}
export const F32: Shape = { type: "f32", fraction: 23, exponent: 8 };
export const F64: Shape = { type: "f64", fraction: 52, exponent: 11 };

/** Stands for the label of a slow path that is left to the interpreter. */
const ELSEWHERE = -1 as Label;

/**
 * `fast` emits the common case and branches to the label it is given when that does not hold; then `exact` is done.
 * Where guards may be used there is no other path to meet, so that values stay known from one instruction to the next.
 */
export function either(b: Block, fast: (slow: Label) => void, exact: () => void): void {
  if (b.ctx.guards) return fast(ELSEWHERE);
  const slow = b.ir.label();
  const done = b.ir.label();
  const before = b.boxed;
  fast(slow);
  const after = b.boxed;
  b.ir.br(done);
  b.ir.place(slow);
  b.boxed = before;
  exact();
  b.ir.place(done);
  b.boxed &= after;
}

/** To `slow` if the condition holds. */
function leaveIf(b: Block, cond: Cond, x: Value, y: Value, slow: Label): void {
  if (slow === ELSEWHERE) b.ir.guard(cond, x, y);
  else b.ir.brcond(cond, x, y, slow, true);
}

/** To `slow` unless the inexact flag is set. */
export function needInexact(b: Block, slow: Label): void {
  leaveIf(b, "tsteq", b.ir.get("fp_flags"), b.ir.const32(NX), slow);
}

/** To `slow` unless register `n` holds a NaN-boxed single. */
export function needBoxed(b: Block, n: number, slow: Label): void {
  const { ir } = b;
  if (b.isBoxed(n)) return;
  leaveIf(b, "ne", ir.extrh(ir.bitcast(b.f(n))), ir.const32(-1), slow);
  if (slow === ELSEWHERE) b.boxed |= 1 << n;
}

/** A constant of the integer type of the format's bits. */
function integer(b: Block, s: Shape, value: number): Value {
  return s.type === "f64" ? b.ir.const64(BigInt(value)) : b.ir.const32(value);
}

/** The exponent field of a number less `least` is below `count`, else to `slow`. */
function needExponent(b: Block, s: Shape, value: Value, least: number, count: number, slow: Label): void {
  const { ir } = b;
  const exponent = ir.extract(ir.bitcast(value), s.fraction, s.exponent);
  leaveIf(b, "geu", least === 0 ? exponent : ir.sub(exponent, integer(b, s, least)), integer(b, s, count), slow);
}

/** To `slow` if the number is infinite or NaN. */
export function needFinite(b: Block, s: Shape, value: Value, slow: Label): void {
  const top = integer(b, s, 2 ** s.exponent - 1);
  leaveIf(b, "eq", b.ir.extract(b.ir.bitcast(value), s.fraction, s.exponent), top, slow);
}

/** To `slow` if the number is infinite, NaN, zero or subnormal. */
export function needNormal(b: Block, s: Shape, value: Value, slow: Label): void {
  needExponent(b, s, value, 1, 2 ** s.exponent - 2, slow);
}

/** As {@link needNormal}, or so small that rounding may have made it normal. */
export function needOrdinary(b: Block, s: Shape, value: Value, slow: Label): void {
  needExponent(b, s, value, 2, 2 ** s.exponent - 3, slow);
}

/** To `slow` if `x` or `y` is NaN. */
export function needNumbers(b: Block, x: Value, y: Value, slow: Label): void {
  const { ir } = b;
  const numbers = x === y ? ir.float(ops.feq, x, x) : ir.and(ir.float(ops.feq, x, x), ir.float(ops.feq, y, y));
  leaveIf(b, "eq", numbers, ir.const32(0), slow);
}

/** The number that 64-bit register contents stand for. */
export function toFloat(b: Block, s: Shape, bits: Value): Value {
  return b.ir.bitcast(s.type === "f64" ? bits : b.ir.extrl(bits));
}

/** To `slow` unless the result is zero and so is one of the operands. */
export function needZeros(b: Block, s: Shape, result: Value, operands: readonly Value[], slow: Label): void {
  const { ir } = b;
  const zero = constant(b, s, 0);
  const [x, y] = operands.map((v) => ir.float(ops.feq, v, zero));
  const cause = y === undefined ? (x as Value) : ir.or(x as Value, y);
  ir.brcond("eq", ir.and(ir.float(ops.feq, result, zero), cause), ir.const32(0), slow);
}

/** A rounded operation on the host. */
interface Rounded {
  readonly op: OpSpec;
  readonly underflows: boolean;
  /** A result of zero is exact if one of this many first operands is zero. Absent: every subnormal or zero is. */
  readonly zeros?: 1 | 2;
}

/** Host operations of the rounded ones, and whether they can underflow. */
export const ROUNDED: Readonly<Record<string, Rounded>> = {
  // A sum or square root that is subnormal or zero is exact.
  add: { op: ops.fadd, underflows: false },
  sub: { op: ops.fsub, underflows: false },
  sqrt: { op: ops.fsqrt, underflows: false },
  mul: { op: ops.fmul, underflows: true, zeros: 2 },
  div: { op: ops.fdiv, underflows: true, zeros: 1 },
  // An operand that is infinite or NaN makes the result so. Without fusion the exact function does it all.
  ...(HOST_FMA ? { mulAdd: { op: ops.fmadd, underflows: true, zeros: 2 } } : {}),
};
export const COMPARED: Readonly<Record<string, OpSpec>> = { eq: ops.feq, lt: ops.flt, le: ops.fle };
export const EXTREMUM: Readonly<Record<string, OpSpec>> = { min: ops.fmin, max: ops.fmax };

/** By rounding mode: the host's rounding to an integer. Towards zero is what its conversions do; absent: it has none. */
export const TO_INTEGRAL: readonly (OpSpec | "conversion" | undefined)[] = [
  ops.fnearest, "conversion", ops.ffloor, ops.fceil, undefined,
]; // prettier-ignore

/** An integer format: the host's truncating conversion, the limits between which it is exact, and the way back. */
interface IntegerFormat {
  readonly to: OpSpec;
  readonly from: OpSpec;
  readonly wide: boolean;
  /** Least value, inclusive or exclusive, and the exclusive upper limit. */
  readonly low: number;
  readonly inclusive: boolean;
  readonly high: number;
}
export const INTEGER: Readonly<Record<"i32" | "ui32" | "i64" | "ui64", IntegerFormat>> = {
  i32: { to: ops.to_i32s, from: ops.from_i32s, wide: false, low: -(2 ** 31), inclusive: true, high: 2 ** 31 },
  ui32: { to: ops.to_i32u, from: ops.from_i32u, wide: false, low: -1, inclusive: false, high: 2 ** 32 },
  i64: { to: ops.to_i64s, from: ops.from_i64s, wide: true, low: -(2 ** 63), inclusive: true, high: 2 ** 63 },
  ui64: { to: ops.to_i64u, from: ops.from_i64u, wide: true, low: -1, inclusive: false, high: 2 ** 64 },
};

/** A constant; the numbers used here are powers of two. */
function constant(b: Block, s: Shape, value: number): Value {
  const view = new DataView(new ArrayBuffer(8));
  if (s.type === "f64") {
    view.setFloat64(0, value);
    return b.ir.bitcast(b.ir.const64(view.getBigInt64(0)));
  }
  view.setFloat32(0, value);
  return b.ir.bitcast(b.ir.const32(view.getInt32(0)));
}

/** To `slow` unless truncating `x` fits; NaN does not. */
export function needInRange(b: Block, s: Shape, to: keyof typeof INTEGER, x: Value, slow: Label): void {
  const { ir } = b;
  const { low, inclusive, high } = INTEGER[to];
  const above = ir.float(inclusive ? ops.fle : ops.flt, constant(b, s, low), x);
  leaveIf(b, "eq", ir.and(above, ir.float(ops.flt, x, constant(b, s, high))), ir.const32(0), slow);
}
