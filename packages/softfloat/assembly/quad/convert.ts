// Conversions of binary128, and rounding to integral values. Source: IEEE 754-2019, 5.4.1, 5.4.2, 5.8, 5.9.

import {
  bias,
  exponentMax,
  exponentOf as exponentField,
  fractionBits,
  fractionOf,
  infinity,
  isSignaling as isSignalingSmall,
  normalExponent,
  normalSignificand,
  quietBit,
  signOf,
  signed,
} from "../format";
import { defaultNaN } from "../nan";
import { increment, roundPack as roundPackSmall } from "../round";
import {
  INT_INDEFINITE,
  INT_NAN_ZERO,
  INT_RULE,
  NAN_RULE,
  NV,
  NX,
  RDN,
  RMM,
  RNE,
  ROD,
  RUP,
  modeOf,
  raise,
} from "../status";
import {
  BIAS,
  EXPONENT_MAX,
  HIDDEN,
  INFINITY,
  QUIET,
  exponentOf,
  isNaN,
  isSignaling,
  isZero,
  resultHigh,
  resultLow,
  shiftLeft,
  shiftRightJam,
  unpack,
} from "./format";
import { propagate, put } from "./round";

export function narrow<T>(status: usize, high: u64, low: u64): u64 {
  const sign = high >> 63;
  if (isNaN(high, low)) {
    if (isSignaling(high, low)) raise(status, NV);
    const mode = modeOf(status);
    if ((mode & NAN_RULE) == 0) return defaultNaN<T>(mode);
    const payload = ((high << 17) | (low >> 47)) >> (64 - fractionBits<T>() + 1);
    return signed<T>(sign, infinity<T>() | quietBit<T>() | payload);
  }
  if (exponentOf(high) == EXPONENT_MAX) return signed<T>(sign, infinity<T>());
  if (isZero(high, low)) return signed<T>(sign, 0);
  const exponent = unpack(high, low) - BIAS + bias<T>();
  return roundPackSmall<T>(status, sign, exponent, resultHigh | <u64>(resultLow != 0));
}

export function widen<T>(status: usize, out: usize, a: u64): void {
  const sign = signOf<T>(a) << 63;
  const field = exponentField<T>(a);
  const fraction = fractionOf<T>(a);
  if (field == exponentMax<T>()) {
    if (fraction == 0) {
      put(out, sign | INFINITY, 0);
      return;
    }
    if (isSignalingSmall<T>(a)) raise(status, NV);
    const payload = fraction << (64 - fractionBits<T>());
    propagate(status, out, sign | INFINITY | QUIET | (payload >> 16), payload << 48);
    return;
  }
  if ((<u64>field | fraction) == 0) {
    put(out, sign, 0);
    return;
  }
  const significand = normalSignificand<T>(field, fraction);
  const exponent = normalExponent<T>(field, fraction) - bias<T>() + BIAS;
  put(out, sign | ((<u64>(exponent - 1) << 48) + (significand >> 14)), significand << 50);
}

export function roundToIntegral(status: usize, out: usize, high: u64, low: u64, exact: bool): void {
  if (isNaN(high, low)) {
    propagate(status, out, high, low);
    return;
  }
  const sign = high >> 63;
  const exponent = exponentOf(high) - BIAS;
  if (exponent >= 112 || isZero(high, low)) {
    put(out, high, low);
    return;
  }
  const rm = modeOf(status) & 7;
  const away = rm == ROD || (rm == RDN && sign != 0) || (rm == RUP && sign == 0);
  if (exponent < 0) {
    if (exact) raise(status, NX);
    const half = exponent == -1 && ((high & (HIDDEN - 1)) | low) == 0;
    const up = away || (exponent == -1 && (rm == RMM || (rm == RNE && !half)));
    put(out, (sign << 63) | (up ? <u64>BIAS << 48 : 0), 0);
    return;
  }
  // The encoding as an integer: a carry out of the fraction goes into the exponent, as it should.
  shiftLeft(0, 1, 112 - exponent);
  const unitHigh = resultHigh;
  const unitLow = resultLow;
  const maskHigh = unitHigh - <u64>(unitLow == 0);
  const maskLow = unitLow - 1;
  const restHigh = high & maskHigh;
  const restLow = low & maskLow;
  if ((restHigh | restLow) == 0) {
    put(out, high, low);
    return;
  }
  if (exact) raise(status, NX);
  const halfHigh = unitHigh >> 1;
  const halfLow = (unitLow >> 1) | (unitHigh << 63);
  const difference = restHigh == halfHigh ? compare(restLow, halfLow) : compare(restHigh, halfHigh);
  // Bit 112 - exponent is the last of the integer; for exponent 0 it is the implicit one.
  const odd = exponent == 0 || ((high & unitHigh) | (low & unitLow)) != 0;
  let up = away;
  if (rm == RNE) up = difference > 0 || (difference == 0 && odd);
  else if (rm == RMM) up = difference >= 0;
  else if (rm == ROD) up = !odd;
  low &= ~maskLow;
  high &= ~maskHigh;
  if (up) {
    low += unitLow;
    high += unitHigh + <u64>(low < unitLow);
  }
  put(out, high, low);
}

@inline function compare(a: u64, b: u64): i32 {
  return <i32>(a > b) - <i32>(a < b);
}

/** To an integer of `bits` 32 or 64, signed or not; 32-bit results are sign-extended. */
export function toInteger(status: usize, high: u64, low: u64, bits: i32, unsigned: bool): i64 {
  const mode = modeOf(status);
  const sign = high >> 63;
  const nan = isNaN(high, low);
  if (isZero(high, low)) return 0;
  const exponent = exponentOf(high) - BIAS;
  let fits = !nan && exponent < 64;
  let whole: u64 = 0;
  let rest: u64 = 0;
  if (fits) {
    // Fixed point: `whole` the integer, `rest` the 64 bits after it.
    unpack(high, low);
    if (exponent == 63) shiftLeft(resultHigh, resultLow, 1);
    else shiftRightJam(resultHigh, resultLow, min<i32>(62 - exponent, 200));
    whole = resultHigh;
    rest = resultLow;
    const add = increment(mode, sign, <u64>1 << 63, u64.MAX_VALUE);
    if (rest != 0 && rest + add < rest) {
      whole += 1;
      fits = whole != 0;
    }
    if ((mode & 7) == RNE && rest == <u64>1 << 63) whole &= ~(<u64>1);
    if ((mode & 7) == ROD && rest != 0) whole |= 1;
    const limit: u64 = unsigned
      ? sign != 0 ? 0 : bits == 64 ? u64.MAX_VALUE : 0xffffffff
      : ((<u64>1) << (bits - 1)) - <u64>(sign == 0);
    fits = fits && whole <= limit;
  }
  if (!fits) {
    raise(status, NV);
    const rule = mode & INT_RULE;
    const least = unsigned ? 0 : bits == 64 ? i64.MIN_VALUE : <i64>i32.MIN_VALUE;
    const greatest = unsigned ? -1 : bits == 64 ? i64.MAX_VALUE : <i64>i32.MAX_VALUE;
    if (rule == INT_INDEFINITE) return unsigned ? -1 : least;
    if (nan) return rule == INT_NAN_ZERO ? 0 : greatest;
    return sign != 0 ? least : greatest;
  }
  if (rest != 0) raise(status, NX);
  const value = sign != 0 ? -<i64>whole : <i64>whole;
  return bits == 32 ? <i64>(<i32>value) : value;
}
