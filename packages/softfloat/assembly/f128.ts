// binary128. Operands are pairs of words, low first; a result of 128 bits is stored, little-endian, at `out`.

import { operand } from "./format";
import { add, divide, multiply, multiplyAdd, squareRoot } from "./quad/arithmetic";
import { narrow, roundToIntegral, toInteger, widen } from "./quad/convert";
import { INFINITY, MAGNITUDE, QUIET, SIGN, exponentOf, isNaN, isSignaling } from "./quad/format";
import { propagate2, put, roundInteger, unordered } from "./quad/round";
import { NV, raise } from "./status";

/** -1, 0 or 1 as a is less than, equal to or greater than b; -0 and +0 are equal unless `zeros`. */
function order(aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, zeros: bool): i32 {
  if (!zeros && (((aHigh | bHigh) & MAGNITUDE) | aLow | bLow) == 0) return 0;
  if (<i64>(aHigh ^ bHigh) < 0) return <i64>aHigh < 0 ? -1 : 1;
  if (aHigh == bHigh && aLow == bLow) return 0;
  const below = aHigh < bHigh || (aHigh == bHigh && aLow < bLow);
  return below == <i64>aHigh >= 0 ? -1 : 1;
}

function extremum(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64, sign: i32, nanWins: bool): void {
  const nanA = isNaN(aHigh, aLow);
  const nanB = isNaN(bHigh, bLow);
  if ((nanA && nanB) || (nanWins && (nanA || nanB))) {
    propagate2(status, out, aHigh, aLow, bHigh, bLow);
    return;
  }
  if (isSignaling(aHigh, aLow) || isSignaling(bHigh, bLow)) raise(status, NV);
  if (nanB || (!nanA && order(aLow, aHigh, bLow, bHigh, true) == sign)) put(out, aHigh, aLow);
  else put(out, bHigh, bLow);
}

export function f128_add(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  add(status, out, aHigh, aLow, bHigh, bLow);
}

export function f128_sub(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  if (isNaN(bHigh, bLow)) propagate2(status, out, aHigh, aLow, bHigh, bLow);
  else add(status, out, aHigh, aLow, bHigh ^ SIGN, bLow);
}

export function f128_mul(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  multiply(status, out, aHigh, aLow, bHigh, bLow);
}

export function f128_div(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  divide(status, out, aHigh, aLow, bHigh, bLow);
}

export function f128_sqrt(status: usize, out: usize, aLow: u64, aHigh: u64): void {
  squareRoot(status, out, aHigh, aLow);
}

export function f128_mulAdd(
  status: usize,
  out: usize,
  aLow: u64,
  aHigh: u64,
  bLow: u64,
  bHigh: u64,
  cLow: u64,
  cHigh: u64,
): void {
  multiplyAdd(status, out, aHigh, aLow, bHigh, bLow, cHigh, cLow);
}

export function f128_min(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  extremum(status, out, aLow, aHigh, bLow, bHigh, -1, false);
}

export function f128_max(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  extremum(status, out, aLow, aHigh, bLow, bHigh, 1, false);
}

export function f128_minimum(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  extremum(status, out, aLow, aHigh, bLow, bHigh, -1, true);
}

export function f128_maximum(status: usize, out: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): void {
  extremum(status, out, aLow, aHigh, bLow, bHigh, 1, true);
}

export function f128_eq(status: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): i64 {
  if (unordered(status, aHigh, aLow, bHigh, bLow, false)) return 0;
  return <i64>(order(aLow, aHigh, bLow, bHigh, false) == 0);
}

export function f128_eq_signaling(status: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): i64 {
  if (unordered(status, aHigh, aLow, bHigh, bLow, true)) return 0;
  return <i64>(order(aLow, aHigh, bLow, bHigh, false) == 0);
}

export function f128_lt(status: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): i64 {
  if (unordered(status, aHigh, aLow, bHigh, bLow, true)) return 0;
  return <i64>(order(aLow, aHigh, bLow, bHigh, false) < 0);
}

export function f128_lt_quiet(status: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): i64 {
  if (unordered(status, aHigh, aLow, bHigh, bLow, false)) return 0;
  return <i64>(order(aLow, aHigh, bLow, bHigh, false) < 0);
}

export function f128_le(status: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): i64 {
  if (unordered(status, aHigh, aLow, bHigh, bLow, true)) return 0;
  return <i64>(order(aLow, aHigh, bLow, bHigh, false) <= 0);
}

export function f128_le_quiet(status: usize, aLow: u64, aHigh: u64, bLow: u64, bHigh: u64): i64 {
  if (unordered(status, aHigh, aLow, bHigh, bLow, false)) return 0;
  return <i64>(order(aLow, aHigh, bLow, bHigh, false) <= 0);
}

export function f128_classify(status: usize, aLow: u64, aHigh: u64): i64 {
  if (isNaN(aHigh, aLow)) return (aHigh & QUIET) != 0 ? 0x200 : 0x100;
  const size = aHigh & MAGNITUDE;
  let distance = 0;
  if (size == INFINITY) distance = 3;
  else if (exponentOf(aHigh) != 0) distance = 2;
  else if ((size | aLow) != 0) distance = 1;
  return <i64>1 << (aHigh >> 63 != 0 ? 3 - distance : 4 + distance);
}

export function f128_roundToInt(status: usize, out: usize, aLow: u64, aHigh: u64): void {
  roundToIntegral(status, out, aHigh, aLow, true);
}

/** As roundToInt, without raising inexact (RISC-V Zfa fround). */
export function f128_roundToInt_quiet(status: usize, out: usize, aLow: u64, aHigh: u64): void {
  roundToIntegral(status, out, aHigh, aLow, false);
}

export function f128_to_i32(status: usize, aLow: u64, aHigh: u64): i64 {
  return toInteger(status, aHigh, aLow, 32, false);
}

export function f128_to_ui32(status: usize, aLow: u64, aHigh: u64): i64 {
  return toInteger(status, aHigh, aLow, 32, true);
}

export function f128_to_i64(status: usize, aLow: u64, aHigh: u64): i64 {
  return toInteger(status, aHigh, aLow, 64, false);
}

export function f128_to_ui64(status: usize, aLow: u64, aHigh: u64): i64 {
  return toInteger(status, aHigh, aLow, 64, true);
}

export function f128_to_f16(status: usize, aLow: u64, aHigh: u64): u64 {
  return narrow<u16>(status, aHigh, aLow);
}

export function f16_to_f128(status: usize, out: usize, a: u64): void {
  widen<u16>(status, out, operand<u16>(a));
}

export function f128_to_f32(status: usize, aLow: u64, aHigh: u64): u64 {
  return narrow<u32>(status, aHigh, aLow);
}

export function f32_to_f128(status: usize, out: usize, a: u64): void {
  widen<u32>(status, out, operand<u32>(a));
}

export function f128_to_f64(status: usize, aLow: u64, aHigh: u64): u64 {
  return narrow<u64>(status, aHigh, aLow);
}

export function f64_to_f128(status: usize, out: usize, a: u64): void {
  widen<u64>(status, out, operand<u64>(a));
}

export function i32_to_f128(status: usize, out: usize, a: i64): void {
  const value = <i64>(<i32>a);
  roundInteger(status, out, <u64>(value < 0), <u64>abs<i64>(value));
}

export function ui32_to_f128(status: usize, out: usize, a: i64): void {
  roundInteger(status, out, 0, <u64>a & 0xffffffff);
}

export function i64_to_f128(status: usize, out: usize, a: i64): void {
  roundInteger(status, out, <u64>(a < 0), <u64>abs<i64>(a));
}

export function ui64_to_f128(status: usize, out: usize, a: i64): void {
  roundInteger(status, out, 0, <u64>a);
}
