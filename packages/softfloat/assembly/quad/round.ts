// Rounding to binary128 and results that are NaNs; the twin of ../round.ts and ../nan.ts for two words.
// Source: IEEE 754-2019, 4.3, 6.2, 7.

import { increment } from "../round";
import {
  ADDEND_FIRST,
  DEFAULT_NAN_NEGATIVE,
  INF_ZERO_QUIET,
  NAN_LARGEST,
  NAN_RULE,
  NAN_SIGNALING_FIRST,
  NV,
  NX,
  OF,
  RNE,
  ROD,
  TINY_BEFORE,
  UF,
  modeOf,
  raise,
} from "../status";
import {
  EXPONENT_MAX,
  INFINITY,
  MAGNITUDE,
  QUIET,
  SIGN,
  isNaN,
  isSignaling,
  result,
  resultHigh,
  resultLow,
  shiftRightJam,
} from "./format";

const DROP: i32 = 14;
const MASK: u64 = (1 << DROP) - 1;
const HALF: u64 = 1 << (DROP - 1);

/** Stores a number at `out`. */
@inline export function put(out: usize, high: u64, low: u64): void {
  store<u64>(out, low);
  store<u64>(out, high, 8);
}

/** As roundPack of ../round.ts; the encoding goes to `out`. */
export function roundPack(status: usize, out: usize, sign: u64, exponent: i32, high: u64, low: u64): void {
  const mode = modeOf(status);
  const add = increment(mode, sign, HALF, MASK);
  const signBit = sign << 63;
  let flags = 0;
  if (<u32>(exponent - 1) >= <u32>(EXPONENT_MAX - 2)) {
    const carries = high == MAGNITUDE && low + add < low;
    if (exponent <= 0) {
      const tiny = (mode & TINY_BEFORE) != 0 || exponent < 0 || !carries;
      shiftRightJam(high, low, 1 - exponent);
      high = resultHigh;
      low = resultLow;
      exponent = 1;
      if (tiny && (low & MASK) != 0) flags = UF;
    } else if (exponent >= EXPONENT_MAX || carries) {
      raise(status, OF | NX);
      if (add == 0) put(out, signBit | (INFINITY - 1), u64.MAX_VALUE);
      else put(out, signBit | INFINITY, 0);
      return;
    }
  }
  const rest = low & MASK;
  if (rest != 0) {
    raise(status, flags | NX);
    high += <u64>(low + add < low);
    low += add;
  }
  low = (low >> DROP) | (high << (64 - DROP));
  high >>= DROP;
  const rm = mode & 7;
  if (rm == RNE && rest == HALF) low &= ~(<u64>1);
  if (rm == ROD && rest != 0) low |= 1;
  put(out, signBit | ((<u64>(exponent - 1) << 48) + high), low);
}

@inline function putDefaultNaN(mode: i32, out: usize): void {
  put(out, INFINITY | QUIET | ((mode & DEFAULT_NAN_NEGATIVE) != 0 ? SIGN : 0), 0);
}

export function invalid(status: usize, out: usize): void {
  raise(status, NV);
  putDefaultNaN(modeOf(status), out);
}

export function propagate(status: usize, out: usize, high: u64, low: u64): void {
  if (isSignaling(high, low)) raise(status, NV);
  const mode = modeOf(status);
  if ((mode & NAN_RULE) == 0) putDefaultNaN(mode, out);
  else put(out, high | QUIET, low);
}

export function propagate2(status: usize, out: usize, aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): void {
  const signalingA = isSignaling(aHigh, aLow);
  const signalingB = isSignaling(bHigh, bLow);
  if (signalingA || signalingB) raise(status, NV);
  const mode = modeOf(status);
  const rule = mode & NAN_RULE;
  if (rule == 0) {
    putDefaultNaN(mode, out);
    return;
  }
  let takeA = isNaN(aHigh, aLow);
  if (rule == NAN_SIGNALING_FIRST && (signalingA || signalingB)) takeA = signalingA;
  else if (rule == NAN_LARGEST && takeA && isNaN(bHigh, bLow)) {
    const sizeA = aHigh & MAGNITUDE;
    const sizeB = bHigh & MAGNITUDE;
    if (signalingA != signalingB) takeA = signalingB;
    else if (sizeA != sizeB) takeA = sizeA > sizeB;
    else takeA = aLow != bLow ? aLow > bLow : aHigh < bHigh;
  }
  if (takeA) put(out, aHigh | QUIET, aLow);
  else put(out, bHigh | QUIET, bLow);
}

export function propagate3(
  status: usize,
  out: usize,
  aHigh: u64,
  aLow: u64,
  bHigh: u64,
  bLow: u64,
  cHigh: u64,
  cLow: u64,
  infinityTimesZero: bool,
): void {
  const mode = modeOf(status);
  const signalingC = isSignaling(cHigh, cLow);
  if (isSignaling(aHigh, aLow) || isSignaling(bHigh, bLow) || signalingC) raise(status, NV);
  if (infinityTimesZero && (mode & INF_ZERO_QUIET) == 0) {
    raise(status, NV);
    if (!signalingC) {
      putDefaultNaN(mode, out);
      return;
    }
  }
  if ((mode & NAN_RULE) == 0) {
    putDefaultNaN(mode, out);
    return;
  }
  const nanC = isNaN(cHigh, cLow);
  const factors = isNaN(aHigh, aLow) || isNaN(bHigh, bLow);
  const signalingFactor = isSignaling(aHigh, aLow) || isSignaling(bHigh, bLow);
  let takeC = nanC && (!factors || (mode & ADDEND_FIRST) != 0);
  if ((mode & NAN_RULE) == NAN_SIGNALING_FIRST && nanC && signalingFactor != signalingC) takeC = signalingC;
  if (takeC) put(out, cHigh | QUIET, cLow);
  else propagate2(status, out, aHigh, aLow, bHigh, bLow);
}

/** Whether a comparison is unordered, with the flag it raises. */
export function unordered(status: usize, aHigh: u64, aLow: u64, bHigh: u64, bLow: u64, signaling: bool): bool {
  if (!isNaN(aHigh, aLow) && !isNaN(bHigh, bLow)) return false;
  if (signaling || isSignaling(aHigh, aLow) || isSignaling(bHigh, bLow)) raise(status, NV);
  return true;
}

export function roundInteger(status: usize, out: usize, sign: u64, value: u64): void {
  if (value == 0) {
    put(out, 0, 0);
    return;
  }
  const n = <i32>clz<u64>(value);
  if (n == 0) result(value >> 1, value << 63);
  else result(value << (n - 1), 0);
  roundPack(status, out, sign, 16383 + 63 - n, resultHigh, resultLow);
}
