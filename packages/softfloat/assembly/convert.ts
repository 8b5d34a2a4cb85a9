// Conversions between formats and to integers, and rounding to integral values.
// Source: IEEE 754-2019, 5.4.1, 5.4.2, 5.8, 5.9; RISC-V Unprivileged ISA 20240411, 20.7 (table of bounds).
// Every finite f16, f32 or f64 is a host double, and the host rounds doubles to integers exactly in four directions.

import {
  bias,
  exponentMax,
  exponentOf,
  fractionBits,
  fractionOf,
  infinity,
  isNaN,
  isSignaling,
  isZero,
  normalExponent,
  normalSignificand,
  quietBit,
  signOf,
  signed,
} from "./format";
import { defaultNaN, propagate } from "./nan";
import { roundPack } from "./round";
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
  RTZ,
  RUP,
  modeOf,
  raise,
  rounding,
} from "./status";

/** From format F to format T. */
export function convert<F, T>(status: usize, a: u64): u64 {
  const sign = signOf<F>(a);
  const field = exponentOf<F>(a);
  const fraction = fractionOf<F>(a);
  if (field == exponentMax<F>()) {
    if (fraction == 0) return signed<T>(sign, infinity<T>());
    if (isSignaling<F>(a)) raise(status, NV);
    const mode = modeOf(status);
    if ((mode & NAN_RULE) == 0) return defaultNaN<T>(mode);
    const payload = (fraction << (63 - fractionBits<F>())) >> (63 - fractionBits<T>());
    return signed<T>(sign, infinity<T>() | quietBit<T>() | payload);
  }
  if ((<u64>field | fraction) == 0) return signed<T>(sign, 0);
  const exponent = normalExponent<F>(field, fraction) - bias<F>() + bias<T>();
  return roundPack<T>(status, sign, exponent, normalSignificand<F>(field, fraction));
}

/** The exact value of a number that is not a signaling NaN. */
@inline export function toDouble<T>(a: u64): f64 {
  if (sizeof<T>() == 8) return reinterpret<f64>(a);
  if (sizeof<T>() == 4) return <f64>reinterpret<f32>(<u32>a);
  const field = exponentOf<T>(a);
  const size = field == exponentMax<T>()
    ? Infinity
    : field == 0
      ? <f64>fractionOf<T>(a) * reinterpret<f64>(<u64>(1023 - 24) << 52)
      : reinterpret<f64>(((<u64>(field - 15 + 1023)) << 52) | (fractionOf<T>(a) << 42));
  return signOf<T>(a) != 0 ? -size : size;
}

/** x to an integral value in the direction `rm`. */
@inline export function roundDouble(x: f64, rm: i32): f64 {
  if (rm == RNE) return nearest<f64>(x);
  if (rm == RTZ) return trunc<f64>(x);
  if (rm == RDN) return floor<f64>(x);
  if (rm == RUP) return ceil<f64>(x);
  const whole = trunc<f64>(x);
  if (rm == RMM) return abs<f64>(x - whole) >= 0.5 ? whole + copysign<f64>(1, x) : whole;
  return whole != x && trunc<f64>(whole * 0.5) * 2 == whole ? whole + copysign<f64>(1, x) : whole;
}

export function roundToIntegral<T>(status: usize, a: u64, exact: bool): u64 {
  if (isNaN<T>(a)) return propagate<T>(status, a);
  const x = toDouble<T>(a);
  const y = roundDouble(x, rounding(status));
  if (x == y) return a;
  if (exact) raise(status, NX);
  if (sizeof<T>() == 8) return reinterpret<u64>(y);
  if (sizeof<T>() == 4) return <u64>reinterpret<u32>(<f32>y);
  return convert<u64, T>(status, reinterpret<u64>(y));
}

@inline function bound(mode: i32, nan: bool, negative: bool, least: i64, greatest: i64, indefinite: i64): i64 {
  const rule = mode & INT_RULE;
  if (rule == INT_INDEFINITE) return indefinite;
  if (nan) return rule == INT_NAN_ZERO ? 0 : greatest;
  return negative ? least : greatest;
}

/** To a 32-bit integer, signed or not; either result is sign-extended from 32 bits. */
export function toInteger32<T>(status: usize, a: u64, unsigned: bool, rm: i32): i64 {
  const x = toDouble<T>(a);
  const y = roundDouble(x, rm);
  const fits = unsigned ? y >= 0 && y <= 4294967295 : y >= -2147483648 && y <= 2147483647;
  if (isNaN<T>(a) || !fits) {
    raise(status, NV);
    const mode = modeOf(status);
    if (unsigned) return bound(mode, isNaN<T>(a), x < 0, 0, -1, -1);
    return bound(mode, isNaN<T>(a), x < 0, -0x80000000, 0x7fffffff, -0x80000000);
  }
  if (x != y) raise(status, NX);
  return <i64>(<i32>(<i64>y));
}

export function toInteger64<T>(status: usize, a: u64, unsigned: bool, rm: i32): i64 {
  const x = toDouble<T>(a);
  const y = roundDouble(x, rm);
  const fits = unsigned
    ? y >= 0 && y < 18446744073709551616.0
    : y >= -9223372036854775808.0 && y < 9223372036854775808.0;
  if (isNaN<T>(a) || !fits) {
    raise(status, NV);
    const mode = modeOf(status);
    if (unsigned) return bound(mode, isNaN<T>(a), x < 0, 0, -1, -1);
    return bound(mode, isNaN<T>(a), x < 0, i64.MIN_VALUE, i64.MAX_VALUE, i64.MIN_VALUE);
  }
  if (x != y) raise(status, NX);
  return unsigned ? <i64>(<u64>y) : <i64>y;
}

/**
 * To the low 32 bits of the integer, truncated, whatever its size (sign-extended); NaN and infinity give 0. NV when it
 * does not fit, else NX when inexact. Source: RISC-V Unprivileged ISA 20240411, "Zfa", FCVTMOD.W.D.
 */
export function toInteger32Modular(status: usize, a: u64): i64 {
  const x = reinterpret<f64>(a);
  const y = trunc<f64>(x);
  if (y >= -2147483648 && y <= 2147483647) {
    if (x != y) raise(status, NX);
    return <i64>(<i32>y);
  }
  raise(status, NV);
  const field = exponentOf<u64>(a);
  const shift = field - bias<u64>() - 52;
  if (field == exponentMax<u64>() || shift >= 32) return 0;
  const size = fractionOf<u64>(a) | ((<u64>1) << 52);
  const whole = shift >= 0 ? size << shift : size >> -shift;
  return <i64>(<i32>(signOf<u64>(a) != 0 ? -<i64>whole : <i64>whole));
}
