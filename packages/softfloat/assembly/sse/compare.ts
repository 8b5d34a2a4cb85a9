// Comparisons of vectors. Source: Intel SDM volume 2 (2023), CMPPD table 3-1, COMISD, UCOMISD.

import { ordinal } from "../compare";
import { isNaN, isSignaling, isZero } from "../format";
import { NV, raise } from "../status";
import { B, DAZ, RESULT, begin, beginLane, endLane, finish, flushed, isDenormal, lane, setLane, statusOf } from "./lanes";

const LESS: i32 = 1;
const EQUAL: i32 = 2;
const GREATER: i32 = 4;
const UNORDERED: i32 = 8;

/** How a relates to b. */
function relation<T>(p: usize, mxcsr: i32, a: u64, b: u64, signaling: bool): i32 {
  beginLane(p);
  const nan = isNaN<T>(a) || isNaN<T>(b);
  if (nan) {
    if (signaling || isSignaling<T>(a) || isSignaling<T>(b)) raise(statusOf(p), NV);
    endLane(p, false);
    return UNORDERED;
  }
  let denormal = false;
  if ((mxcsr & DAZ) != 0) {
    a = flushed<T>(a);
    b = flushed<T>(b);
  } else denormal = isDenormal<T>(a) || isDenormal<T>(b);
  endLane(p, denormal);
  if (a == b || (isZero<T>(a) && isZero<T>(b))) return EQUAL;
  return ordinal<T>(a) < ordinal<T>(b) ? LESS : GREATER;
}

// Relations for which predicates 0..15 hold, four bits each, and those of them that signal on quiet NaNs; 16..31 are
// the same with that inverted.
const HOLDS: u64 = 0xf4650b9a7ced8312;
const SIGNALS: i32 = 0x6666;

@inline function compare<T>(p: usize, m: usize, predicate: i32, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  const holds = <i32>(HOLDS >> (<u64>(predicate & 15) << 2)) & 15;
  const signaling = (((SIGNALS >> (predicate & 15)) ^ (predicate >> 4)) & 1) != 0;
  for (let n = 0; n < lanes; n++) {
    const r = relation<T>(p, mxcsr, lane<T>(p, n), lane<T>(p + B, n), signaling);
    setLane<T>(p + RESULT, n, (holds & r) != 0 ? <u64>-1 : 0);
  }
  return finish(p, m);
}

export function sse_cmp32(p: usize, m: usize, predicate: i32, lanes: i32): i32 {
  return compare<u32>(p, m, predicate, lanes);
}

export function sse_cmp64(p: usize, m: usize, predicate: i32, lanes: i32): i32 {
  return compare<u64>(p, m, predicate, lanes);
}

/** COMISS and its kin: ZF, PF, CF as EFLAGS has them, into the result. */
@inline function flags<T>(p: usize, m: usize, signaling: i32): i32 {
  const mxcsr = begin(p, m);
  const r = relation<T>(p, mxcsr, lane<T>(p, 0), lane<T>(p + B, 0), signaling != 0);
  store<i32>(p, r == UNORDERED ? 0x45 : r == EQUAL ? 0x40 : r == LESS ? 1 : 0, RESULT);
  return finish(p, m);
}

export function sse_comi32(p: usize, m: usize, signaling: i32): i32 {
  return flags<u32>(p, m, signaling);
}

export function sse_comi64(p: usize, m: usize, signaling: i32): i32 {
  return flags<u64>(p, m, signaling);
}
