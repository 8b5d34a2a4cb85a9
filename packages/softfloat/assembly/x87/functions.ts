// Instructions that replace the top of the stack by a function of it and the next. Source: Intel SDM volume 2 (2023).

import { squareRoot } from "./arithmetic";
import { roundToInteger } from "./convert";
import {
  BEFORE,
  control,
  finish,
  isEmpty,
  physical,
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
import { extract, partSe, partSig, quotientBits, remainder, scale } from "./remainder";
import { C0, C1, C2, C3, IE, SF, clearFlags, keepFlags, raise, se } from "./status";

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
