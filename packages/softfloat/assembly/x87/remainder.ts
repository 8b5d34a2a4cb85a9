// FPREM and FPREM1, FSCALE, FXTRACT. Source: Intel SDM volume 2 (2023), their pages.

import { divide as divideWide, low } from "../wide";
import {
  BIAS,
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
import { C0, C1, C2, C3, PC64, ZE, raise, result, se } from "./status";

/** Condition codes of the last remainder: C2 not complete, else the low bits of the quotient in C0 C3 C1; -1 none. */
export let quotientBits: i32 = 0;

/** a - b × quotient with the quotient truncated or, if `nearest`, rounded. A difference of exponents of 64 or more is made smaller. */
export function remainder(cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64, nearest: bool): u64 {
  quotientBits = -1;
  if (isUnsupported(aSe, aSig) || isUnsupported(bSe, bSig)) return invalid();
  if (isNaN80(aSe, aSig) || isNaN80(bSe, bSig)) return propagate2(aSe, aSig, bSe, bSig);
  if (isInfinite(aSe, aSig) || isZero(bSe, bSig)) return invalid();
  noteDenormal(aSe, aSig);
  noteDenormal(bSe, bSig);
  quotientBits = 0;
  // A pseudo-denormal becomes the normal number that it is.
  if (isZero(aSe, aSig) || isInfinite(bSe, bSig)) return result((aSe & MAX) == 0 ? aSe | <i32>(aSig >> 63) : aSe, aSig);
  let sign = aSe & SIGN;
  const exponentA = normalExponent(aSe, aSig);
  const exponentB = normalExponent(bSe, bSig);
  const distance = exponentA - exponentB;
  const exact = cw | PC64;
  const a = aSig << clz<u64>(aSig);
  const b = bSig << clz<u64>(bSig);
  const least = nearest ? -1 : 0;
  if (distance < least) return roundPack(exact, sign, exponentA, a, 0);
  if (distance >= 64) {
    quotientBits = C2;
    const n = (distance & 31) | 32;
    const rest = remainderOf(a, b, n);
    if (rest == 0) return zero(sign);
    const shift = <i32>clz<u64>(rest);
    return roundPack(exact, sign, exponentA - n - shift, rest << shift, 0);
  }
  let quotient: u64 = 0;
  let rest = a;
  let exponent = exponentB;
  if (distance >= 0) {
    rest = remainderOf(a, b, distance);
    quotient = lastQuotient;
    if (nearest && (rest > b - rest || (rest == b - rest && (quotient & 1) != 0))) {
      quotient += 1;
      rest = b - rest;
      sign ^= SIGN;
    }
  } else if (a > b) {
    // Between half of b and b: b less a half of a's significand, which may leave one more bit.
    quotient = 1;
    sign ^= SIGN;
    exponent = exponentA;
    rest = (b - a) + b;
  } else return roundPack(exact, sign, exponentA, a, 0);
  quotientBits =
    ((quotient & 4) != 0 ? C0 : 0) | ((quotient & 2) != 0 ? C3 : 0) | ((quotient & 1) != 0 ? C1 : 0);
  if (rest == 0) return zero(aSe & SIGN);
  const shift = <i32>clz<u64>(rest);
  return roundPack(exact, sign, exponent - shift, rest << shift, 0);
}

let lastQuotient: u64 = 0;

/** a × 2^n modulo b for normalized a and b, 0 <= n < 64; leaves the low word of the quotient. */
function remainderOf(a: u64, b: u64, n: i32): u64 {
  const first = <u64>(a >= b);
  if (first != 0) a -= b;
  if (n == 0) {
    lastQuotient = first;
    return a;
  }
  lastQuotient = divideWide(a >> (64 - n), a << n, b) + (first << n);
  return low;
}

/** IEEE remainder, complete: the quotient is rounded to the nearest integer however large it is. */
export function remainderComplete(cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): u64 {
  let sig = remainder(cw, aSe, aSig, bSe, bSig, true);
  while (quotientBits == C2) sig = remainder(cw, se, sig, bSe, bSig, true);
  return sig;
}

/** a × 2^trunc(b). */
export function scale(cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): u64 {
  if (isUnsupported(aSe, aSig) || isUnsupported(bSe, bSig)) return invalid();
  if (isNaN80(aSe, aSig) || isNaN80(bSe, bSig)) return propagate2(aSe, aSig, bSe, bSig);
  const down = (bSe & SIGN) != 0;
  if (isInfinite(bSe, bSig)) {
    if (down ? isInfinite(aSe, aSig) : isZero(aSe, aSig)) return invalid();
    noteDenormal(aSe, aSig);
    if (isInfinite(aSe, aSig) || isZero(aSe, aSig)) return result(aSe, aSig);
    return down ? zero(aSe & SIGN) : infinity(aSe & SIGN);
  }
  noteDenormal(aSe, aSig);
  noteDenormal(bSe, bSig);
  if (isInfinite(aSe, aSig) || isZero(aSe, aSig)) return result(aSe, aSig);
  const exponent = (bSe & MAX) - BIAS;
  let n = 0;
  if (exponent >= 17) n = 0x20000;
  else if (exponent >= 0) n = <i32>(bSig >> (63 - exponent));
  const sig = aSig << clz<u64>(aSig);
  return roundPack(cw | PC64, aSe & SIGN, normalExponent(aSe, aSig) + (down ? -n : n), sig, 0);
}

/** The significand that goes with the last exponent: sign and exponent, significand. */
export let partSe: i32 = 0;
export let partSig: u64 = 0;

/** The exponent as a number; the significand as one is left in `partSe`, `partSig`. */
export function extract(aSe: i32, aSig: u64): u64 {
  let sig: u64;
  if (isUnsupported(aSe, aSig)) sig = invalid();
  else if (isNaN80(aSe, aSig)) sig = propagate(aSe, aSig);
  else if (isInfinite(aSe, aSig)) {
    partSe = aSe;
    partSig = aSig;
    return infinity(0);
  } else if (isZero(aSe, aSig)) {
    partSe = aSe;
    partSig = aSig;
    raise(ZE);
    return infinity(SIGN);
  } else {
    noteDenormal(aSe, aSig);
    partSe = (aSe & SIGN) | BIAS;
    partSig = aSig << clz<u64>(aSig);
    return fromInteger(normalExponent(aSe, aSig) - BIAS);
  }
  partSe = se;
  partSig = sig;
  return sig;
}
