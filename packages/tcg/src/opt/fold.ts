import type { Op } from "../ir/block.ts";
import { resultType } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { NONE, type Cond, type Value } from "../ir/type.ts";
import type { Rewriter } from "./rewriter.ts";

/** Constant folding: the value of an operation whose operands are constants; else NONE. */
export function fold(r: Rewriter, op: Op): Value {
  const { spec } = op;
  if (op.a < 0) return NONE;
  const x = r.out[op.a]!;
  if (x.spec !== ops.const) return NONE;
  const y = op.b >= 0 ? r.out[op.b]! : x;
  if (y.spec !== ops.const) return NONE;
  if (spec.hasCond) {
    const yes = holdsForConstants(op.cond, x, y);
    if (spec === ops.movcond) return yes ? op.c : op.d;
    return r.small(op.type, yes ? (spec === ops.setcond ? 1 : -1) : 0);
  }
  if (spec === ops.bitcast) return r.constant(op.type, x.imm, x.imm2);
  return spec.fold === undefined ? NONE : foldHalves(r, op, x, y);
}

/** The frequent operations on halves; the others with the table's function on BigInt. */
function foldHalves(r: Rewriter, op: Op, x: Op, y: Op): Value {
  const { spec, type } = op;
  if (spec === ops.add) return sum(r, op.type, x.imm, x.imm2, y.imm, y.imm2);
  if (spec === ops.and) return r.constant(type, x.imm & y.imm, x.imm2 & y.imm2);
  if (spec === ops.or) return r.constant(type, x.imm | y.imm, x.imm2 | y.imm2);
  if (spec === ops.xor) return r.constant(type, x.imm ^ y.imm, x.imm2 ^ y.imm2);
  if (spec === ops.ext32s || spec === ops.ext_i32 || spec === ops.extrl) return r.small(type, x.imm);
  const bits = x.type === "i32" ? 32 : 64;
  const value = spec.fold!(big(x), big(y), bits, op.imm, op.imm2);
  const lo = Number(BigInt.asIntN(32, value));
  return r.constant(resultType(op), lo, type === "i32" ? 0 : Number(BigInt.asIntN(32, value >> 32n)));
}

/** The constant x + y. */
export function sum(r: Rewriter, type: Op["type"], xLo: number, xHi: number, yLo: number, yHi: number): Value {
  const lo = (xLo + yLo) | 0;
  const carry = (xLo >>> 0) + (yLo >>> 0) > 0xffffffff ? 1 : 0;
  return r.constant(type, lo, (xHi + yHi + carry) | 0);
}

const big = (op: Op): bigint => (BigInt(op.imm2) << 32n) | BigInt(op.imm >>> 0);

/** Whether the condition holds; a 32-bit constant is sign-extended, which keeps both orders. */
export function holdsForConstants(cond: Cond, x: Op, y: Op): boolean {
  const equal = x.imm === y.imm && x.imm2 === y.imm2;
  const lowLess = x.imm >>> 0 < y.imm >>> 0;
  const less = x.imm2 === y.imm2 ? lowLess : x.imm2 < y.imm2;
  const below = x.imm2 === y.imm2 ? lowLess : x.imm2 >>> 0 < y.imm2 >>> 0;
  switch (cond) {
    case "eq":
      return equal;
    case "ne":
      return !equal;
    case "lt":
      return less;
    case "ge":
      return !less;
    case "le":
      return less || equal;
    case "gt":
      return !less && !equal;
    case "ltu":
      return below;
    case "geu":
      return !below;
    case "leu":
      return below || equal;
    case "gtu":
      return !below && !equal;
    case "tsteq":
      return (x.imm & y.imm) === 0 && (x.imm2 & y.imm2) === 0;
    case "tstne":
      return (x.imm & y.imm) !== 0 || (x.imm2 & y.imm2) !== 0;
  }
}
