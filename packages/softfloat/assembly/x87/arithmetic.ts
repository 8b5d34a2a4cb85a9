// Sum, product, quotient, square root. Source: Intel SDM volume 1 (2023), 4.8.3, 4.9, 8.3.5; IEEE 754-2019, 5.4.1.

import { divide as divideWide, low, multiply as multiplyWide } from "../wide";
import {
  BIAS,
  INTEGER,
  SIGN,
  infinity,
  invalid,
  isInfinite,
  isNaN80,
  isNormal,
  isUnsupported,
  isZero,
  normalExponent,
  noteDenormal,
  propagate,
  propagate2,
  zero,
} from "./format";
import { roundPack } from "./round";
import { DOWN, ROUNDING, ZE, raise, result } from "./status";

/** a + b, where b's sign counts inverted if `flip` is SIGN. */
export function add(cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64, flip: i32): u64 {
  if (!isNormal(aSe, aSig) || !isNormal(bSe, bSig)) {
    if (isUnsupported(aSe, aSig) || isUnsupported(bSe, bSig)) return invalid();
    if (isNaN80(aSe, aSig) || isNaN80(bSe, bSig)) return propagate2(aSe, aSig, bSe, bSig);
    const infiniteA = isInfinite(aSe, aSig);
    const infiniteB = isInfinite(bSe, bSig);
    const different = ((aSe ^ bSe ^ flip) & SIGN) != 0;
    if (infiniteA && infiniteB && different) return invalid();
    noteDenormal(aSe, aSig);
    noteDenormal(bSe, bSig);
    if (infiniteA) return infinity(aSe & SIGN);
    if (infiniteB) return infinity((bSe ^ flip) & SIGN);
    if ((aSig | bSig) == 0) {
      return zero(different ? ((cw & ROUNDING) == DOWN ? SIGN : 0) : aSe & SIGN);
    }
  }
  const signA = aSe & SIGN;
  const signB = (bSe ^ flip) & SIGN;
  let exponent = max<i32>(aSe & 0x7fff, 1);
  const exponentB = max<i32>(bSe & 0x7fff, 1);
  // The larger exponent first: (aSig) and the shifted (high:rest).
  let sign = signA;
  let distance = exponent - exponentB;
  let large = aSig;
  let high = bSig;
  if (distance < 0) {
    sign = signB;
    exponent = exponentB;
    distance = -distance;
    large = bSig;
    high = aSig;
  }
  let rest: u64 = 0;
  if (distance != 0) {
    if (distance < 64) {
      rest = high << (64 - distance);
      high >>= distance;
    } else {
      rest = distance == 64 ? high : distance < 128 ? (high >> (distance - 64)) | <u64>(high << (128 - distance) != 0) : <u64>(high != 0);
      high = 0;
    }
  }
  if (signA == signB) {
    high += large;
    if (high < large) {
      rest = (rest >> 1) | (rest & 1) | (high << 63);
      high = (high >> 1) | INTEGER;
      exponent += 1;
    }
  } else {
    if (large < high) {
      // Only when the exponents are equal: nothing was shifted out.
      sign ^= SIGN;
      high -= large;
    } else {
      high = large - high - <u64>(rest != 0);
      rest = -rest;
    }
    if ((high | rest) == 0) return zero((cw & ROUNDING) == DOWN ? SIGN : 0);
  }
  if (<i64>high >= 0) {
    const n = <i32>(high != 0 ? clz<u64>(high) : 64 + clz<u64>(rest));
    if (n < 64) {
      high = (high << n) | (rest >> (64 - n));
      rest <<= n;
    } else {
      high = rest << (n - 64);
      rest = 0;
    }
    exponent -= n;
  }
  return roundPack(cw, sign, exponent, high, rest);
}

export function multiply(cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): u64 {
  const sign = (aSe ^ bSe) & SIGN;
  let exponent = (aSe & 0x7fff) + (bSe & 0x7fff) - (BIAS - 1);
  if (!isNormal(aSe, aSig) || !isNormal(bSe, bSig)) {
    if (isUnsupported(aSe, aSig) || isUnsupported(bSe, bSig)) return invalid();
    if (isNaN80(aSe, aSig) || isNaN80(bSe, bSig)) return propagate2(aSe, aSig, bSe, bSig);
    const infiniteA = isInfinite(aSe, aSig);
    const infiniteB = isInfinite(bSe, bSig);
    const zeroA = isZero(aSe, aSig);
    const zeroB = isZero(bSe, bSig);
    if ((infiniteA && zeroB) || (zeroA && infiniteB)) return invalid();
    noteDenormal(aSe, aSig);
    noteDenormal(bSe, bSig);
    if (infiniteA || infiniteB) return infinity(sign);
    if (zeroA || zeroB) return zero(sign);
    exponent = normalExponent(aSe, aSig) + normalExponent(bSe, bSig) - (BIAS - 1);
    aSig <<= clz<u64>(aSig);
    bSig <<= clz<u64>(bSig);
  }
  let high = multiplyWide(aSig, bSig);
  let rest = low;
  if (<i64>high >= 0) {
    high = (high << 1) | (rest >> 63);
    rest <<= 1;
    exponent -= 1;
  }
  return roundPack(cw, sign, exponent, high, rest);
}

export function divide(cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): u64 {
  const sign = (aSe ^ bSe) & SIGN;
  let exponent = (aSe & 0x7fff) - (bSe & 0x7fff) + BIAS;
  if (!isNormal(aSe, aSig) || !isNormal(bSe, bSig)) {
    if (isUnsupported(aSe, aSig) || isUnsupported(bSe, bSig)) return invalid();
    if (isNaN80(aSe, aSig) || isNaN80(bSe, bSig)) return propagate2(aSe, aSig, bSe, bSig);
    const infiniteA = isInfinite(aSe, aSig);
    const infiniteB = isInfinite(bSe, bSig);
    const zeroA = isZero(aSe, aSig);
    const zeroB = isZero(bSe, bSig);
    if ((infiniteA && infiniteB) || (zeroA && zeroB)) return invalid();
    if (zeroB && !infiniteA) {
      raise(ZE);
      return infinity(sign);
    }
    noteDenormal(aSe, aSig);
    noteDenormal(bSe, bSig);
    if (infiniteA) return infinity(sign);
    if (infiniteB || zeroA) return zero(sign);
    exponent = normalExponent(aSe, aSig) - normalExponent(bSe, bSig) + BIAS;
    aSig <<= clz<u64>(aSig);
    bSig <<= clz<u64>(bSig);
  }
  let quotient: u64;
  if (aSig < bSig) {
    exponent -= 1;
    quotient = divideWide(aSig, 0, bSig);
  } else {
    quotient = divideWide(aSig >> 1, aSig << 63, bSig);
  }
  const remainder = low;
  let rest: u64 = 0;
  if (remainder != 0) {
    // Less than, equal to, more than half of the divisor.
    const other = bSig - remainder;
    rest = remainder < other ? 1 : remainder == other ? INTEGER : INTEGER | 1;
  }
  return roundPack(cw, sign, exponent, quotient, rest);
}

export function squareRoot(cw: i32, se: i32, sig: u64): u64 {
  if ((se & SIGN) != 0 || !isNormal(se, sig)) {
    if (isUnsupported(se, sig)) return invalid();
    if (isNaN80(se, sig)) return propagate(se, sig);
    if (isZero(se, sig)) return result(se, sig);
    if ((se & SIGN) != 0) return invalid();
    if (isInfinite(se, sig)) return result(se, sig);
    noteDenormal(se, sig);
  }
  const exponent = normalExponent(se, sig) - BIAS;
  sig <<= clz<u64>(sig);
  // The radicand high:rest is the significand times 2^63 or, with an odd exponent, 2^64.
  const odd = (exponent & 1) != 0;
  const high = odd ? sig : sig >> 1;
  const rest = odd ? <u64>0 : sig << 63;
  // The host's root has 53 bits; Newton's step from there leaves an error below one.
  const estimate = sqrt<f64>(<f64>high) * 4294967296.0;
  let root = estimate < 18446744073709549568.0 ? <u64>estimate : u64.MAX_VALUE;
  const firstHigh = multiplyWide(root, root);
  const differenceHigh = <i64>(high - firstHigh - <u64>(rest < low));
  const difference = <f64>differenceHigh * 18446744073709551616.0 + <f64>(rest - low);
  root += <u64>(<i64>floor<f64>(difference / (2 * <f64>root)));
  let squareHigh = multiplyWide(root, root);
  let squareLow = low;
  while (squareHigh > high || (squareHigh == high && squareLow > rest)) {
    root -= 1;
    squareHigh = multiplyWide(root, root);
    squareLow = low;
  }
  let remainderHigh = high - squareHigh - <u64>(rest < squareLow);
  let remainder = rest - squareLow;
  // remainder > 2 root: the root is one larger.
  while (remainderHigh > root >> 63 || (remainderHigh == root >> 63 && remainder > root << 1)) {
    const step = (root << 1) | 1;
    remainderHigh -= (root >> 63) + <u64>(remainder < step);
    remainder -= step;
    root += 1;
  }
  const tail: u64 = (remainderHigh | remainder) == 0 ? 0 : remainderHigh != 0 || remainder > root ? INTEGER | 1 : 1;
  return roundPack(cw, 0, (exponent >> 1) + BIAS, root, tail);
}
