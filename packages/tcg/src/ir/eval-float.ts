import type { Op } from "./block.ts";

import { fusedMultiplyAdd } from "./eval-fma.ts";

const view = new DataView(new ArrayBuffer(8));

/** The number that `bits` stand for. */
export function fromBits(bits: bigint, width: number): number {
  view.setBigUint64(0, bits);
  return width === 32 ? view.getFloat32(4) : view.getFloat64(0);
}

/** Its bits; those of a single are of the number rounded. */
export function toBits(x: number, width: number): bigint {
  if (width === 64) view.setFloat64(0, x);
  else view.setFloat32(0, x);
  return width === 64 ? view.getBigUint64(0) : BigInt(view.getUint32(0));
}

/** Rounds an integer to the nearest f32 or f64, ties to even. */
export function rounded(n: bigint, width: number): number {
  if (width === 64) return Number(n);
  // Number(n) rounds to 53 bits; an odd last bit keeps "inexact" alive for the second rounding.
  const size = (n < 0n ? -n : n).toString(2).length;
  if (size <= 53) return Math.fround(Number(n));
  const drop = BigInt(size - 53);
  const sticky = (n & ((1n << drop) - 1n)) === 0n ? 0n : 1n;
  return Math.fround(Number(((n >> drop) | sticky) << drop));
}

/** Rounds to an integer, ties to even; the sign stays. */
export function nearest(x: number): number {
  const below = Math.floor(x);
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0);
  const integer = up ? below + 1 : below;
  return integer === 0 ? x * 0 : integer;
}

/** The integer towards zero, between the limits; 0 for NaN. */
export function saturated(x: number, low: bigint, high: bigint): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x <= Number(low)) return low;
  if (x >= Number(high)) return high;
  return BigInt(Math.trunc(x));
}

/**
 * The floating-point operations of the reference evaluator, on bits; `from` is the width of operand a. Rounding a
 * double-precision sum, difference, product, quotient or root of singles to single gives the correctly rounded single
 * (53 ≥ 2 · 24 + 2). Source: Figueroa, "When is double rounding innocuous?", 1995.
 */
export function evalFloat(op: Op, a: bigint, b: bigint, c: bigint, from: number): bigint {
  const width = op.type === "f32" || op.type === "i32" ? 32 : 64;
  const x = fromBits(a, from);
  const y = fromBits(b, from);
  const sign = 1n << BigInt(width - 1);
  switch (op.spec.name) {
    case "fadd":
      return toBits(x + y, width);
    case "fsub":
      return toBits(x - y, width);
    case "fmul":
      return toBits(x * y, width);
    case "fdiv":
      return toBits(x / y, width);
    case "fsqrt":
      return toBits(Math.sqrt(x), width);
    case "fabs":
      return a & ~sign;
    case "fneg":
      return a ^ sign;
    case "fcopysign":
      return (a & ~sign) | (b & sign);
    case "fmin":
      return toBits(Math.min(x, y), width);
    case "fmax":
      return toBits(Math.max(x, y), width);
    case "fmadd":
      return fusedMultiplyAdd(a, b, c, width);
    case "fceil":
      return toBits(Math.ceil(x), width);
    case "ffloor":
      return toBits(Math.floor(x), width);
    case "ftrunc":
      return toBits(Math.trunc(x), width);
    case "fnearest":
      return toBits(nearest(x), width);
    case "fbox":
      return (0xffff_ffffn << 32n) | a;
    case "funbox":
      return a & 0xffff_ffffn;
    case "feq":
      return x === y ? 1n : 0n;
    case "flt":
      return x < y ? 1n : 0n;
    case "fle":
      return x <= y ? 1n : 0n;
    case "promote":
    case "demote":
      return toBits(x, width);
    case "from_i32s":
      return toBits(rounded(BigInt.asIntN(32, a), width), width);
    case "from_i64s":
      return toBits(rounded(BigInt.asIntN(64, a), width), width);
    case "from_i32u":
    case "from_i64u":
      return toBits(rounded(a, width), width);
    case "to_i32s":
      return saturated(x, -(1n << 31n), (1n << 31n) - 1n);
    case "to_i32u":
      return saturated(x, 0n, (1n << 32n) - 1n);
    case "to_i64s":
      return saturated(x, -(1n << 63n), (1n << 63n) - 1n);
    case "to_i64u":
      return saturated(x, 0n, (1n << 64n) - 1n);
    default:
      throw new Error(`evaluate: ${op.spec.name}`);
  }
}
