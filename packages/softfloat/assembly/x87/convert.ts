// To and from single and double precision and integers; rounding to an integer. None of them looks at precision control.
// Source: Intel SDM volume 1 (2023), 4.8.4.2, 4.9.1.5, 8.3.2; volume 2, FLD, FST, FIST, FISTTP, FRNDINT.

import {
  BIAS,
  INTEGER,
  MAX,
  QUIET,
  SIGN,
  invalid,
  isNaN80,
  isUnsupported,
  isZero,
  normalExponent,
  noteDenormal,
  propagate,
} from "./format";
import { roundsUp } from "./round";
import { C1, CHOP, IE, OE, PE, ROUNDING, NEAREST, UE, UP, DOWN, raise, result } from "./status";

/** Extends a double; a signaling NaN stays one, and a denormal is not noted. */
export function fromDouble(a: u64): u64 {
  const sign = <i32>(a >> 48) & SIGN;
  const exponent = <i32>(a >> 52) & 0x7ff;
  const fraction = a << 11;
  if (exponent == 0) {
    if (fraction == 0) return result(sign, 0);
    const n = <i32>clz<u64>(fraction & ~INTEGER);
    return result(sign | (BIAS - 1023 + 1 - n), fraction << n);
  }
  if (exponent == 0x7ff) return result(sign | MAX, fraction | INTEGER);
  return result(sign | (exponent + (BIAS - 1023)), fraction | INTEGER);
}

/** Extends a single, likewise. */
export function fromSingle(a: u32): u64 {
  const sign = <i32>(a >> 16) & SIGN;
  const exponent = <i32>(a >> 23) & 0xff;
  const fraction = (<u64>a << 40) & ~INTEGER;
  if (exponent == 0) {
    if (fraction == 0) return result(sign, 0);
    const n = <i32>clz<u64>(fraction);
    return result(sign | (BIAS - 127 + 1 - n), fraction << n);
  }
  if (exponent == 0xff) return result(sign | MAX, fraction | INTEGER);
  return result(sign | (exponent + (BIAS - 127)), fraction | INTEGER);
}

@inline export function isDenormalDouble(a: u64): bool {
  return (a & 0x7ff0000000000000) == 0 && a << 1 != 0;
}

@inline export function isDenormalSingle(a: u32): bool {
  return (a & 0x7f800000) == 0 && a << 1 != 0;
}

/**
 * Rounds to a format of `bits` fraction bits (52, 23); the encoding without the sign. When an exception of `cw` is not
 * masked the caller must not store it.
 */
@inline
function narrow(cw: i32, se: i32, sig: u64, bits: i32, top: i32): u64 {
  const sign = se & SIGN;
  const infinite = <u64>top << bits;
  if ((se & MAX) == MAX || isUnsupported(se, sig)) {
    if (isUnsupported(se, sig)) {
      raise(IE);
      return infinite | (<u64>1 << (bits - 1)) | (<u64>1 << 63);
    }
    if (sig << 1 == 0) return infinite;
    if ((sig & QUIET) == 0) raise(IE);
    return infinite | (<u64>1 << (bits - 1)) | ((sig << 1) >> (64 - bits));
  }
  if (sig == 0) return 0;
  let exponent = normalExponent(se, sig) - BIAS + (top >> 1);
  sig <<= clz<u64>(sig);
  const drop = 63 - bits;
  const unit: u64 = 1 << drop;
  let rest = sig << (64 - drop);
  const carries = rest != 0 && roundsUp(cw, sign, rest, (sig & unit) != 0) && ((sig >> drop) << drop) + unit == 0;
  let tiny = false;
  if (exponent <= 0) {
    tiny = exponent < 0 || !carries;
    const shift = min<i32>(1 - exponent, 64);
    rest = shift == 64 ? <u64>1 : (sig >> shift << (64 - drop)) | <u64>(sig << (64 - shift) != 0);
    sig = shift == 64 ? 0 : sig >> shift;
    exponent = 0;
    if (tiny && (cw & UE) == 0) {
      raise(UE);
      if (rest == 0) return 0;
    }
  } else if (exponent >= top || (exponent == top - 1 && carries)) {
    const rc = cw & ROUNDING;
    raise(OE | PE);
    if (rc == NEAREST || rc == (sign != 0 ? DOWN : UP)) {
      raise(C1);
      return infinite;
    }
    return infinite - 1;
  } else sig &= ~INTEGER;
  let value = (sig >> drop) + (<u64>exponent << bits);
  if (rest != 0) {
    raise(tiny ? UE | PE : PE);
    if (roundsUp(cw, sign, rest, (value & 1) != 0)) {
      raise(C1);
      value += 1;
    }
  }
  return value;
}

export function toDouble(cw: i32, se: i32, sig: u64): u64 {
  return (<u64>(se & SIGN) << 48) | narrow(cw, se, sig, 52, 0x7ff);
}

export function toSingle(cw: i32, se: i32, sig: u64): u32 {
  const value = narrow(cw, se, sig, 23, 0xff);
  return ((se & SIGN) << 16) | <u32>value | <u32>(value >> 32);
}

/** To a signed integer of `bits` 16, 32, 64; the indefinite integer if it does not fit. */
export function toInteger(cw: i32, se: i32, sig: u64, bits: i32): i64 {
  const indefinite: i64 = (<i64>-1) << (bits - 1);
  const exponent = (se & MAX) - BIAS;
  const sign = se & SIGN;
  if (exponent > 63 || isUnsupported(se, sig)) {
    raise(IE);
    return indefinite;
  }
  let whole: u64 = 0;
  let rest: u64 = 0;
  if (exponent == 63) whole = sig;
  else if (exponent >= 0) {
    whole = sig >> (63 - exponent);
    rest = sig << (exponent + 1);
  } else if (sig != 0) rest = exponent == -1 ? sig : 1;
  const up = rest != 0 && roundsUp(cw, sign, rest, (whole & 1) != 0);
  if (up) whole += 1;
  const limit: u64 = (<u64>1 << (bits - 1)) - <u64>(sign == 0);
  if (whole > limit || (up && whole == 0)) {
    raise(IE);
    return indefinite;
  }
  if (rest != 0) raise(up ? PE | C1 : PE);
  return sign != 0 ? -<i64>whole : <i64>whole;
}

/** FRNDINT. */
export function roundToInteger(cw: i32, se: i32, sig: u64): u64 {
  if (isUnsupported(se, sig)) return invalid();
  if (isNaN80(se, sig)) return propagate(se, sig);
  const exponent = (se & MAX) - BIAS;
  const sign = se & SIGN;
  if (exponent >= 63 || isZero(se, sig)) return result(se, sig);
  noteDenormal(se, sig);
  if (exponent < 0) {
    raise(PE);
    const rest = exponent == -1 ? sig : 1;
    if (!roundsUp(cw, sign, rest, false)) return result(sign, 0);
    raise(C1);
    return result(sign | BIAS, INTEGER);
  }
  const shift = 63 - exponent;
  const rest = sig << (64 - shift);
  if (rest == 0) return result(se, sig);
  raise(PE);
  let whole = (sig >> shift) << shift;
  const unit: u64 = 1 << shift;
  if (roundsUp(cw, sign, rest, (whole & unit) != 0)) {
    raise(C1);
    whole += unit;
    if (whole == 0) return result(se + 1, INTEGER);
  }
  return result(se, whole);
}
