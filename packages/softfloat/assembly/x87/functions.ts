// Instructions that replace the top of the stack by a function of it and the next. Source: Intel SDM volume 2 (2023).

import { angle } from "./arctangent";
import { squareRoot } from "./arithmetic";
import { roundToInteger } from "./convert";
import { exponential, timesLogarithm, timesLogarithmPlus1 } from "./exponential";
import {
  BEFORE,
  control,
  finish,
  isEmpty,
  physical,
  pop,
  push,
  refused,
  setIndefinite,
  setRegister,
  setStatusWord,
  setTop,
  significand,
  signExponent,
  statusWord,
  top,
  underflow,
} from "./file";
import { BIAS, INTEGER, MAX, invalid, isDenormal, isInfinite, isNaN80, isUnsupported, isZero, propagate } from "./format";
import { extract, partSe, partSig, quotientBits, remainder, scale } from "./remainder";
import { C0, C1, C2, C3, DE, IE, PC64, SF, clearFlags, keepFlags, raise, result, se } from "./status";
import { reduce, sine, tangent } from "./trigonometry";

/** The result into ST(0) unless it is refused; the end of the instruction. */
@inline
function put(env: usize, cw: i32, r: i32, sig: u64): void {
  if (refused(cw)) keepFlags(BEFORE | SF);
  else setRegister(env, r, se, sig);
  finish(env, cw);
}

@inline
function missing(env: usize, cw: i32, r: i32): void {
  if (underflow(cw)) setIndefinite(env, r);
  finish(env, cw);
}

export function x87_sqrt(env: usize): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  if (isEmpty(env, r)) missing(env, cw, r);
  else put(env, cw, r, squareRoot(cw, signExponent(env, r), significand(env, r)));
}

export function x87_rndint(env: usize): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  if (isEmpty(env, r)) missing(env, cw, r);
  else put(env, cw, r, roundToInteger(cw, signExponent(env, r), significand(env, r)));
}

export function x87_scale(env: usize): void {
  clearFlags();
  const cw = control(env);
  const a = top(env);
  const b = physical(env, 1);
  if (isEmpty(env, a) || isEmpty(env, b)) missing(env, cw, a);
  else put(env, cw, a, scale(cw, signExponent(env, a), significand(env, a), signExponent(env, b), significand(env, b)));
}

/** FPREM with 0, FPREM1 with 1. */
export function x87_prem(env: usize, nearest: i32): void {
  clearFlags();
  const cw = control(env);
  const a = top(env);
  const b = physical(env, 1);
  setStatusWord(env, statusWord(env) & ~C2);
  if (isEmpty(env, a) || isEmpty(env, b)) {
    missing(env, cw, a);
    return;
  }
  const sig = remainder(
    cw,
    signExponent(env, a),
    significand(env, a),
    signExponent(env, b),
    significand(env, b),
    nearest != 0,
  );
  if (quotientBits >= 0 && !refused(cw)) {
    setStatusWord(env, (statusWord(env) & ~(C0 | C3)) | (quotientBits & ~C1));
    raise(quotientBits & C1);
  }
  put(env, cw, a, sig);
}

/** FXTRACT: the exponent takes the place of the number, the significand goes on top. */
export function x87_xtract(env: usize): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  const next = physical(env, 7);
  if (isEmpty(env, r)) {
    if (underflow(cw)) {
      setIndefinite(env, r);
      pushIndefinite(env);
    }
    finish(env, cw);
    return;
  }
  if (!isEmpty(env, next)) {
    raise(IE | SF | C1);
    if ((cw & IE) != 0) {
      setIndefinite(env, r);
      pushIndefinite(env);
    }
    finish(env, cw);
    return;
  }
  const sig = extract(signExponent(env, r), significand(env, r));
  if (refused(cw)) keepFlags(BEFORE | SF);
  else {
    setRegister(env, r, se, sig);
    push(env, cw, partSe, partSig);
  }
  finish(env, cw);
}

/** Onto the stack, full or not. */
function pushIndefinite(env: usize): void {
  setTop(env, top(env) - 1);
  setIndefinite(env, top(env));
}

export function x87_f2xm1(env: usize): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  if (isEmpty(env, r)) missing(env, cw, r);
  else put(env, cw, r, exponential(cw | PC64, signExponent(env, r), significand(env, r)));
}

/** ST(1) = f(ST(1), ST(0)), and pop: FYL2X with 0, FYL2XP1 with 1, FPATAN with 2. */
@inline
function binary(env: usize, which: i32): void {
  clearFlags();
  const cw = control(env);
  const x = top(env);
  const y = physical(env, 1);
  if (isEmpty(env, x) || isEmpty(env, y)) {
    if (underflow(cw)) {
      setIndefinite(env, y);
      pop(env);
    }
    finish(env, cw);
    return;
  }
  const ySe = signExponent(env, y);
  const ySig = significand(env, y);
  const xSe = signExponent(env, x);
  const xSig = significand(env, x);
  let sig: u64;
  if (which == 0) sig = timesLogarithm(cw | PC64, ySe, ySig, xSe, xSig);
  else if (which == 1) sig = timesLogarithmPlus1(cw | PC64, ySe, ySig, xSe, xSig);
  else sig = angle(cw | PC64, ySe, ySig, xSe, xSig);
  if (refused(cw)) keepFlags(BEFORE | SF);
  else {
    setRegister(env, y, se, sig);
    pop(env);
  }
  finish(env, cw);
}

export function x87_yl2x(env: usize, plus1: i32): void {
  if (plus1 != 0) binary(env, 1);
  else binary(env, 0);
}

export function x87_patan(env: usize): void {
  binary(env, 2);
}

/** What FSIN and its like do about an operand that has no ordinary result; true if there is one to be computed. */
function prepare(signExponent: i32, sig: u64): bool {
  ordinary = false;
  special = 0;
  if (isUnsupported(signExponent, sig)) special = invalid();
  else if (isNaN80(signExponent, sig)) special = propagate(signExponent, sig);
  else if (isInfinite(signExponent, sig)) special = invalid();
  else {
    if (isDenormal(signExponent, sig)) raise(DE);
    ordinary = !isZero(signExponent, sig);
    special = result(signExponent, sig);
    if (ordinary) reduce(signExponent, sig);
  }
  return ordinary;
}

let ordinary: bool = false;
let special: u64 = 0;

/** Whether ST(0) is out of range, which C2 tells; then nothing happens. */
function outOfRange(env: usize, cw: i32, signExponent: i32, sig: u64): bool {
  const exponent = signExponent & MAX;
  const out = exponent >= BIAS + 63 && exponent != MAX && <i64>sig < 0;
  const sw = statusWord(env) & ~C2;
  setStatusWord(env, out ? sw | C2 : sw);
  if (out) finish(env, cw);
  return out;
}

/** FSIN with 0, FCOS with 1. */
export function x87_sin(env: usize, turn: i32): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  if (isEmpty(env, r)) {
    setStatusWord(env, statusWord(env) & ~C2);
    missing(env, cw, r);
    return;
  }
  const signR = signExponent(env, r);
  const sigR = significand(env, r);
  if (outOfRange(env, cw, signR, sigR)) return;
  if (prepare(signR, sigR)) put(env, cw, r, sine(cw | PC64, turn));
  else if (turn != 0 && isZero(signR, sigR)) put(env, cw, r, result(BIAS, INTEGER));
  else put(env, cw, r, special);
}

/** FSINCOS with 0: sin, of whose rounding C1 tells, then cos on top; FPTAN with 1: tan, then 1. */
export function x87_sincos(env: usize, tan: i32): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  const next = physical(env, 7);
  const full = !isEmpty(env, next);
  if (isEmpty(env, r) || full) {
    setStatusWord(env, statusWord(env) & ~C2);
    raise(isEmpty(env, r) ? IE | SF : IE | SF | C1);
    if ((cw & IE) != 0) {
      setIndefinite(env, r);
      pushIndefinite(env);
    }
    finish(env, cw);
    return;
  }
  const signR = signExponent(env, r);
  const sigR = significand(env, r);
  if (outOfRange(env, cw, signR, sigR)) return;
  let topSe = BIAS;
  let topSig = INTEGER;
  let sig: u64;
  if (prepare(signR, sigR)) {
    if (tan == 0) {
      topSig = sine(cw | PC64, 1);
      topSe = se;
      keepFlags(~C1);
      sig = sine(cw | PC64, 0);
    } else sig = tangent(cw | PC64);
  } else {
    sig = special;
    if (!isZero(signR, sigR)) {
      topSe = se;
      topSig = sig;
    }
  }
  if (refused(cw)) keepFlags(BEFORE | SF);
  else {
    setRegister(env, r, se, sig);
    push(env, cw, topSe, topSig);
  }
  finish(env, cw);
}
