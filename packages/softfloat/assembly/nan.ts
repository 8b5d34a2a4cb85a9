// Results that are NaNs. Source: IEEE 754-2019, 6.2 "Operations with NaNs" and 7.2 "Invalid operation";
// RISC-V Unprivileged ISA 20240411, 20.3 "NaN Generation and Propagation".

import { infinity, isNaN, isSignaling, magnitude, quietBit, signMask } from "./format";
import {
  ADDEND_FIRST,
  DEFAULT_NAN_NEGATIVE,
  INF_ZERO_QUIET,
  NAN_LARGEST,
  NAN_RULE,
  NAN_SIGNALING_FIRST,
  NV,
  modeOf,
  raise,
} from "./status";

@inline export function defaultNaN<T>(mode: i32): u64 {
  return infinity<T>() | quietBit<T>() | ((mode & DEFAULT_NAN_NEGATIVE) != 0 ? signMask<T>() : 0);
}

/** The result of an operation without a meaningful value. */
export function invalid<T>(status: usize): u64 {
  raise(status, NV);
  return defaultNaN<T>(modeOf(status));
}

function choose<T>(mode: i32, a: u64, b: u64): u64 {
  const rule = mode & NAN_RULE;
  if (rule == 0) return defaultNaN<T>(mode);
  const quietA = a | quietBit<T>();
  const quietB = b | quietBit<T>();
  if (rule == NAN_SIGNALING_FIRST) {
    if (isSignaling<T>(a)) return quietA;
    if (isSignaling<T>(b)) return quietB;
  } else if (rule == NAN_LARGEST && isNaN<T>(a) && isNaN<T>(b)) {
    if (isSignaling<T>(a) != isSignaling<T>(b)) return isSignaling<T>(a) ? b : a;
    const difference = <i64>magnitude<T>(a) - <i64>magnitude<T>(b);
    if (difference == 0) return quietA & quietB;
    return difference > 0 ? quietA : quietB;
  }
  return isNaN<T>(a) ? quietA : quietB;
}

/** The result of an operation on one NaN. */
export function propagate<T>(status: usize, a: u64): u64 {
  if (isSignaling<T>(a)) raise(status, NV);
  const mode = modeOf(status);
  return (mode & NAN_RULE) == 0 ? defaultNaN<T>(mode) : a | quietBit<T>();
}

/** The result of an operation on two operands of which at least one is a NaN. */
export function propagate2<T>(status: usize, a: u64, b: u64): u64 {
  if (isSignaling<T>(a) || isSignaling<T>(b)) raise(status, NV);
  return choose<T>(modeOf(status), a, b);
}

/** The result of a * b + c where at least one is a NaN; `infinityTimesZero` speaks of a * b. */
export function propagate3<T>(status: usize, a: u64, b: u64, c: u64, infinityTimesZero: bool): u64 {
  const mode = modeOf(status);
  if (isSignaling<T>(a) || isSignaling<T>(b) || isSignaling<T>(c)) raise(status, NV);
  if (infinityTimesZero && (mode & INF_ZERO_QUIET) == 0) {
    raise(status, NV);
    if (!isSignaling<T>(c)) return defaultNaN<T>(mode);
  }
  if ((mode & NAN_RULE) == 0) return defaultNaN<T>(mode);
  const addendFirst = (mode & ADDEND_FIRST) != 0;
  const x = addendFirst ? c : a;
  const y = addendFirst ? a : b;
  const z = addendFirst ? b : c;
  if ((mode & NAN_RULE) == NAN_SIGNALING_FIRST && isSignaling<T>(z) && !isSignaling<T>(x) && !isSignaling<T>(y)) {
    return z | quietBit<T>();
  }
  return isNaN<T>(x) || isNaN<T>(y) ? choose<T>(mode, x, y) : z | quietBit<T>();
}
