/**
 * Floating point with the host's instructions, where they give x86's result and flags: MXCSR masks all exceptions, rounds
 * to nearest, flushes nothing (HF.mxcsrFast), and PE is set already (HF.mxcsrInexact) or the result is exact (`exactness.ts`);
 * the operands are no denormal numbers and the result is an ordinary one, so that no other flag can be due. Everything else
 * is done by the exact functions of `@mimus/softfloat/sse`.
 */
import { ops, type Cond, type Label, type OpSpec, type Value } from "@mimus/tcg";
import { HF } from "../../state.ts";
import type { Tx } from "../tx.ts";
import { pattern } from "./lanes.ts";
import { apart, isPlain, setPlain, type Float } from "./registers.ts";

/** Widths of a format's parts. */
interface Shape {
  readonly bits: 32 | 64;
  readonly fraction: number;
  readonly exponent: number;
  /** Lanes in 128 bits. */
  readonly lanes: 2 | 4;
}
export const SHAPE: Readonly<Record<Float, Shape>> = {
  f32: { bits: 32, fraction: 23, exponent: 8, lanes: 4 },
  f64: { bits: 64, fraction: 52, exponent: 11, lanes: 2 },
};

/** Stands for the label of a path that is left to the interpreter. */
const ELSEWHERE = -1 as Label;

/** MXCSR is as compilers leave it. */
function isFast(t: Tx): boolean {
  return (t.flags & HF.mxcsrFast) !== 0;
}

/** MXCSR is as compilers leave it, and PE is set. */
export function mayRound(t: Tx): boolean {
  return (t.flags & HF.mxcsrInexact) !== 0;
}

/**
 * `fast` emits the common case and branches to the label it is given where that does not hold, before it sets anything;
 * then `exact` is done, and the block ends, so that what is known on the common path stays so. Where guards may be used
 * there is no other path.
 * @returns whether `fast` was emitted
 */
export function either(t: Tx, fast: (slow: Label) => void, exact: () => void): boolean {
  if (!isFast(t)) {
    exact();
    return false;
  }
  if (t.ctx.guards) {
    fast(ELSEWHERE);
    return true;
  }
  const slow = t.ir.label();
  const done = t.ir.label();
  fast(slow);
  t.ir.br(done);
  t.ir.place(slow);
  apart(t, () => {
    exact();
    // Looked up, so that nothing joins the common path there.
    t.jumpTo(t.pcNext(), "barrier");
  });
  t.ir.place(done);
  return true;
}

/**
 * Where the condition holds, `except` may save it by branching to `slow` only in other cases. Guards have no exceptions:
 * what they leave for often is translated without them.
 */
function tolerate(t: Tx, cond: Cond, x: Value, y: Value, slow: Label, except: () => void): void {
  if (slow === ELSEWHERE) return t.ir.guard(cond, x, y);
  const rare = t.ir.label();
  const fine = t.ir.label();
  t.ir.brcond(cond, x, y, rare, true);
  t.ir.br(fine);
  t.ir.place(rare);
  except();
  t.ir.place(fine);
}

/** To `slow` if the condition holds. */
export function leaveIf(t: Tx, cond: Cond, x: Value, y: Value, slow: Label): void {
  if (slow === ELSEWHERE) t.ir.guard(cond, x, y);
  else t.ir.brcond(cond, x, y, slow, true);
}

/** A constant of the integer type of the format's bits; a power of two, or a small number, or one less. */
function bits(t: Tx, f: Float, value: bigint): Value {
  return f === "f64" ? t.ir.const64(value) : t.ir.const32(Number(BigInt.asIntN(32, value)));
}

/** To `slow` if the number is a denormal one. */
export function needNoDenormal(t: Tx, f: Float, x: Value, slow: Label): void {
  if (isPlain(t, x, f)) return;
  const { ir } = t;
  const { fraction, exponent } = SHAPE[f];
  const value = ir.bitcast(x);
  const mask = bits(t, f, ((1n << BigInt(exponent)) - 1n) << BigInt(fraction));
  // Zeros are an exception.
  tolerate(t, "tsteq", value, mask, slow, () => leaveIf(t, "ne", ir.shlI(value, 1), bits(t, f, 0n), slow));
}

/**
 * A value that has no bit in common with a mask where the exponent's field has one of the `count` (2, 4) outermost values: all ones, 0
 * and, of four, 1 and 2. It is the field plus 1, less its last bits.
 */
function outermost(t: Tx, f: Float, v: Value, count: 2 | 4): { value: Value; mask: Value } {
  const { ir } = t;
  const { fraction, exponent } = SHAPE[f];
  const upper = (1n << BigInt(exponent)) - BigInt(count);
  const value = ir.add(ir.bitcast(v), bits(t, f, 1n << BigInt(fraction)));
  return { value, mask: bits(t, f, upper << BigInt(fraction)) };
}

/**
 * To `slow` unless the result is finite and normal, or zero exactly; `underflows`: it must not be the least normal number,
 * which rounding may have made of a smaller one, and is an exact zero only if one of `causes` is zero.
 */
export function needOrdinary(
  t: Tx,
  f: Float,
  r: Value,
  underflows: boolean,
  causes: readonly Value[],
  slow: Label,
): void {
  const { ir } = t;
  const { value, mask } = outermost(t, f, r, underflows ? 4 : 2);
  tolerate(t, "tsteq", value, mask, slow, () => {
    const is = (v: Value): Value => ir.float(ops.feq, v, number(t, ir.typeOf(v) as Float, 0));
    let exact = is(r);
    if (underflows) {
      const cause = causes.map(is);
      exact = ir.and(exact, cause.length === 2 ? ir.or(cause[0]!, cause[1]!) : cause[0]!);
    }
    leaveIf(t, "eq", exact, ir.const32(0), slow);
  });
  setPlain(t, r, f);
}

/** To `slow` unless the number is positive, finite and normal. */
export function needPositive(t: Tx, f: Float, x: Value, slow: Label): void {
  const { fraction, exponent } = SHAPE[f];
  const least = 1n << BigInt(fraction);
  const count = ((1n << BigInt(exponent)) - 2n) << BigInt(fraction);
  leaveIf(t, "geu", t.ir.sub(t.ir.bitcast(x), bits(t, f, least)), bits(t, f, count), slow);
}

/** To `slow` if it is NaN. What is zero or normal is none. */
export function needNoNan(t: Tx, f: Float, v: Value, slow: Label): void {
  if (!isPlain(t, v, f)) leaveIf(t, "eq", t.ir.float(ops.feq, v, v), t.ir.const32(0), slow);
}

/** To `slow` if one of them is NaN or a denormal number. */
export function needNumbers(t: Tx, f: Float, numbers: readonly Value[], slow: Label): void {
  for (const v of numbers) {
    if (isPlain(t, v, f)) continue;
    const { value, mask } = outermost(t, f, v, 2);
    tolerate(t, "tsteq", value, mask, slow, () => {
      needNoNan(t, f, v, slow);
      needNoDenormal(t, f, v, slow);
    });
    setPlain(t, v, f);
  }
}

/** A constant number. */
export function number(t: Tx, f: Float, value: number): Value {
  const view = new DataView(new ArrayBuffer(8));
  if (f === "f64") {
    view.setFloat64(0, value);
    return t.ir.bitcast(t.ir.const64(view.getBigInt64(0)));
  }
  view.setFloat32(0, value);
  return t.ir.bitcast(t.ir.const32(view.getInt32(0)));
}

// ---- all lanes of a vector

interface Packed {
  readonly add: OpSpec;
  readonly sub: OpSpec;
  readonly mul: OpSpec;
  readonly abs: OpSpec;
  readonly eq: OpSpec;
  readonly ne: OpSpec;
  readonly lt: OpSpec;
  readonly le: OpSpec;
  readonly ge: OpSpec;
  readonly bitmask: OpSpec;
  readonly all: number;
  /** Least normal number, the next power of two, the greatest finite number; as bytes. */
  readonly least: readonly number[];
  readonly ordinary: readonly number[];
  readonly most: readonly number[];
}
export const PACKED: Readonly<Record<Float, Packed>> = {
  f32: {
    add: ops.f32x4_add, sub: ops.f32x4_sub, mul: ops.f32x4_mul,
    abs: ops.f32x4_abs, eq: ops.f32x4_eq, ne: ops.f32x4_ne, lt: ops.f32x4_lt, le: ops.f32x4_le, ge: ops.f32x4_ge,
    bitmask: ops.i32x4_bitmask, all: 15,
    least: [0, 0, 0x80, 0], ordinary: [0, 0, 0, 1], most: [0xff, 0xff, 0x7f, 0x7f],
  },
  f64: {
    add: ops.f64x2_add, sub: ops.f64x2_sub, mul: ops.f64x2_mul,
    abs: ops.f64x2_abs, eq: ops.f64x2_eq, ne: ops.f64x2_ne, lt: ops.f64x2_lt, le: ops.f64x2_le, ge: ops.f64x2_ge,
    bitmask: ops.i64x2_bitmask, all: 3,
    least: [0, 0, 0, 0, 0, 0, 0x10, 0], ordinary: [0, 0, 0, 0, 0, 0, 0x20, 0],
    most: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f],
  },
}; // prettier-ignore

/** Ones in lanes where no vector has a NaN or what may be denormal; `zeros`: zeros may not. Undefined: it is known that no lane is. */
function normalLanes(t: Tx, f: Float, operands: readonly Value[], zeros: boolean): Value | undefined {
  const { ir } = t;
  const p = PACKED[f];
  let all: Value | undefined;
  for (const [n, v] of operands.entries()) {
    if (isPlain(t, v, f) || operands.indexOf(v) !== n) continue;
    let ok = ir.vector(p.ge, ir.vector(p.abs, v), pattern(ir, ...p.least));
    if (zeros) ok = ir.vector(ops.v128_or, ok, ir.vector(p.eq, v, pattern(ir, 0)));
    all = all === undefined ? ok : ir.vector(ops.v128_and, all, ok);
  }
  return all;
}
const both = (t: Tx, x: Value | undefined, y: Value | undefined): Value | undefined =>
  x === undefined || y === undefined ? (x ?? y) : t.ir.vector(ops.v128_and, x, y);

/** To `slow` if a lane of `operands` is NaN or denormal. */
export function needNumberLanes(t: Tx, f: Float, operands: readonly Value[], slow: Label): void {
  const { ir } = t;
  const p = PACKED[f];
  const strict = normalLanes(t, f, operands, false);
  if (strict === undefined) return;
  tolerate(t, "ne", ir.vector(p.bitmask, strict), ir.const32(p.all), slow, () => {
    leaveIf(t, "ne", ir.vector(p.bitmask, normalLanes(t, f, operands, true)!), ir.const32(p.all), slow);
  });
  for (const v of operands) setPlain(t, v, f);
}

/** Ones in lanes whose size is between a limit (least normal number, or twice that) and the greatest number. */
function ordinaryLanes(t: Tx, f: Float, v: Value, underflows: boolean): Value {
  const { ir } = t;
  const p = PACKED[f];
  const size = ir.vector(p.abs, v);
  const least = pattern(ir, ...(underflows ? p.ordinary : p.least));
  return ir.vector(ops.v128_and, ir.vector(p.ge, size, least), ir.vector(p.le, size, pattern(ir, ...p.most)));
}

/** What {@link needOrdinaryLanes} is told of a result. */
interface Outcome {
  readonly underflows: boolean;
  /** With `underflows`: one of them is zero where the result is zero exactly. */
  readonly causes?: readonly Value[];
  /** None of them may be denormal. */
  readonly operands: readonly Value[];
  /** Mask of the lanes that count; absent: all. */
  readonly lanes?: number;
}

/** As {@link needOrdinary}, of all lanes, and {@link needNoDenormal} of the operands'. */
export function needOrdinaryLanes(t: Tx, f: Float, r: Value, outcome: Outcome, slow: Label): void {
  const { ir } = t;
  const p = PACKED[f];
  const { underflows, causes = [], operands, lanes = p.all } = outcome;
  const mask = (ok: Value): Value => {
    const all = ir.vector(p.bitmask, ok);
    return lanes === p.all ? all : ir.andI(all, lanes);
  };
  const ordinary = ordinaryLanes(t, f, r, underflows);
  const strict = both(t, ordinary, normalLanes(t, f, operands, false))!;
  tolerate(t, "ne", mask(strict), ir.const32(lanes), slow, () => {
    const zero = pattern(ir, 0);
    const is = (v: Value): Value => ir.vector(p.eq, v, zero);
    let exact = is(r);
    if (underflows)
      exact = both(
        t,
        exact,
        causes.map(is).reduce((x, y) => ir.vector(ops.v128_or, x, y)),
      )!;
    const lax = both(t, ir.vector(ops.v128_or, ordinary, exact), normalLanes(t, f, operands, true))!;
    leaveIf(t, "ne", mask(lax), ir.const32(lanes), slow);
  });
  setPlain(t, r, f);
}
