// binary16: every operation in integers.

import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from "./arithmetic";
import { classify, equal, extremum, extremumOrNaN, less, lessEqual } from "./compare";
import { convert, roundToIntegral, toInteger32, toInteger64 } from "./convert";
import { operand } from "./format";
import { fromInteger } from "./round";
import { rounding } from "./status";

export function f16_add(status: usize, a: u64, b: u64): u64 {
  return add<u16>(status, operand<u16>(a), operand<u16>(b));
}

export function f16_sub(status: usize, a: u64, b: u64): u64 {
  return subtract<u16>(status, operand<u16>(a), operand<u16>(b));
}

export function f16_mul(status: usize, a: u64, b: u64): u64 {
  return multiply<u16>(status, operand<u16>(a), operand<u16>(b));
}

export function f16_div(status: usize, a: u64, b: u64): u64 {
  return divide<u16>(status, operand<u16>(a), operand<u16>(b));
}

export function f16_sqrt(status: usize, a: u64): u64 {
  return squareRoot<u16>(status, operand<u16>(a));
}

export function f16_mulAdd(status: usize, a: u64, b: u64, c: u64): u64 {
  return multiplyAdd<u16>(status, operand<u16>(a), operand<u16>(b), operand<u16>(c));
}

export function f16_to_f32(status: usize, a: u64): u64 {
  return convert<u16, u32>(status, operand<u16>(a));
}

export function f16_to_f64(status: usize, a: u64): u64 {
  return convert<u16, u64>(status, operand<u16>(a));
}

export function f16_min(status: usize, a: u64, b: u64): u64 {
  return extremum<u16>(status, operand<u16>(a), operand<u16>(b), false);
}

export function f16_max(status: usize, a: u64, b: u64): u64 {
  return extremum<u16>(status, operand<u16>(a), operand<u16>(b), true);
}

export function f16_minimum(status: usize, a: u64, b: u64): u64 {
  return extremumOrNaN<u16>(status, operand<u16>(a), operand<u16>(b), false);
}

export function f16_maximum(status: usize, a: u64, b: u64): u64 {
  return extremumOrNaN<u16>(status, operand<u16>(a), operand<u16>(b), true);
}

export function f16_eq(status: usize, a: u64, b: u64): i64 {
  return equal<u16>(status, operand<u16>(a), operand<u16>(b), false);
}

export function f16_eq_signaling(status: usize, a: u64, b: u64): i64 {
  return equal<u16>(status, operand<u16>(a), operand<u16>(b), true);
}

export function f16_lt(status: usize, a: u64, b: u64): i64 {
  return less<u16>(status, operand<u16>(a), operand<u16>(b), true);
}

export function f16_lt_quiet(status: usize, a: u64, b: u64): i64 {
  return less<u16>(status, operand<u16>(a), operand<u16>(b), false);
}

export function f16_le(status: usize, a: u64, b: u64): i64 {
  return lessEqual<u16>(status, operand<u16>(a), operand<u16>(b), true);
}

export function f16_le_quiet(status: usize, a: u64, b: u64): i64 {
  return lessEqual<u16>(status, operand<u16>(a), operand<u16>(b), false);
}

export function f16_classify(status: usize, a: u64): i64 {
  return classify<u16>(operand<u16>(a));
}

export function f16_roundToInt(status: usize, a: u64): u64 {
  return roundToIntegral<u16>(status, operand<u16>(a), true);
}

/** As roundToInt, without raising inexact (RISC-V Zfa fround). */
export function f16_roundToInt_quiet(status: usize, a: u64): u64 {
  return roundToIntegral<u16>(status, operand<u16>(a), false);
}

export function f16_to_i32(status: usize, a: u64): i64 {
  return toInteger32<u16>(status, operand<u16>(a), false, rounding(status));
}

export function f16_to_ui32(status: usize, a: u64): i64 {
  return toInteger32<u16>(status, operand<u16>(a), true, rounding(status));
}

export function f16_to_i64(status: usize, a: u64): i64 {
  return toInteger64<u16>(status, operand<u16>(a), false, rounding(status));
}

export function f16_to_ui64(status: usize, a: u64): i64 {
  return toInteger64<u16>(status, operand<u16>(a), true, rounding(status));
}

export function i32_to_f16(status: usize, a: i64): u64 {
  const value = <i64>(<i32>a);
  return fromInteger<u16>(status, <u64>(value < 0), <u64>abs<i64>(value));
}

export function ui32_to_f16(status: usize, a: i64): u64 {
  return fromInteger<u16>(status, 0, <u64>a & 0xffffffff);
}

export function i64_to_f16(status: usize, a: i64): u64 {
  return fromInteger<u16>(status, <u64>(a < 0), <u64>abs<i64>(a));
}

export function ui64_to_f16(status: usize, a: i64): u64 {
  return fromInteger<u16>(status, 0, <u64>a);
}
