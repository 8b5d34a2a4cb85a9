// binary64. Where the host's own arithmetic provably gives the result and the flags, it is used; else integers.

import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from "./arithmetic";
import { classify, equal, extremum, extremumOrNaN, less, lessEqual } from "./compare";
import { convert, roundToIntegral, toInteger32, toInteger32Modular, toInteger64 } from "./convert";
import { exponentOf, fractionOf, operand } from "./format";
import { fromInteger } from "./round";
import { NX, inexactSet, nearestEven, raise, rounding } from "./status";

// 2^-1021: a result this large is not tiny. 2^1023: sums of two numbers below it do not overflow in the exactness test.
const FAR: f64 = reinterpret<f64>(0x0020000000000000);
const NEAR: f64 = reinterpret<f64>(0x7fe0000000000000);
const FAR32: f64 = reinterpret<f64>(0x3820000000000000); // 2^-125
const HIDDEN: u64 = 1 << 52;
const SIGN: u64 = 1 << 63;
const BELOW: f64 = reinterpret<f64>(0x3feffffffffffffc); // 1 - 2^-51
const ABOVE: f64 = reinterpret<f64>(0x3ff0000000000002); // 1 + 2^-51

@inline function number(a: u64): f64 {
  return reinterpret<f64>(a);
}

@inline function bits(x: f64): u64 {
  return reinterpret<u64>(x);
}

/** Whether x + y was rounded to r. Source: Knuth, The Art of Computer Programming 2, 4.2.2 theorem B. */
@inline function sumInexact(x: f64, y: f64, r: f64): bool {
  const t = r - x;
  return (x - (r - t)) + (y - t) != 0;
}

/**
 * Whether the product of two normal numbers, whose exponent after rounding is that of p, needs more than 53 bits. The
 * trailing zeros of a product are those of its factors together; it has 105 or 106 bits.
 */
@inline function productInexact(a: u64, b: u64, p: u64): bool {
  const longer = exponentOf<u64>(p) - exponentOf<u64>(a) - exponentOf<u64>(b) + 1023;
  return <i32>ctz<u64>(a | HIDDEN) + <i32>ctz<u64>(b | HIDDEN) < 52 + longer;
}

export function f64_add(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = number(b);
  const r = x + y;
  if (nearestEven(status) && abs<f64>(x) < NEAR && abs<f64>(r) < NEAR) {
    if (!inexactSet(status) && sumInexact(x, y, r)) raise(status, NX);
    return bits(r);
  }
  return add<u64>(status, a, b);
}

export function f64_sub(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = -number(b);
  const r = x + y;
  if (nearestEven(status) && abs<f64>(x) < NEAR && abs<f64>(r) < NEAR) {
    if (!inexactSet(status) && sumInexact(x, y, r)) raise(status, NX);
    return bits(r);
  }
  return subtract<u64>(status, a, b);
}

export function f64_mul(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = number(b);
  const r = x * y;
  const size = abs<f64>(r);
  if (nearestEven(status) && size < Infinity) {
    if (size >= FAR) {
      if (inexactSet(status)) return bits(r);
      if (exponentOf<u64>(a) != 0 && exponentOf<u64>(b) != 0) {
        if (productInexact(a, b, bits(r))) raise(status, NX);
        return bits(r);
      }
    } else if (x == 0 || y == 0) return bits(r);
  }
  return multiply<u64>(status, a, b);
}

export function f64_div(status: usize, a: u64, b: u64): u64 {
  const x = number(a);
  const y = number(b);
  const r = x / y;
  const size = abs<f64>(r);
  if (nearestEven(status) && size < Infinity && size >= FAR) {
    if (inexactSet(status)) return bits(r);
    if (exponentOf<u64>(a) != 0 && exponentOf<u64>(b) != 0) {
      if (r * y != x || productInexact(bits(r), b, a)) raise(status, NX);
      return bits(r);
    }
  }
  return divide<u64>(status, a, b);
}

export function f64_sqrt(status: usize, a: u64): u64 {
  const x = number(a);
  if (nearestEven(status) && x >= FAR && x < Infinity) {
    const r = sqrt<f64>(x);
    if (!inexactSet(status) && (r * r != x || productInexact(bits(r), bits(r), a))) raise(status, NX);
    return bits(r);
  }
  return squareRoot<u64>(status, a);
}

export function f64_mulAdd(status: usize, a: u64, b: u64, c: u64): u64 {
  const x = number(a);
  const z = number(c);
  const p = x * number(b);
  const s = p + z;
  const expA = exponentOf<u64>(a);
  const expB = exponentOf<u64>(b);
  const scale = expA + expB - 1127;
  if (
    nearestEven(status) &&
    abs<f64>(p) < NEAR &&
    <u32>(expA - 1) < 0x7fe &&
    <u32>(expB - 1) < 0x7fe &&
    scale > 0
  ) {
    // What rounding took from the product: the low words of the exact and the rounded significands differ by it.
    const exact = (fractionOf<u64>(a) | HIDDEN) * (fractionOf<u64>(b) | HIDDEN);
    const rounded = (fractionOf<u64>(bits(p)) | HIDDEN) << (exponentOf<u64>(bits(p)) - expA - expB + 1075);
    const e = <f64>(<i64>(exact - rounded)) * number((<u64>scale << 52) | ((a ^ b) & SIGN));
    // a * b + c = s + t + e exactly, and w is t + e but for a relative error of 2^-53.
    const q = s - p;
    const t = (p - (s - q)) + (z - q);
    const w = t + e;
    const r = s + w;
    // Rounding is monotonic: when both ends of the interval round alike, so does what lies between.
    if (abs<f64>(r) < NEAR && abs<f64>(r) >= FAR && s + w * BELOW == s + w * ABOVE) {
      if (inexactSet(status)) return bits(r);
      if (!sumInexact(t, e, w)) {
        if (sumInexact(s, w, r)) raise(status, NX);
        return bits(r);
      }
    }
  }
  return multiplyAdd<u64>(status, a, b, c);
}

export function f64_to_f16(status: usize, a: u64): u64 {
  return convert<u64, u16>(status, a);
}

export function f64_to_f32(status: usize, a: u64): u64 {
  const x = number(a);
  const r = <f32>x;
  const size = abs<f32>(r);
  if (nearestEven(status) && size < Infinity && (<f64>size >= FAR32 || x == 0)) {
    if (<f64>r != x) raise(status, NX);
    return <u64>reinterpret<u32>(r);
  }
  return convert<u64, u32>(status, a);
}

/** RISC-V Zfa fcvtmod.w.d. */
export function f64_to_i32_modular(status: usize, a: u64): i64 {
  return toInteger32Modular(status, a);
}

export function f64_min(status: usize, a: u64, b: u64): u64 {
  return extremum<u64>(status, operand<u64>(a), operand<u64>(b), false);
}

export function f64_max(status: usize, a: u64, b: u64): u64 {
  return extremum<u64>(status, operand<u64>(a), operand<u64>(b), true);
}

export function f64_minimum(status: usize, a: u64, b: u64): u64 {
  return extremumOrNaN<u64>(status, operand<u64>(a), operand<u64>(b), false);
}

export function f64_maximum(status: usize, a: u64, b: u64): u64 {
  return extremumOrNaN<u64>(status, operand<u64>(a), operand<u64>(b), true);
}

export function f64_eq(status: usize, a: u64, b: u64): i64 {
  return number(a) == number(b) ? 1 : equal<u64>(status, operand<u64>(a), operand<u64>(b), false);
}

export function f64_eq_signaling(status: usize, a: u64, b: u64): i64 {
  return equal<u64>(status, operand<u64>(a), operand<u64>(b), true);
}

export function f64_lt(status: usize, a: u64, b: u64): i64 {
  if (number(a) < number(b)) return 1;
  if (number(a) >= number(b)) return 0;
  return less<u64>(status, operand<u64>(a), operand<u64>(b), true);
}

export function f64_lt_quiet(status: usize, a: u64, b: u64): i64 {
  return less<u64>(status, operand<u64>(a), operand<u64>(b), false);
}

export function f64_le(status: usize, a: u64, b: u64): i64 {
  if (number(a) <= number(b)) return 1;
  if (number(a) > number(b)) return 0;
  return lessEqual<u64>(status, operand<u64>(a), operand<u64>(b), true);
}

export function f64_le_quiet(status: usize, a: u64, b: u64): i64 {
  return lessEqual<u64>(status, operand<u64>(a), operand<u64>(b), false);
}

export function f64_classify(status: usize, a: u64): i64 {
  return classify<u64>(operand<u64>(a));
}

export function f64_roundToInt(status: usize, a: u64): u64 {
  return roundToIntegral<u64>(status, operand<u64>(a), true);
}

/** As roundToInt, without raising inexact (RISC-V Zfa fround). */
export function f64_roundToInt_quiet(status: usize, a: u64): u64 {
  return roundToIntegral<u64>(status, operand<u64>(a), false);
}

export function f64_to_i32(status: usize, a: u64): i64 {
  return toInteger32<u64>(status, operand<u64>(a), false, rounding(status));
}

export function f64_to_ui32(status: usize, a: u64): i64 {
  return toInteger32<u64>(status, operand<u64>(a), true, rounding(status));
}

export function f64_to_i64(status: usize, a: u64): i64 {
  return toInteger64<u64>(status, operand<u64>(a), false, rounding(status));
}

export function f64_to_ui64(status: usize, a: u64): i64 {
  return toInteger64<u64>(status, operand<u64>(a), true, rounding(status));
}

export function i32_to_f64(status: usize, a: i64): u64 {
  const value = <i64>(<i32>a);
  return fromInteger<u64>(status, <u64>(value < 0), <u64>abs<i64>(value));
}

export function ui32_to_f64(status: usize, a: i64): u64 {
  return fromInteger<u64>(status, 0, <u64>a & 0xffffffff);
}

export function i64_to_f64(status: usize, a: i64): u64 {
  return fromInteger<u64>(status, <u64>(a < 0), <u64>abs<i64>(a));
}

export function ui64_to_f64(status: usize, a: i64): u64 {
  return fromInteger<u64>(status, 0, <u64>a);
}
