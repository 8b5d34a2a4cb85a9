// Conversions of vectors, rounding to integers, approximations.
// Source: Intel SDM volume 2 (2023), CVTPD2PS and its kin, ROUNDPD, VCVTPS2PH, RCPPS; volume 1, 14.4.1.

import { convert, roundToIntegral, toInteger32, toInteger64 } from "../convert";
import { infinity, isNaN, isZero, quietBit, signMask } from "../format";
import { fromInteger } from "../round";
import { RTZ, UF, rounding } from "../status";
import {
  B, DAZ, RESULT, begin, beginLane, collect, direction, endArithmetic, endLane, finish, flushed, isDenormal, lane,
  setDirection, setLane, statusOf,
} from "./lanes";

/** Lane `n` of b, its denormals as zero where MXCSR says so. */
@inline function source<T>(p: usize, mxcsr: i32, n: i32): u64 {
  const b = lane<T>(p + B, n);
  return (mxcsr & DAZ) != 0 ? flushed<T>(b) : b;
}

/** To i32, by truncation or MXCSR's direction. */
@inline function toWords<T>(p: usize, m: usize, truncate: i32, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  const s = statusOf(p);
  const rm = truncate != 0 ? RTZ : rounding(s);
  for (let n = 0; n < lanes; n++) {
    beginLane(p);
    const r = toInteger32<T>(s, source<T>(p, mxcsr, n), false, rm);
    endLane(p, false);
    setLane<u32>(p + RESULT, n, <u64>r);
  }
  return finish(p, m);
}

export function sse_f32_i32(p: usize, m: usize, truncate: i32, lanes: i32): i32 {
  return toWords<u32>(p, m, truncate, lanes);
}

export function sse_f64_i32(p: usize, m: usize, truncate: i32, lanes: i32): i32 {
  return toWords<u64>(p, m, truncate, lanes);
}

@inline function toLong<T>(p: usize, m: usize, truncate: i32): i32 {
  const mxcsr = begin(p, m);
  const s = statusOf(p);
  store<i64>(p, toInteger64<T>(s, source<T>(p, mxcsr, 0), false, truncate != 0 ? RTZ : rounding(s)), RESULT);
  endLane(p, false);
  return finish(p, m);
}

export function sse_f32_i64(p: usize, m: usize, truncate: i32): i32 {
  return toLong<u32>(p, m, truncate);
}

export function sse_f64_i64(p: usize, m: usize, truncate: i32): i32 {
  return toLong<u64>(p, m, truncate);
}

@inline function fromLong<T>(s: usize, v: i64): u64 {
  return fromInteger<T>(s, <u64>(v < 0), <u64>abs<i64>(v));
}

/** From i32. */
export function sse_i32_f32(p: usize, m: usize, lanes: i32): i32 {
  begin(p, m);
  for (let n = 0; n < lanes; n++) {
    setLane<u32>(p + RESULT, n, fromLong<u32>(statusOf(p), <i64>(<i32>lane<u32>(p + B, n))));
  }
  endLane(p, false);
  return finish(p, m);
}

export function sse_i64_f32(p: usize, m: usize): i32 {
  begin(p, m);
  setLane<u32>(p + RESULT, 0, fromLong<u32>(statusOf(p), load<i64>(p, B)));
  endLane(p, false);
  return finish(p, m);
}

export function sse_i64_f64(p: usize, m: usize): i32 {
  begin(p, m);
  setLane<u64>(p + RESULT, 0, fromLong<u64>(statusOf(p), load<i64>(p, B)));
  endLane(p, false);
  return finish(p, m);
}

export function sse_f32_f64(p: usize, m: usize, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  for (let n = 0; n < lanes; n++) {
    beginLane(p);
    const b = source<u32>(p, mxcsr, n);
    const r = convert<u32, u64>(statusOf(p), b);
    endLane(p, isDenormal<u32>(b));
    setLane<u64>(p + RESULT, n, r);
  }
  return finish(p, m);
}

export function sse_f64_f32(p: usize, m: usize, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  for (let n = 0; n < lanes; n++) {
    beginLane(p);
    const b = source<u64>(p, mxcsr, n);
    const r = convert<u64, u32>(statusOf(p), b);
    setLane<u32>(p + RESULT, n, endArithmetic<u32>(p, mxcsr, isDenormal<u64>(b), r));
  }
  return finish(p, m);
}

/** Half to single precision: denormal numbers are numbers whatever MXCSR says. */
export function sse_f16_f32(p: usize, m: usize, lanes: i32): i32 {
  begin(p, m);
  for (let n = 0; n < lanes; n++) {
    beginLane(p);
    const r = convert<u16, u32>(statusOf(p), lane<u16>(p + B, n));
    endLane(p, false);
    setLane<u32>(p + RESULT, n, r);
  }
  return finish(p, m);
}

/** Single to half precision; nothing is flushed to zero. imm: bit 2 MXCSR's direction, else bits 1:0. */
export function sse_f32_f16(p: usize, m: usize, imm: i32, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  if ((imm & 4) == 0) setDirection(p, direction(imm & 3));
  for (let n = 0; n < lanes; n++) {
    beginLane(p);
    const b = source<u32>(p, mxcsr, n);
    const r = convert<u32, u16>(statusOf(p), b);
    // Underflow that is not masked is signalled for exact results, too.
    if ((mxcsr & 0x800) == 0 && isDenormal<u16>(r)) collect(p, UF);
    endLane(p, isDenormal<u32>(b));
    setLane<u16>(p + RESULT, n, r);
  }
  return finish(p, m);
}

/** ROUNDPS and its kin. imm: bit 3 no precision exception, bit 2 MXCSR's direction, else bits 1:0. */
@inline function integral<T>(p: usize, m: usize, imm: i32, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  if ((imm & 4) == 0) setDirection(p, direction(imm & 3));
  for (let n = 0; n < lanes; n++) {
    beginLane(p);
    const r = roundToIntegral<T>(statusOf(p), source<T>(p, mxcsr, n), (imm & 8) == 0);
    endLane(p, false);
    setLane<T>(p + RESULT, n, r);
  }
  return finish(p, m);
}

export function sse_round32(p: usize, m: usize, imm: i32, lanes: i32): i32 {
  return integral<u32>(p, m, imm, lanes);
}

export function sse_round64(p: usize, m: usize, imm: i32, lanes: i32): i32 {
  return integral<u64>(p, m, imm, lanes);
}

/** RCPPS (`root` 0) and RSQRTPS: to the nearest, which is within their error; no flags, denormals are zero. */
export function sse_approximate(p: usize, root: i32, lanes: i32): void {
  for (let n = 0; n < lanes; n++) {
    const b = flushed<u32>(lane<u32>(p + B, n));
    let r: u64;
    if (isNaN<u32>(b)) r = b | quietBit<u32>();
    else if (isZero<u32>(b)) r = b | infinity<u32>();
    else if (root != 0 && (b & signMask<u32>()) != 0) r = infinity<u32>() | quietBit<u32>() | signMask<u32>();
    else {
      const x = reinterpret<f32>(<u32>b);
      r = flushed<u32>(reinterpret<u32>(root != 0 ? <f32>(1 / sqrt<f64>(<f64>x)) : <f32>1 / x));
    }
    setLane<u32>(p + RESULT, n, r);
  }
}
