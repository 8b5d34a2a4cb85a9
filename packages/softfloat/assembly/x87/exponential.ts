// F2XM1, FYL2X, FYL2XP1. Source: Intel SDM volume 2 (2023), their pages.

import { add, multiply } from "./arithmetic";
import { divideFixed, exponent, high, low, multiplyFixed, normalize, shiftRight } from "./fixed";
import {
  BIAS,
  INTEGER,
  MAX,
  SIGN,
  infinity,
  invalid,
  isInfinite,
  isNaN80,
  isUnsupported,
  isZero,
  normalExponent,
  noteDenormal,
  propagate,
  propagate2,
  zero,
} from "./format";
import { fromInteger, roundPack } from "./round";
import { decay, growth, logarithmSeries } from "./series";
import { PC64, PE, UE, ZE, raise, result, se } from "./status";

const LN2_HIGH: u64 = 0xb17217f7d1cf79ab;
const LN2_LOW: u64 = 0xc9e3b39803f2f6af;
/** 1 / 2 ln 2. */
const HALF_LOG2E_HIGH: u64 = 0xb8aa3b295c17f0bb;
const HALF_LOG2E_LOW: u64 = 0xbe87fed0691d3e88;
/** √2 as a significand. */
const ROOT2: u64 = 0xb504f333f9de6484;

/** 2^x - 1 for x in -1 .. 1; any other x is its own result. */
export function exponential(cw: i32, xSe: i32, xSig: u64): u64 {
  if (isUnsupported(xSe, xSig)) return invalid();
  if (isNaN80(xSe, xSig)) return propagate(xSe, xSig);
  const negative = (xSe & SIGN) != 0;
  if (isInfinite(xSe, xSig)) return negative ? result(SIGN | BIAS, INTEGER) : result(xSe, xSig);
  if (isZero(xSe, xSig)) return result(xSe, xSig);
  noteDenormal(xSe, xSig);
  const e = normalExponent(xSe, xSig) - BIAS;
  if (e >= 0) {
    raise(PE);
    if (e > 0 || xSig != INTEGER) return result(xSe, xSig);
    return negative ? result(SIGN | (BIAS - 1), INTEGER) : result(xSe, xSig);
  }
  multiplyFixed(xSig << clz<u64>(xSig), 0, LN2_HIGH, LN2_LOW);
  normalize(high, low, e);
  const yh = high;
  const yl = low;
  const ye = exponent;
  shiftRight(yh, yl, min<i32>(-1 - ye, 128));
  if (negative) decay(high, low);
  else growth(high, low);
  multiplyFixed(yh, yl, high, low);
  normalize(high, low, ye + 1);
  return roundPack(cw, xSe & SIGN, exponent + BIAS, high, low | 1);
}

/** Sign of the logarithm found last. */
let logSign: i32 = 0;

/**
 * Leaves log2((1 + s) / (1 - s)) + `whole`, normalized, where s is n / d times 2^scale; both have their top bits set. Of
 * s alone the sign is given.
 */
function logarithm(nh: u64, nl: u64, dh: u64, dl: u64, scale: i32, sign: i32, whole: i32): void {
  divideFixed(nh >> 1, (nl >> 1) | (nh << 63), dh, dl);
  normalize(high, low, scale);
  const sh = high;
  const sl = low;
  const s = exponent;
  multiplyFixed(sh, sl, sh, sl);
  shiftRight(high, low, min<i32>(-2 - 2 * s, 128));
  logarithmSeries(high, low);
  multiplyFixed(sh, sl, high, low);
  multiplyFixed(high, low, HALF_LOG2E_HIGH, HALF_LOG2E_LOW);
  // s × half the series × 4 / ln 2.
  normalize(high, low, s + 3);
  logSign = sign;
  if (whole == 0) return;
  // 16 bits before the point.
  shiftRight(high, low, 15 - exponent);
  const fh = high;
  const fl = low;
  logSign = whole < 0 ? SIGN : 0;
  const w = <u64>abs<i32>(whole) << 48;
  if (logSign == sign) normalize(w + fh, fl, 15);
  else normalize(w - fh - <u64>(fl != 0), -fl, 15);
}

/** y × the logarithm. */
function product(cw: i32, ySe: i32, ySig: u64): u64 {
  const e = normalExponent(ySe, ySig) + exponent + 1;
  multiplyFixed(high, low, ySig << clz<u64>(ySig), 0);
  normalize(high, low, e);
  return roundPack(cw, (ySe & SIGN) ^ logSign, exponent, high, low | 1);
}

/** y × log2(x). */
export function timesLogarithm(cw: i32, ySe: i32, ySig: u64, xSe: i32, xSig: u64): u64 {
  if (isUnsupported(xSe, xSig) || isUnsupported(ySe, ySig)) return invalid();
  if (isNaN80(xSe, xSig) || isNaN80(ySe, ySig)) return propagate2(xSe, xSig, ySe, ySig);
  const signY = ySe & SIGN;
  const infiniteY = isInfinite(ySe, ySig);
  if (isZero(xSe, xSig)) {
    if (isZero(ySe, ySig)) return invalid();
    if (!infiniteY) raise(ZE);
    return infinity(signY ^ SIGN);
  }
  if ((xSe & SIGN) != 0) return invalid();
  const one = (xSe & MAX) == BIAS && xSig == INTEGER;
  if (isInfinite(xSe, xSig)) {
    if (isZero(ySe, ySig)) return invalid();
    noteDenormal(ySe, ySig);
    return infinity(signY);
  }
  if (infiniteY && one) return invalid();
  noteDenormal(xSe, xSig);
  noteDenormal(ySe, ySig);
  const below = (xSe & MAX) < BIAS;
  if (infiniteY) return infinity(below ? signY ^ SIGN : signY);
  if (isZero(ySe, ySig) || one) return zero(below ? signY ^ SIGN : signY);
  let whole = normalExponent(xSe, xSig) - BIAS;
  const sig = xSig << clz<u64>(xSig);
  if (sig == INTEGER) {
    // A power of 2. The product is reported as inexact even if it is not.
    const logarithm = fromInteger(whole);
    const exact = multiply(cw, ySe, ySig, se, logarithm);
    raise((se & MAX) == 0 ? UE | PE : PE);
    return exact;
  }
  let sign = 0;
  let difference = sig - INTEGER;
  // m between √½ and √2; d is the sum m + 1, which has 65 bits, n the difference.
  let dh = INTEGER >> 1;
  if (sig > ROOT2) {
    whole += 1;
    sign = SIGN;
    difference = -sig;
    dh = INTEGER;
  }
  const n = <i32>clz<u64>(difference);
  logarithm(difference << n, 0, dh + (sig >> 1), sig << 63, -n - 1, sign, whole);
  return product(cw, ySe, ySig);
}

/** y × log2(x + 1). */
export function timesLogarithmPlus1(cw: i32, ySe: i32, ySig: u64, xSe: i32, xSig: u64): u64 {
  if (isUnsupported(xSe, xSig) || isUnsupported(ySe, ySig)) return invalid();
  if (isNaN80(xSe, xSig) || isNaN80(ySe, ySig)) return propagate2(xSe, xSig, ySe, ySig);
  const sign = xSe & SIGN;
  const e = normalExponent(xSe, xSig) - BIAS;
  if (isInfinite(xSe, xSig)) {
    if (sign != 0 || isZero(ySe, ySig)) return invalid();
    noteDenormal(ySe, ySig);
    return infinity(ySe & SIGN);
  }
  if (isInfinite(ySe, ySig)) {
    if (isZero(xSe, xSig)) return invalid();
    noteDenormal(xSe, xSig);
    return infinity((ySe ^ xSe) & SIGN);
  }
  noteDenormal(xSe, xSig);
  noteDenormal(ySe, ySig);
  if (isZero(xSe, xSig) || isZero(ySe, ySig)) return zero((ySe ^ xSe) & SIGN);
  const sig = xSig << clz<u64>(xSig);
  if (e >= -1 || (e == -2 && sign != 0 && sig > 0x95f619980c4336f7)) {
    if (sign != 0 && e >= 0) {
      raise(PE);
      return result(xSe, xSig);
    }
    // Beyond 1 - √½ the SDM leaves the result undefined: through the rounded sum.
    const sum = add((cw | PC64) & ~0xc00, BIAS, INTEGER, xSe, xSig, 0);
    return timesLogarithm(cw, ySe, ySig, se, sum);
  }
  // 2 + x as a fraction of 4, or of 2 below 2.
  shiftRight(sig, 0, min<i32>(1 - e, 127));
  let dh = INTEGER + high;
  let dl = low;
  let scale = e - 1;
  if (sign != 0) {
    dh = INTEGER - high - <u64>(low != 0);
    dl = -low;
    dh = (dh << 1) | (dl >> 63);
    dl <<= 1;
    scale = e;
  }
  logarithm(sig, 0, dh, dl, scale, sign, 0);
  return product(cw, ySe, ySig);
}
