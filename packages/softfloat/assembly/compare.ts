// Comparisons, minimum, maximum and classification.
// Source: IEEE 754-2019, 5.11 "Comparisons", 9.6 "Minimum and maximum operations";
// RISC-V Unprivileged ISA 20240411, 20.8 "Single-Precision Floating-Point Compare", 20.9 "Classify".

import {
  exponentOf,
  fractionOf,
  infinity,
  isNaN,
  isSignaling,
  isZero,
  magnitude,
  magnitudeMask,
  quietBit,
  signOf,
} from "./format";
import { defaultNaN, propagate2 } from "./nan";
import { NV, modeOf, raise } from "./status";

@inline function unordered<T>(status: usize, a: u64, b: u64, signaling: bool): bool {
  if (!isNaN<T>(a) && !isNaN<T>(b)) return false;
  if (signaling || isSignaling<T>(a) || isSignaling<T>(b)) raise(status, NV);
  return true;
}

/** Encodings ordered as signed integers; -0 comes just below +0. */
@inline export function ordinal<T>(a: u64): i64 {
  const size = <i64>magnitude<T>(a);
  return signOf<T>(a) != 0 ? ~size : size;
}

export function equal<T>(status: usize, a: u64, b: u64, signaling: bool): i64 {
  if (unordered<T>(status, a, b, signaling)) return 0;
  return <i64>(a == b || ((a | b) & magnitudeMask<T>()) == 0);
}

export function less<T>(status: usize, a: u64, b: u64, signaling: bool): i64 {
  if (unordered<T>(status, a, b, signaling)) return 0;
  return <i64>(ordinal<T>(a) < ordinal<T>(b) && ((a | b) & magnitudeMask<T>()) != 0);
}

export function lessEqual<T>(status: usize, a: u64, b: u64, signaling: bool): i64 {
  if (unordered<T>(status, a, b, signaling)) return 0;
  return <i64>(ordinal<T>(a) <= ordinal<T>(b) || ((a | b) & magnitudeMask<T>()) == 0);
}

/** minimumNumber or maximumNumber: a NaN loses against a number, -0 is less than +0. */
export function extremum<T>(status: usize, a: u64, b: u64, largest: bool): u64 {
  const nanA = isNaN<T>(a);
  const nanB = isNaN<T>(b);
  if (nanA || nanB) {
    if (nanA && nanB) return propagate2<T>(status, a, b);
    if (isSignaling<T>(a) || isSignaling<T>(b)) raise(status, NV);
    return nanA ? b : a;
  }
  return ordinal<T>(a) < ordinal<T>(b) != largest ? a : b;
}

/** minimum or maximum: a NaN wins. */
export function extremumOrNaN<T>(status: usize, a: u64, b: u64, largest: bool): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagate2<T>(status, a, b);
  return ordinal<T>(a) < ordinal<T>(b) != largest ? a : b;
}

/** One bit of ten: -inf, -normal, -subnormal, -0, +0, +subnormal, +normal, +inf, signaling NaN, quiet NaN. */
export function classify<T>(a: u64): i64 {
  if (isNaN<T>(a)) return (a & quietBit<T>()) != 0 ? 0x200 : 0x100;
  let distance = 0;
  if (magnitude<T>(a) == infinity<T>()) distance = 3;
  else if (exponentOf<T>(a) != 0) distance = 2;
  else if (fractionOf<T>(a) != 0) distance = 1;
  return <i64>1 << (signOf<T>(a) != 0 ? 3 - distance : 4 + distance);
}
