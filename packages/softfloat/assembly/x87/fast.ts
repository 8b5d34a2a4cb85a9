// The common case of FADD, FSUB, FMUL and FDIV: normal numbers, a result far from the ends of the range, everything
// masked, full precision, to nearest. The twin of arithmetic.ts and round.ts without their questions, for speed:
// half of the time. What does not fit is left to them.

import { divide as divideWide, low, multiply as multiplyWide } from "../wide";
import { setRegister, setStatusWord, statusWord } from "./file";
import { BIAS, INTEGER, SIGN } from "./format";
import { C1, PE } from "./status";

/** Masks, precision and rounding that the fast way is for. */
@inline export function isFast(cw: i32): bool {
  return (cw & 0xf3f) == 0x33f;
}

/** Exponents 0x80 to 0x7f7f: nothing can overflow or underflow by cancelling, carrying or rounding. */
@inline
function fits(exponent: i32): bool {
  return <u32>(exponent - 0x80) < 0x7f00;
}

/** Rounds, stores the number in register r and the flags in the status word. */
@inline
function finishFast(env: usize, r: i32, sign: i32, exponent: i32, high: u64, rest: u64): void {
  const up = <u64>(rest > INTEGER - (high & 1));
  high += up;
  // All ones become a power of two.
  const wrapped = <i32>(high == 0);
  setRegister(env, r, sign | (exponent + wrapped), high | (<u64>wrapped << 63));
  setStatusWord(env, (statusWord(env) & ~C1) | (rest != 0 ? PE : 0) | (<i32>up << 9));
}

/** Register r = a + b; false if it is none for this way, and nothing was done. */
@inline
export function fastAdd(env: usize, r: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): bool {
  let exponent = aSe & 0x7fff;
  let distance = exponent - (bSe & 0x7fff);
  if (!fits(exponent) || !fits(exponent - distance) || <i64>(aSig & bSig) >= 0) return false;
  let sign = aSe & SIGN;
  if (distance < 0) {
    exponent -= distance;
    distance = -distance;
    sign = bSe & SIGN;
    const other = aSig;
    aSig = bSig;
    bSig = other;
  }
  if (distance > 63) return false;
  let high = bSig >> distance;
  let rest = distance == 0 ? 0 : bSig << (64 - distance);
  if (((aSe ^ bSe) & SIGN) == 0) {
    high += aSig;
    if (high < aSig) {
      rest = (rest >> 1) | (rest & 1) | (high << 63);
      high = (high >> 1) | INTEGER;
      exponent += 1;
    }
  } else {
    const borrow = <u64>(rest != 0);
    rest = -rest;
    const whole = aSig - high - borrow;
    if (aSig < high) {
      // Equal exponents: nothing was shifted out.
      high -= aSig;
      sign ^= SIGN;
    } else high = whole;
    if (high == 0) return false;
    const n = clz<u64>(high);
    if (n != 0) {
      high = (high << n) | (rest >> (64 - n));
      rest <<= n;
      exponent -= <i32>n;
    }
  }
  finishFast(env, r, sign, exponent, high, rest);
  return true;
}

@inline
export function fastMultiply(env: usize, r: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): bool {
  let exponent = (aSe & 0x7fff) + (bSe & 0x7fff) - (BIAS - 1);
  if (!fits(exponent) || !fits(aSe & 0x7fff) || !fits(bSe & 0x7fff) || <i64>(aSig & bSig) >= 0) return false;
  let high = multiplyWide(aSig, bSig);
  let rest = low;
  if (<i64>high >= 0) {
    high = (high << 1) | (rest >> 63);
    rest <<= 1;
    exponent -= 1;
  }
  finishFast(env, r, (aSe ^ bSe) & SIGN, exponent, high, rest);
  return true;
}

@inline
export function fastDivide(env: usize, r: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): bool {
  let exponent = (aSe & 0x7fff) - (bSe & 0x7fff) + BIAS;
  if (!fits(exponent) || !fits(aSe & 0x7fff) || !fits(bSe & 0x7fff) || <i64>(aSig & bSig) >= 0) return false;
  let quotient: u64;
  if (aSig < bSig) {
    exponent -= 1;
    quotient = divideWide(aSig, 0, bSig);
  } else quotient = divideWide(aSig >> 1, aSig << 63, bSig);
  const remainder = low;
  const other = bSig - remainder;
  const rest = remainder == 0 ? <u64>0 : remainder < other ? 1 : remainder == other ? INTEGER : INTEGER | 1;
  finishFast(env, r, (aSe ^ bSe) & SIGN, exponent, quotient, rest);
  return true;
}
