// binary32. Where the host's own arithmetic provably gives the result and the flags, it is used; else integers.
// The doubtful cases are all below FAR (twice the least normal number), infinite or NaN.

import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from "./arithmetic";
import { classify, equal, extremum, extremumOrNaN, less, lessEqual } from "./compare";
import { convert, roundToIntegral, toInteger32, toInteger64 } from "./convert";
import { operand } from "./format";
import { fromInteger } from "./round";
import { NX, inexactSet, nearestEven, raise, rounding } from "./status";

// 2^-125: a result this large is not tiny. 2^127: sums of two numbers below it do not overflow in the exactness test.
const FAR: f32 = reinterpret<f32>(0x01000000);
const NEAR: f32 = reinterpret<f32>(0x7f000000);

@inline function number(a: u64): f32 {
  return reinterpret<f32>(<u32>a);
}

@inline function bits(x: f32): u64 {
  return <u64>reinterpret<u32>(x);
}

/** Whether x + y was rounded to r. Source: Knuth, The Art of Computer Programming 2, 4.2.2 theorem B. */
@inline function sumInexact(x: f32, y: f32, r: f32): bool {
  const t = r - x;
  return (x - (r - t)) + (y - t) != 0;
}

export function f32_add(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = number(b);
  const r = x + y;
  if (nearestEven(status) && abs<f32>(x) < NEAR && abs<f32>(r) < NEAR) {
    if (!inexactSet(status) && sumInexact(x, y, r)) raise(status, NX);
    return bits(r);
  }
  return add<u32>(status, operand<u32>(a), operand<u32>(b));
}

export function f32_sub(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = -number(b);
  const r = x + y;
  if (nearestEven(status) && abs<f32>(x) < NEAR && abs<f32>(r) < NEAR) {
    if (!inexactSet(status) && sumInexact(x, y, r)) raise(status, NX);
    return bits(r);
  }
  return subtract<u32>(status, operand<u32>(a), operand<u32>(b));
}

export function f32_mul(status: usize, a: u64, b: u64): u64 {
  const product = <f64>number(a) * <f64>number(b); // exact: 24 + 24 bits
  const r = <f32>product;
  const size = abs<f32>(r);
  if (nearestEven(status) && size < Infinity && (size >= FAR || product == 0)) {
    if (<f64>r != product) raise(status, NX);
    return bits(r);
  }
  return multiply<u32>(status, operand<u32>(a), operand<u32>(b));
}

export function f32_div(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = number(b);
  const r = x / y;
  const size = abs<f32>(r);
  if (nearestEven(status) && size < Infinity && size >= FAR) {
    if (<f64>r * <f64>y != <f64>x) raise(status, NX);
    return bits(r);
  }
  return divide<u32>(status, operand<u32>(a), operand<u32>(b));
}

export function f32_sqrt(status: usize, a: u64): u64 {
  const x = number(a);
  if (nearestEven(status) && x > 0 && x < Infinity) {
    const r = sqrt<f32>(x);
    if (<f64>r * <f64>r != <f64>x) raise(status, NX);
    return bits(r);
  }
  return squareRoot<u32>(status, operand<u32>(a));
}

/** The sum in double is rounded to odd, after which the second rounding is innocuous (53 >= 24 + 2). */
export function f32_mulAdd(status: usize, a: u64, b: u64, c: u64): u64 {
  const p = <f64>number(a) * <f64>number(b);
  const z = <f64>number(c);
  const s = p + z;
  if (nearestEven(status) && abs<f64>(s) < Infinity) {
    const t = s - p;
    const error = (p - (s - t)) + (z - t);
    let odd = s;
    if (error != 0 && (reinterpret<u64>(s) & 1) == 0) {
      odd = reinterpret<f64>(reinterpret<u64>(s) + (error > 0 == s > 0 ? 1 : -1));
    }
    const r = <f32>odd;
    const size = abs<f32>(r);
    if (size < Infinity && (size >= FAR || s == 0)) {
      if (error != 0 || <f64>r != s) raise(status, NX);
      return bits(r);
    }
  }
  return multiplyAdd<u32>(status, operand<u32>(a), operand<u32>(b), operand<u32>(c));
}

export function f32_to_f16(status: usize, a: u64): u64 {
  return convert<u32, u16>(status, operand<u32>(a));
}

export function f32_to_f64(status: usize, a: u64): u64 {
  const x = number(a);
  return x == x ? reinterpret<u64>(<f64>x) : convert<u32, u64>(status, operand<u32>(a));
}

export function f32_min(status: usize, a: u64, b: u64): u64 {
  return extremum<u32>(status, operand<u32>(a), operand<u32>(b), false);
}

export function f32_max(status: usize, a: u64, b: u64): u64 {
  return extremum<u32>(status, operand<u32>(a), operand<u32>(b), true);
}

export function f32_minimum(status: usize, a: u64, b: u64): u64 {
  return extremumOrNaN<u32>(status, operand<u32>(a), operand<u32>(b), false);
}

export function f32_maximum(status: usize, a: u64, b: u64): u64 {
  return extremumOrNaN<u32>(status, operand<u32>(a), operand<u32>(b), true);
}

export function f32_eq(status: usize, a: u64, b: u64): i64 {
  return number(a) == number(b) ? 1 : equal<u32>(status, operand<u32>(a), operand<u32>(b), false);
}

export function f32_eq_signaling(status: usize, a: u64, b: u64): i64 {
  return equal<u32>(status, operand<u32>(a), operand<u32>(b), true);
}

export function f32_lt(status: usize, a: u64, b: u64): i64 {
  if (number(a) < number(b)) return 1;
  if (number(a) >= number(b)) return 0;
  return less<u32>(status, operand<u32>(a), operand<u32>(b), true);
}

export function f32_lt_quiet(status: usize, a: u64, b: u64): i64 {
  return less<u32>(status, operand<u32>(a), operand<u32>(b), false);
}

export function f32_le(status: usize, a: u64, b: u64): i64 {
  if (number(a) <= number(b)) return 1;
  if (number(a) > number(b)) return 0;
  return lessEqual<u32>(status, operand<u32>(a), operand<u32>(b), true);
}

export function f32_le_quiet(status: usize, a: u64, b: u64): i64 {
  return lessEqual<u32>(status, operand<u32>(a), operand<u32>(b), false);
}

export function f32_classify(status: usize, a: u64): i64 {
  return classify<u32>(operand<u32>(a));
}

export function f32_roundToInt(status: usize, a: u64): u64 {
  return roundToIntegral<u32>(status, operand<u32>(a), true);
}

/** As roundToInt, without raising inexact (RISC-V Zfa fround). */
export function f32_roundToInt_quiet(status: usize, a: u64): u64 {
  return roundToIntegral<u32>(status, operand<u32>(a), false);
}

export function f32_to_i32(status: usize, a: u64): i64 {
  return toInteger32<u32>(status, operand<u32>(a), false, rounding(status));
}

export function f32_to_ui32(status: usize, a: u64): i64 {
  return toInteger32<u32>(status, operand<u32>(a), true, rounding(status));
}

export function f32_to_i64(status: usize, a: u64): i64 {
  return toInteger64<u32>(status, operand<u32>(a), false, rounding(status));
}

export function f32_to_ui64(status: usize, a: u64): i64 {
  return toInteger64<u32>(status, operand<u32>(a), true, rounding(status));
}

export function i32_to_f32(status: usize, a: i64): u64 {
  const value = <i64>(<i32>a);
  return fromInteger<u32>(status, <u64>(value < 0), <u64>abs<i64>(value));
}

export function ui32_to_f32(status: usize, a: i64): u64 {
  return fromInteger<u32>(status, 0, <u64>a & 0xffffffff);
}

export function i64_to_f32(status: usize, a: i64): u64 {
  return fromInteger<u32>(status, <u64>(a < 0), <u64>abs<i64>(a));
}

export function ui64_to_f32(status: usize, a: i64): u64 {
  return fromInteger<u32>(status, 0, <u64>a);
}
