// add, subtract, multiply, divide, square root and fused multiply-add in integers, for every rounding direction.
// Source: IEEE 754-2019, 5.4.1 "Arithmetic operations", 6.1 "Infinity arithmetic", 6.3 "The sign bit".

import {
  bias,
  encodedSignificand,
  exponentMax,
  exponentOf,
  fractionBits,
  fractionOf,
  hidden,
  infinity,
  isInfinite,
  isNaN,
  isZero,
  normalExponent,
  normalSignificand,
  signOf,
  signed,
} from "./format";
import { invalid, propagate, propagate2, propagate3 } from "./nan";
import { roundPack } from "./round";
import { DZ, RDN, raise, rounding } from "./status";
import { divide as divideWide, low, multiply as multiplyWide, shiftRightJam } from "./wide";

/** Sum of two finite numbers given unpacked, exponents as encoded or normalized; both significands below 2^63. */
@inline
function sum<T>(status: usize, signA: u64, expA: i32, sigA: u64, signB: u64, expB: i32, sigB: u64): u64 {
  const distance = expA - expB;
  let exponent = expA;
  if (distance > 0) sigB = shiftRightJam(sigB, distance);
  else if (distance < 0) {
    sigA = shiftRightJam(sigA, -distance);
    exponent = expB;
  }
  if (signA == signB) {
    let total = sigA + sigB;
    if (<i64>total < 0) {
      total = shiftRightJam(total, 1);
      exponent += 1;
    }
    return total == 0 ? signed<T>(signA, 0) : roundPack<T>(status, signA, exponent, total);
  }
  if (sigA == sigB) return signed<T>(<u64>(rounding(status) == RDN), 0);
  let sign = signA;
  let total = sigA - sigB;
  if (sigA < sigB) {
    sign = signB;
    total = sigB - sigA;
  }
  const shift = <i32>clz<u64>(total) - 1;
  return roundPack<T>(status, sign, exponent - shift, total << shift);
}

export function add<T>(status: usize, a: u64, b: u64): u64 {
  const fieldA = exponentOf<T>(a);
  const fieldB = exponentOf<T>(b);
  if (fieldA == exponentMax<T>() || fieldB == exponentMax<T>()) {
    if (isNaN<T>(a) || isNaN<T>(b)) return propagate2<T>(status, a, b);
    if (fieldA == fieldB && a != b) return invalid<T>(status);
    return fieldA == exponentMax<T>() ? a : b;
  }
  return sum<T>(
    status,
    signOf<T>(a),
    max<i32>(fieldA, 1),
    encodedSignificand<T>(fieldA, fractionOf<T>(a)),
    signOf<T>(b),
    max<i32>(fieldB, 1),
    encodedSignificand<T>(fieldB, fractionOf<T>(b)),
  );
}

/** a - b; apart from add because a NaN keeps its sign. */
export function subtract<T>(status: usize, a: u64, b: u64): u64 {
  if (isNaN<T>(b)) return propagate2<T>(status, a, b);
  return add<T>(status, a, b ^ signed<T>(1, 0));
}

export function multiply<T>(status: usize, a: u64, b: u64): u64 {
  const fieldA = exponentOf<T>(a);
  const fieldB = exponentOf<T>(b);
  const sign = signOf<T>(a) ^ signOf<T>(b);
  if (fieldA == exponentMax<T>() || fieldB == exponentMax<T>()) {
    if (isNaN<T>(a) || isNaN<T>(b)) return propagate2<T>(status, a, b);
    if (isZero<T>(a) || isZero<T>(b)) return invalid<T>(status);
    return signed<T>(sign, infinity<T>());
  }
  if (isZero<T>(a) || isZero<T>(b)) return signed<T>(sign, 0);
  let exponent = normalExponent<T>(fieldA, fractionOf<T>(a)) + normalExponent<T>(fieldB, fractionOf<T>(b)) - bias<T>();
  const sigA = normalSignificand<T>(fieldA, fractionOf<T>(a)) << 1;
  const sigB = normalSignificand<T>(fieldB, fractionOf<T>(b)) << 1;
  let product: u64;
  if (sizeof<T>() == 8) {
    product = multiplyWide(sigA, sigB);
    product |= <u64>(low != 0);
  } else {
    product = (sigA >> 32) * (sigB >> 32);
  }
  if (<i64>product < 0) {
    product = shiftRightJam(product, 1);
    exponent += 1;
  }
  return roundPack<T>(status, sign, exponent, product);
}

export function divide<T>(status: usize, a: u64, b: u64): u64 {
  const fieldA = exponentOf<T>(a);
  const fieldB = exponentOf<T>(b);
  const sign = signOf<T>(a) ^ signOf<T>(b);
  if (fieldA == exponentMax<T>() || fieldB == exponentMax<T>()) {
    if (isNaN<T>(a) || isNaN<T>(b)) return propagate2<T>(status, a, b);
    if (fieldA == fieldB) return invalid<T>(status);
    return signed<T>(sign, fieldA == exponentMax<T>() ? infinity<T>() : 0);
  }
  if (isZero<T>(b)) {
    if (isZero<T>(a)) return invalid<T>(status);
    raise(status, DZ);
    return signed<T>(sign, infinity<T>());
  }
  if (isZero<T>(a)) return signed<T>(sign, 0);
  let exponent = normalExponent<T>(fieldA, fractionOf<T>(a)) - normalExponent<T>(fieldB, fractionOf<T>(b)) + bias<T>();
  let sigA = normalSignificand<T>(fieldA, fractionOf<T>(a));
  const sigB = normalSignificand<T>(fieldB, fractionOf<T>(b));
  if (sigA < sigB) {
    sigA <<= 1;
    exponent -= 1;
  }
  let quotient: u64;
  if (sizeof<T>() == 8) {
    quotient = divideWide(sigA >> 1, sigA << 63, sigB << 1);
    quotient |= <u64>(low != 0);
  } else {
    // 62 - 23 zero bits below either significand: 31 quotient bits suffice for f32 and f16.
    const divisor = sigB >> 32;
    const digits = sigA / divisor;
    quotient = (digits << 30) | <u64>(digits * divisor != sigA);
  }
  return roundPack<T>(status, sign, exponent, quotient);
}

export function squareRoot<T>(status: usize, a: u64): u64 {
  if (isNaN<T>(a)) return propagate<T>(status, a);
  if (isZero<T>(a)) return a;
  if (signOf<T>(a) != 0) return invalid<T>(status);
  if (isInfinite<T>(a)) return a;
  const field = exponentOf<T>(a);
  const exponent = normalExponent<T>(field, fractionOf<T>(a)) - bias<T>();
  let digits = normalSignificand<T>(field, fractionOf<T>(a)) << (exponent & 1);
  // One root bit for every two bits of the radicand, restoring.
  const bits = fractionBits<T>() + 3;
  let root: u64 = 0;
  let rest: u64 = 0;
  for (let i = 0; i < bits; i++) {
    rest = (rest << 2) | (digits >> 62);
    digits <<= 2;
    const trial = (root << 2) | 1;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1;
    }
  }
  return roundPack<T>(status, 0, (exponent >> 1) + bias<T>(), (root << (63 - bits)) | <u64>((rest | digits) != 0));
}

/** a * b + c with one rounding. */
export function multiplyAdd<T>(status: usize, a: u64, b: u64, c: u64): u64 {
  const fieldA = exponentOf<T>(a);
  const fieldB = exponentOf<T>(b);
  const fieldC = exponentOf<T>(c);
  const sign = signOf<T>(a) ^ signOf<T>(b);
  const signC = signOf<T>(c);
  if (fieldA == exponentMax<T>() || fieldB == exponentMax<T>() || fieldC == exponentMax<T>()) {
    const infinityTimesZero = (isInfinite<T>(a) && isZero<T>(b)) || (isZero<T>(a) && isInfinite<T>(b));
    if (isNaN<T>(a) || isNaN<T>(b) || isNaN<T>(c)) return propagate3<T>(status, a, b, c, infinityTimesZero);
    if (infinityTimesZero) return invalid<T>(status);
    if (fieldA != exponentMax<T>() && fieldB != exponentMax<T>()) return c;
    if (fieldC == exponentMax<T>() && sign != signC) return invalid<T>(status);
    return signed<T>(sign, infinity<T>());
  }
  if (isZero<T>(a) || isZero<T>(b)) {
    if (!isZero<T>(c)) return c;
    return sign == signC ? c : signed<T>(<u64>(rounding(status) == RDN), 0);
  }
  const exponent = normalExponent<T>(fieldA, fractionOf<T>(a)) + normalExponent<T>(fieldB, fractionOf<T>(b)) - bias<T>();
  const sigA = normalSignificand<T>(fieldA, fractionOf<T>(a));
  const sigB = normalSignificand<T>(fieldB, fractionOf<T>(b));
  const expC = normalExponent<T>(fieldC, fractionOf<T>(c));
  const sigC = normalSignificand<T>(fieldC, fractionOf<T>(c));
  if (sizeof<T>() == 8) {
    if (isZero<T>(c)) return multiply<T>(status, a, b);
    return sumWide<T>(status, sign, exponent, multiplyWide(sigA << 1, sigB << 1), low, signC, expC, sigC);
  }
  let expP = exponent;
  let product = (sigA >> 31) * (sigB >> 31);
  if (<i64>product < 0) {
    product >>= 1; // 2 * 24 bits from the top: the lowest is zero
    expP += 1;
  }
  if (isZero<T>(c)) return roundPack<T>(status, sign, expP, product);
  return sum<T>(status, sign, expP, product, signC, expC, sigC);
}

/** (high:middle) with its exponent plus a one-word number. */
function sumWide<T>(status: usize, sign: u64, exponent: i32, high: u64, middle: u64, signC: u64, expC: i32, sigC: u64): u64 {
  if (<i64>high < 0) {
    middle = (middle >> 1) | (high << 63); // the lowest bits of the product are zero
    high >>= 1;
    exponent += 1;
  }
  let lowC: u64 = 0;
  const distance = exponent - expC;
  if (distance > 0) {
    if (distance < 64) {
      lowC = sigC << (64 - distance);
      sigC >>= distance;
    } else {
      lowC = shiftRightJam(sigC, distance - 64);
      sigC = 0;
    }
  } else if (distance < 0) {
    exponent = expC;
    const n = -distance;
    if (n < 64) {
      middle = (middle >> n) | (high << (64 - n)) | <u64>(middle << (64 - n) != 0);
      high >>= n;
    } else {
      middle = shiftRightJam(high, n - 64) | <u64>(middle != 0);
      high = 0;
    }
  }
  if (sign == signC) {
    middle += lowC;
    high += sigC + <u64>(middle < lowC);
    if (<i64>high < 0) {
      high = shiftRightJam(high, 1);
      exponent += 1;
    }
    return roundPack<T>(status, sign, exponent, high | <u64>(middle != 0));
  }
  if (high < sigC || (high == sigC && middle < lowC)) {
    sign = signC;
    high = sigC - high - <u64>(lowC < middle);
    middle = lowC - middle;
  } else {
    high = high - sigC - <u64>(middle < lowC);
    middle -= lowC;
  }
  if (high == 0) {
    if (middle == 0) return signed<T>(<u64>(rounding(status) == RDN), 0);
    high = middle;
    middle = 0;
    exponent -= 64;
    if (<i64>high < 0) {
      high = shiftRightJam(high, 1);
      exponent += 1;
    }
  }
  const shift = <i32>clz<u64>(high) - 1;
  if (shift > 0) {
    high = (high << shift) | (middle >> (64 - shift));
    middle <<= shift;
    exponent -= shift;
  }
  return roundPack<T>(status, sign, exponent, high | <u64>(middle != 0));
}
