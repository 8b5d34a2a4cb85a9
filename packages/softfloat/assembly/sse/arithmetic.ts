// Sums, products, quotients, roots, minimum and maximum of vectors.
// Source: Intel SDM volume 1 (2023), 4.8.3.5 and 11.5.2; volume 2, ADDPD and its kin; table 4-16 "MINPD".

import { f32_add, f32_div, f32_mul, f32_mulAdd, f32_sqrt, f32_sub } from "../f32";
import { f64_add, f64_div, f64_mul, f64_mulAdd, f64_sqrt, f64_sub } from "../f64";
import { isInfinite, isNaN, isZero, signMask } from "../format";
import { ordinal } from "../compare";
import { propagate3 } from "../nan";
import { NV, raise } from "../status";
import {
  B, C, DAZ, RESULT, begin, beginLane, endArithmetic, endLane, finish, flushed, isDenormal, isDue, lane, setLane, statusOf,
} from "./lanes";

export const ADD: i32 = 0;
export const SUB: i32 = 1;
export const MUL: i32 = 2;
const DIV: i32 = 3;
const SQRT: i32 = 4;
const MIN: i32 = 5;
const MAX: i32 = 6;
const ADDSUB: i32 = 7;

/** The second operand unless the first is less (greater). */
@inline function extremum<T>(s: usize, a: u64, b: u64, largest: bool): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) {
    raise(s, NV);
    return b;
  }
  if (isZero<T>(a) && isZero<T>(b)) return b;
  const first = largest ? ordinal<T>(a) > ordinal<T>(b) : ordinal<T>(a) < ordinal<T>(b);
  return first ? a : b;
}

@inline function compute<T>(s: usize, op: i32, a: u64, b: u64): u64 {
  const wide = sizeof<T>() == 8;
  if (op == ADD) return wide ? f64_add(s, a, b) : f32_add(s, a, b);
  if (op == SUB) return wide ? f64_sub(s, a, b) : f32_sub(s, a, b);
  if (op == MUL) return wide ? f64_mul(s, a, b) : f32_mul(s, a, b);
  if (op == DIV) return wide ? f64_div(s, a, b) : f32_div(s, a, b);
  return wide ? f64_sqrt(s, b) : f32_sqrt(s, b);
}

/** One lane of an operation on two operands; of SQRT the operand is the second. */
export function two<T>(p: usize, mxcsr: i32, op: i32, a: u64, b: u64): u64 {
  beginLane(p);
  if (op == SQRT) a = 0;
  let denormal = false;
  if ((mxcsr & DAZ) != 0) {
    a = flushed<T>(a);
    b = flushed<T>(b);
  } else denormal = (isDenormal<T>(a) || isDenormal<T>(b)) && !isNaN<T>(a) && !isNaN<T>(b);
  if (op == MIN || op == MAX) {
    const r = extremum<T>(statusOf(p), a, b, op == MAX);
    endLane(p, denormal);
    return r;
  }
  return endArithmetic<T>(p, mxcsr, denormal, compute<T>(statusOf(p), op, a, b));
}

@inline function arithmetic<T>(p: usize, m: usize, op: i32, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  for (let n = 0; n < lanes; n++) {
    const each = op == ADDSUB ? ((n & 1) != 0 ? ADD : SUB) : op;
    setLane<T>(p + RESULT, n, two<T>(p, mxcsr, each, lane<T>(p, n), lane<T>(p + B, n)));
  }
  return finish(p, m);
}

export function sse_f32(p: usize, m: usize, op: i32, lanes: i32): i32 {
  return arithmetic<u32>(p, m, op, lanes);
}

export function sse_f64(p: usize, m: usize, op: i32, lanes: i32): i32 {
  return arithmetic<u64>(p, m, op, lanes);
}

/** ±(a * b) ± c. A NaN keeps its sign. */
function fusedLane<T>(p: usize, mxcsr: i32, a: u64, b: u64, c: u64, minusProduct: bool, minusAddend: bool): u64 {
  beginLane(p);
  const nan = isNaN<T>(a) || isNaN<T>(b) || isNaN<T>(c);
  let denormal = false;
  if ((mxcsr & DAZ) != 0) {
    a = flushed<T>(a);
    b = flushed<T>(b);
    c = flushed<T>(c);
  } else denormal = !nan && (isDenormal<T>(a) || isDenormal<T>(b) || isDenormal<T>(c));
  const s = statusOf(p);
  if (nan) {
    const infinityTimesZero = (isInfinite<T>(a) && isZero<T>(b)) || (isZero<T>(a) && isInfinite<T>(b));
    const r = propagate3<T>(s, a, b, c, infinityTimesZero);
    endLane(p, false);
    return r;
  }
  if (minusProduct) a ^= signMask<T>();
  if (minusAddend) c ^= signMask<T>();
  const r = sizeof<T>() == 8 ? f64_mulAdd(s, a, b, c) : f32_mulAdd(s, a, b, c);
  return endArithmetic<T>(p, mxcsr, denormal, r);
}

/** `signs`: bit 0 negates the product, bits 1 and 2 the addend of even and odd lanes. */
@inline function fused<T>(p: usize, m: usize, signs: i32, lanes: i32): i32 {
  const mxcsr = begin(p, m);
  for (let n = 0; n < lanes; n++) {
    const minusAddend = ((signs >> (1 + (n & 1))) & 1) != 0;
    const r = fusedLane<T>(p, mxcsr, lane<T>(p, n), lane<T>(p + B, n), lane<T>(p + C, n), (signs & 1) != 0, minusAddend);
    setLane<T>(p + RESULT, n, r);
  }
  return finish(p, m);
}

export function sse_fma32(p: usize, m: usize, signs: i32, lanes: i32): i32 {
  return fused<u32>(p, m, signs, lanes);
}

export function sse_fma64(p: usize, m: usize, signs: i32, lanes: i32): i32 {
  return fused<u64>(p, m, signs, lanes);
}

/** DPPS: products of the lanes in imm[7:4], their sum in the lanes of imm[3:0]. */
export function sse_dp32(p: usize, m: usize, imm: i32): i32 {
  const mxcsr = begin(p, m);
  for (let n = 0; n < 4; n++) {
    const on = ((imm >> (4 + n)) & 1) != 0;
    setLane<u32>(p + C, n, on ? two<u32>(p, mxcsr, MUL, lane<u32>(p, n), lane<u32>(p + B, n)) : 0);
  }
  if (isDue(p, m)) return finish(p, m);
  const x = two<u32>(p, mxcsr, ADD, lane<u32>(p + C, 0), lane<u32>(p + C, 1));
  const y = two<u32>(p, mxcsr, ADD, lane<u32>(p + C, 2), lane<u32>(p + C, 3));
  if (isDue(p, m)) return finish(p, m);
  const sum = two<u32>(p, mxcsr, ADD, x, y);
  for (let n = 0; n < 4; n++) setLane<u32>(p + RESULT, n, ((imm >> n) & 1) != 0 ? sum : 0);
  return finish(p, m);
}

/** DPPD. */
export function sse_dp64(p: usize, m: usize, imm: i32): i32 {
  const mxcsr = begin(p, m);
  const x = (imm & 16) != 0 ? two<u64>(p, mxcsr, MUL, lane<u64>(p, 0), lane<u64>(p + B, 0)) : 0;
  const y = (imm & 32) != 0 ? two<u64>(p, mxcsr, MUL, lane<u64>(p, 1), lane<u64>(p + B, 1)) : 0;
  if (isDue(p, m)) return finish(p, m);
  const sum = two<u64>(p, mxcsr, ADD, x, y);
  setLane<u64>(p + RESULT, 0, (imm & 1) != 0 ? sum : 0);
  setLane<u64>(p + RESULT, 1, (imm & 2) != 0 ? sum : 0);
  return finish(p, m);
}
