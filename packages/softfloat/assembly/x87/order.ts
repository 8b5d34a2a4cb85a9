// FCOM, FUCOM, FCOMI, FTST, FXAM and FCMOV. Source: Intel SDM volume 2 (2023), their pages.

import { UNORDERED, compare, examine } from "./compare";
import { fromDouble, fromSingle, isDenormalDouble, isDenormalSingle } from "./convert";
import {
  control,
  finish,
  isEmpty,
  physical,
  pop,
  refused,
  setIndefinite,
  setRegister,
  setStatusWord,
  significand,
  signExponent,
  statusWord,
  top,
  underflow,
  withFlags,
} from "./file";
import { C0, C1, C2, C3, DE, SF, clearFlags, flags, raise, se } from "./status";
import { fromInteger } from "./round";

/**
 * Condition codes and flags into the status word, and the pops. An exception that is not masked keeps the stack as it
 * was; the condition codes tell of the comparison all the same, as on AMD's processors.
 */
@inline
function put(env: usize, cw: i32, code: i32, pops: i32): void {
  setStatusWord(env, (statusWord(env) & ~(C0 | C2 | C3)) | code);
  if (!refused(cw)) {
    if (pops > 0) pop(env);
    if (pops > 1) pop(env);
  }
  finish(env, cw);
}

/** ST(0) with ST(ctl & 7); bit 3 of `ctl`: quiet NaNs are valid; bits 5:4: number of pops. */
@inline
function compared(env: usize, ctl: i32): i32 {
  const a = top(env);
  const b = physical(env, ctl & 7);
  if (isEmpty(env, a) || isEmpty(env, b)) {
    underflow(0);
    return UNORDERED;
  }
  return compare(
    signExponent(env, a),
    significand(env, a),
    signExponent(env, b),
    significand(env, b),
    (ctl & 8) != 0,
  );
}

export function x87_com(env: usize, ctl: i32): void {
  clearFlags();
  const code = compared(env, ctl);
  put(env, control(env), code, ctl >> 4);
}

/** The same with the result as ZF, PF and CF of EFLAGS. C1 stays unless a register is empty. */
export function x87_comi(env: usize, ctl: i32): i32 {
  clearFlags();
  const cw = control(env);
  const code = compared(env, ctl);
  if (ctl >> 4 != 0 && !refused(cw)) pop(env);
  if ((flags & SF) != 0) finish(env, cw);
  else if (flags != 0) setStatusWord(env, withFlags(statusWord(env), cw) | (statusWord(env) & C1));
  return (code & (C3 | C2 | C0)) >> 8;
}

@inline
function memory(env: usize, bSe: i32, bSig: u64, denormal: bool, pops: i32): void {
  clearFlags();
  const cw = control(env);
  const a = top(env);
  let code = UNORDERED;
  if (isEmpty(env, a)) underflow(cw);
  else code = compare(signExponent(env, a), significand(env, a), bSe, bSig, false);
  if (denormal && code != UNORDERED) raise(DE);
  put(env, cw, code, pops);
}

export function x87_com_f64(env: usize, b: u64, pops: i32): void {
  const sig = fromDouble(b);
  memory(env, se, sig, isDenormalDouble(b), pops);
}

export function x87_com_f32(env: usize, b: u32, pops: i32): void {
  const sig = fromSingle(b);
  memory(env, se, sig, isDenormalSingle(b), pops);
}

/** FICOM; with 0 also FTST. */
export function x87_com_i32(env: usize, b: i32, pops: i32): void {
  const sig = fromInteger(b);
  memory(env, se, sig, false, pops);
}

export function x87_xam(env: usize): void {
  const r = top(env);
  let code = examine(signExponent(env, r), significand(env, r));
  if (isEmpty(env, r)) code = (code & C1) | C3 | C0;
  setStatusWord(env, (statusWord(env) & ~(C0 | C1 | C2 | C3)) | code);
}

/** ST(0) = ST(i) if `condition`; the registers must be there in any case. C1 stays as it was unless they are not. */
export function x87_cmov(env: usize, i: i32, condition: i32): void {
  clearFlags();
  const cw = control(env);
  const a = top(env);
  const b = physical(env, i);
  if (isEmpty(env, a) || isEmpty(env, b)) {
    if (underflow(cw)) setIndefinite(env, a);
    finish(env, cw);
  } else if (condition != 0) setRegister(env, a, signExponent(env, b), significand(env, b));
}
