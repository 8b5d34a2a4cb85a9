/**
 * Results that must be exact, as PE is not set yet. Programs that work on small whole numbers, or multiples of a half,
 * never set it. What cannot be told by a few instructions of the host is called inexact.
 */
import { ops, type Label, type Value } from "@mimus/tcg";
import type { Tx } from "../tx.ts";
import { leaveIf, mayRound, PACKED } from "./fast.ts";
import { pattern } from "./lanes.ts";
import type { Float } from "./registers.ts";

/** Operations that round. */
export type Rounding = "add" | "sub" | "mul" | "div" | "sqrt";

/** The low half of a fraction: the product of two numbers without it has a fraction that fits. */
const LOW = { f32: 0xfff, f64: 0x7ffffff } as const;
const LOW_LANE = { f32: [0xff, 0x0f, 0, 0], f64: [0xff, 0xff, 0xff, 7, 0, 0, 0, 0] } as const;

/** To `slow` unless the condition, 0 or 1, holds. */
function need(t: Tx, holds: Value, slow: Label): void {
  leaveIf(t, "eq", holds, t.ir.const32(0), slow);
}

/** To `slow` unless the product of the numbers is exact, if it is ordinary. */
function needShort(t: Tx, f: Float, x: Value, y: Value, slow: Label): void {
  const { ir } = t;
  const bits = x === y ? ir.bitcast(x) : ir.or(ir.bitcast(x), ir.bitcast(y));
  leaveIf(t, "tstne", bits, f === "f64" ? ir.const64(BigInt(LOW.f64)) : ir.const32(LOW.f32), slow);
}

/** To `slow` unless `r`, an ordinary number, is op(x, y) exactly, or PE is set. The root has no `y`. */
export function needExact(t: Tx, f: Float, op: Rounding, r: Value, x: Value, y: Value, slow: Label): void {
  if (mayRound(t)) return;
  const { ir } = t;
  const same = (v: Value, w: Value): Value => ir.float(ops.feq, v, w);
  switch (op) {
    // The difference of a sum and its greater term is exact, so that one of these tells.
    case "add":
      return need(t, ir.and(same(ir.float(ops.fsub, r, x), y), same(ir.float(ops.fsub, r, y), x)), slow);
    case "sub":
      return need(t, ir.and(same(ir.float(ops.fsub, x, r), y), same(ir.float(ops.fadd, r, y), x)), slow);
    case "mul":
      return needShort(t, f, x, y, slow);
    case "div":
      needShort(t, f, r, y, slow);
      return need(t, same(ir.float(ops.fmul, r, y), x), slow);
    case "sqrt":
      needShort(t, f, r, r, slow);
      return need(t, same(ir.float(ops.fmul, r, r), x), slow);
  }
}

/** As {@link needExact}, of all lanes. */
export function needExactLanes(t: Tx, f: Float, op: Rounding, r: Value, x: Value, y: Value, slow: Label): void {
  if (mayRound(t)) return;
  const { ir } = t;
  const p = PACKED[f];
  const same = (v: Value, w: Value): Value => ir.vector(p.eq, v, w);
  const both = (v: Value, w: Value): Value => ir.vector(ops.v128_and, v, w);
  const short = (v: Value, w: Value): Value => {
    const low = both(ir.vector(ops.v128_or, v, w), pattern(ir, ...LOW_LANE[f]));
    return ir.vector(f === "f64" ? ops.i64x2_eq : ops.i32x4_eq, low, pattern(ir, 0));
  };
  let fine: Value;
  switch (op) {
    case "add":
      fine = both(same(ir.vector(p.sub, r, x), y), same(ir.vector(p.sub, r, y), x));
      break;
    case "sub":
      fine = both(same(ir.vector(p.sub, x, r), y), same(ir.vector(p.add, r, y), x));
      break;
    case "mul":
      fine = short(x, y);
      break;
    case "div":
      fine = both(short(r, y), same(ir.vector(p.mul, r, y), x));
      break;
    case "sqrt":
      fine = both(short(r, r), same(ir.vector(p.mul, r, r), x));
      break;
  }
  leaveIf(t, "ne", ir.vector(p.bitmask, fine), ir.const32(p.all), slow);
}

/** To `slow` unless a conversion or rounding left the number `x` as it is, or PE is set. */
export function needSame(t: Tx, x: Value, converted: Value, slow: Label): void {
  if (!mayRound(t)) need(t, t.ir.float(ops.feq, x, converted), slow);
}
