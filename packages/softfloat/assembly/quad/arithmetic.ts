// Arithmetic on binary128; the twin of ../arithmetic.ts for two words. Quotients and roots are found bit by bit.
// Source: IEEE 754-2019, 5.4.1, 6.1, 6.3.

import { DZ, RDN, raise, rounding } from "../status";
import { low as productLow, multiply as multiplyWords } from "../wide";
import {
  BIAS,
  EXPONENT_MAX,
  INFINITY,
  SIGN,
  exponentOf,
  isInfinite,
  isNaN,
  isZero,
  leadingZeros,
  resultHigh,
  resultLow,
  shiftLeft,
  shiftRightJam,
  unpack,
  unpackEncoded,
} from "./format";
import { invalid, propagate, propagate2, propagate3, put, roundPack } from "./round";

@inline function putZero(status: usize, out: usize): void {
  put(out, rounding(status) == RDN ? SIGN : 0, 0);
}

export function add(status: usize, out: usize, aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  const fieldA = exponentOf(aHigh);
  const fieldB = exponentOf(bHigh);
  let signA = aHigh >> 63;
  const signB = bHigh >> 63;
  if (fieldA == EXPONENT_MAX || fieldB == EXPONENT_MAX) {
    if (isNaN(aHigh, aLow) || isNaN(bHigh, bLow)) propagate2(status, out, aHigh, aLow, bHigh, bLow);
    else if (fieldA == fieldB && signA != signB) invalid(status, out);
    else if (fieldA == EXPONENT_MAX) put(out, aHigh, aLow);
    else put(out, bHigh, bLow);
    return;
  }
  let exponent = max<i32>(max<i32>(fieldA, fieldB), 1);
  unpackEncoded(aHigh, aLow);
  shiftRightJam(resultHigh, resultLow, exponent - max<i32>(fieldA, 1));
  let high = resultHigh;
  let low = resultLow;
  unpackEncoded(bHigh, bLow);
  shiftRightJam(resultHigh, resultLow, exponent - max<i32>(fieldB, 1));
  if (signA == signB) {
    low += resultLow;
    high += resultHigh + <u64>(low < resultLow);
    if (<i64>high < 0) {
      shiftRightJam(high, low, 1);
      high = resultHigh;
      low = resultLow;
      exponent += 1;
    }
    if ((high | low) == 0) put(out, signA << 63, 0);
    else roundPack(status, out, signA, exponent, high, low);
    return;
  }
  if (high == resultHigh && low == resultLow) {
    putZero(status, out);
    return;
  }
  if (high < resultHigh || (high == resultHigh && low < resultLow)) {
    signA = signB;
    high = resultHigh - high - <u64>(resultLow < low);
    low = resultLow - low;
  } else {
    high = high - resultHigh - <u64>(low < resultLow);
    low -= resultLow;
  }
  const shift = leadingZeros(high, low) - 1;
  shiftLeft(high, low, shift);
  roundPack(status, out, signA, exponent - shift, resultHigh, resultLow);
}

// The four words of a product, most significant first, and of what is added to it.
let p3: u64 = 0;
let p2: u64 = 0;
let p1: u64 = 0;
let p0: u64 = 0;

/** Leaves the 256-bit product in p3..p0. */
function product(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  p1 = multiplyWords(aLow, bLow);
  p0 = productLow;
  p3 = multiplyWords(aHigh, bHigh);
  p2 = productLow;
  accumulate(multiplyWords(aHigh, bLow), productLow);
  accumulate(multiplyWords(aLow, bHigh), productLow);
}

@inline function accumulate(high: u64, low: u64): void {
  p1 += low;
  const carry = <u64>(p1 < low);
  p2 += carry;
  p3 += <u64>(p2 < carry);
  p2 += high;
  p3 += <u64>(p2 < high);
}

/** Shifts p3..p0 right, keeping a sticky lowest bit. */
function shiftProduct(n: i32): void {
  let sticky: u64 = 0;
  for (; n >= 64 && (p3 | p2 | p1 | p0) != 0; n -= 64) {
    sticky |= p0;
    p0 = p1;
    p1 = p2;
    p2 = p3;
    p3 = 0;
  }
  n &= 63;
  if (n != 0) {
    sticky |= p0 << (64 - n);
    p0 = (p0 >> n) | (p1 << (64 - n));
    p1 = (p1 >> n) | (p2 << (64 - n));
    p2 = (p2 >> n) | (p3 << (64 - n));
    p3 >>= n;
  }
  p0 |= <u64>(sticky != 0);
}

export function multiply(status: usize, out: usize, aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  const fieldA = exponentOf(aHigh);
  const fieldB = exponentOf(bHigh);
  const sign = (aHigh ^ bHigh) >> 63;
  if (fieldA == EXPONENT_MAX || fieldB == EXPONENT_MAX) {
    if (isNaN(aHigh, aLow) || isNaN(bHigh, bLow)) propagate2(status, out, aHigh, aLow, bHigh, bLow);
    else if (isZero(aHigh, aLow) || isZero(bHigh, bLow)) invalid(status, out);
    else put(out, (sign << 63) | INFINITY, 0);
    return;
  }
  if (isZero(aHigh, aLow) || isZero(bHigh, bLow)) {
    put(out, sign << 63, 0);
    return;
  }
  const exponent = multiplyUnpacked(aHigh, aLow, bHigh, bLow);
  roundPack(status, out, sign, exponent, p3, p2 | <u64>((p1 | p0) != 0));
}

/** Leaves the exact product in p3..p0 with bit 62 of p3 its highest; returns its exponent. */
function multiplyUnpacked(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): i32 {
  let exponent = unpack(aHigh, aLow) - BIAS;
  shiftLeft(resultHigh, resultLow, 1);
  const high = resultHigh;
  const low = resultLow;
  exponent += unpack(bHigh, bLow);
  shiftLeft(resultHigh, resultLow, 1);
  product(high, low, resultHigh, resultLow);
  if (<i64>p3 < 0) {
    shiftProduct(1);
    exponent += 1;
  }
  return exponent;
}

export function divide(status: usize, out: usize, aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  const fieldA = exponentOf(aHigh);
  const fieldB = exponentOf(bHigh);
  const sign = (aHigh ^ bHigh) >> 63;
  if (fieldA == EXPONENT_MAX || fieldB == EXPONENT_MAX) {
    if (isNaN(aHigh, aLow) || isNaN(bHigh, bLow)) propagate2(status, out, aHigh, aLow, bHigh, bLow);
    else if (fieldA == fieldB) invalid(status, out);
    else put(out, (sign << 63) | (fieldA == EXPONENT_MAX ? INFINITY : 0), 0);
    return;
  }
  const zeroA = isZero(aHigh, aLow);
  if (isZero(bHigh, bLow)) {
    if (zeroA) invalid(status, out);
    else {
      raise(status, DZ);
      put(out, (sign << 63) | INFINITY, 0);
    }
    return;
  }
  if (zeroA) {
    put(out, sign << 63, 0);
    return;
  }
  let exponent = unpack(aHigh, aLow) + BIAS;
  let restHigh = resultHigh;
  let restLow = resultLow;
  exponent -= unpack(bHigh, bLow);
  const high = resultHigh;
  const low = resultLow;
  if (restHigh < high || (restHigh == high && restLow < low)) {
    restHigh = (restHigh << 1) | (restLow >> 63);
    restLow <<= 1;
    exponent -= 1;
  }
  let quotientHigh: u64 = 0;
  let quotientLow: u64 = 0;
  // 127 bits: the highest is set because rest >= divisor.
  for (let i = 0; i < 127; i++) {
    quotientHigh = (quotientHigh << 1) | (quotientLow >> 63);
    quotientLow <<= 1;
    if (restHigh > high || (restHigh == high && restLow >= low)) {
      restHigh = restHigh - high - <u64>(restLow < low);
      restLow -= low;
      quotientLow |= 1;
    }
    restHigh = (restHigh << 1) | (restLow >> 63);
    restLow <<= 1;
  }
  roundPack(status, out, sign, exponent, quotientHigh, quotientLow | <u64>((restHigh | restLow) != 0));
}

export function squareRoot(status: usize, out: usize, aHigh: u64, aLow: u64): void {
  if (isNaN(aHigh, aLow)) {
    propagate(status, out, aHigh, aLow);
    return;
  }
  if (isZero(aHigh, aLow) || aHigh == INFINITY) {
    put(out, aHigh, aLow);
    return;
  }
  if (aHigh >> 63 != 0) {
    invalid(status, out);
    return;
  }
  const exponent = unpack(aHigh, aLow) - BIAS;
  shiftLeft(resultHigh, resultLow, exponent & 1);
  let digitsHigh = resultHigh;
  let digitsLow = resultLow;
  let rootHigh: u64 = 0;
  let rootLow: u64 = 0;
  let restHigh: u64 = 0;
  let restLow: u64 = 0;
  const bits = 116;
  for (let i = 0; i < bits; i++) {
    restHigh = (restHigh << 2) | (restLow >> 62);
    restLow = (restLow << 2) | (digitsHigh >> 62);
    digitsHigh = (digitsHigh << 2) | (digitsLow >> 62);
    digitsLow <<= 2;
    const trialHigh = (rootHigh << 2) | (rootLow >> 62);
    const trialLow = (rootLow << 2) | 1;
    rootHigh = (rootHigh << 1) | (rootLow >> 63);
    rootLow <<= 1;
    if (restHigh > trialHigh || (restHigh == trialHigh && restLow >= trialLow)) {
      restHigh = restHigh - trialHigh - <u64>(restLow < trialLow);
      restLow -= trialLow;
      rootLow |= 1;
    }
  }
  shiftLeft(rootHigh, rootLow, 127 - bits);
  const sticky = <u64>((restHigh | restLow | digitsHigh | digitsLow) != 0);
  roundPack(status, out, 0, (exponent >> 1) + BIAS, resultHigh, resultLow | sticky);
}

export function multiplyAdd(
  status: usize,
  out: usize,
  aHigh: u64,
  aLow: u64,
  bHigh: u64,
  bLow: u64,
  cHigh: u64,
  cLow: u64,
): void {
  const infiniteFactor = exponentOf(aHigh) == EXPONENT_MAX || exponentOf(bHigh) == EXPONENT_MAX;
  const infiniteC = exponentOf(cHigh) == EXPONENT_MAX;
  let sign = (aHigh ^ bHigh) >> 63;
  const signC = cHigh >> 63;
  const zero = isZero(aHigh, aLow) || isZero(bHigh, bLow);
  if (infiniteFactor || infiniteC) {
    const infinityTimesZero = zero && (isInfinite(aHigh, aLow) || isInfinite(bHigh, bLow));
    if (isNaN(aHigh, aLow) || isNaN(bHigh, bLow) || isNaN(cHigh, cLow)) {
      propagate3(status, out, aHigh, aLow, bHigh, bLow, cHigh, cLow, infinityTimesZero);
    } else if (infinityTimesZero || (infiniteFactor && infiniteC && sign != signC)) invalid(status, out);
    else if (infiniteFactor) put(out, (sign << 63) | INFINITY, 0);
    else put(out, cHigh, cLow);
    return;
  }
  const zeroC = isZero(cHigh, cLow);
  if (zero) {
    if (!zeroC || sign == signC) put(out, cHigh, cLow);
    else putZero(status, out);
    return;
  }
  let exponent = multiplyUnpacked(aHigh, aLow, bHigh, bLow);
  if (zeroC) {
    roundPack(status, out, sign, exponent, p3, p2 | <u64>((p1 | p0) != 0));
    return;
  }
  const expC = unpack(cHigh, cLow);
  let c3 = resultHigh;
  let c2 = resultLow;
  let c1: u64 = 0;
  let c0: u64 = 0;
  if (expC > exponent) {
    shiftProduct(expC - exponent);
    exponent = expC;
  } else if (expC < exponent) {
    const q3 = p3;
    const q2 = p2;
    const q1 = p1;
    const q0 = p0;
    p3 = c3;
    p2 = c2;
    p1 = 0;
    p0 = 0;
    shiftProduct(exponent - expC);
    c3 = p3;
    c2 = p2;
    c1 = p1;
    c0 = p0;
    p3 = q3;
    p2 = q2;
    p1 = q1;
    p0 = q0;
  }
  if (sign != signC) {
    subtractWords(c3, c2, c1, c0);
    if (<i64>p3 < 0) {
      sign = signC;
      negateProduct();
    }
  } else {
    addWords(c3, c2, c1, c0);
    if (<i64>p3 < 0) {
      shiftProduct(1);
      exponent += 1;
    }
  }
  if ((p3 | p2 | p1 | p0) == 0) {
    putZero(status, out);
    return;
  }
  while (p3 == 0) {
    p3 = p2;
    p2 = p1;
    p1 = p0;
    p0 = 0;
    exponent -= 64;
  }
  const shift = <i32>clz<u64>(p3) - 1;
  if (shift < 0) shiftProduct(1);
  else if (shift > 0) {
    p3 = (p3 << shift) | (p2 >> (64 - shift));
    p2 = (p2 << shift) | (p1 >> (64 - shift));
    p1 = (p1 << shift) | (p0 >> (64 - shift));
    p0 <<= shift;
  }
  roundPack(status, out, sign, exponent - shift, p3, p2 | <u64>((p1 | p0) != 0));
}

/** p += c. */
function addWords(c3: u64, c2: u64, c1: u64, c0: u64): void {
  p0 += c0;
  let carry = <u64>(p0 < c0);
  p1 += carry;
  carry = <u64>(p1 < carry);
  p1 += c1;
  carry += <u64>(p1 < c1);
  p2 += carry;
  carry = <u64>(p2 < carry);
  p2 += c2;
  carry += <u64>(p2 < c2);
  p3 += c3 + carry;
}

/** p -= c, in two's complement. */
function subtractWords(c3: u64, c2: u64, c1: u64, c0: u64): void {
  negateProduct();
  addWords(c3, c2, c1, c0);
  negateProduct();
}

/** p = -p. */
function negateProduct(): void {
  p3 = ~p3;
  p2 = ~p2;
  p1 = ~p1;
  p0 = ~p0;
  addWords(0, 0, 0, 1);
}
