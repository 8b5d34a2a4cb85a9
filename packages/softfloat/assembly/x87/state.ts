// Sign, tags, stack pointer, control: FCHS, FABS, FFREE, FINCSTP, FNINIT, FLDCW, FNSTENV. Source: Intel SDM volume 2 (2023).

import {
  control,
  finish,
  isEmpty,
  physical,
  pop,
  setControl,
  setEmpty,
  setIndefinite,
  setRegister,
  setStatusWord,
  setTags,
  setTop,
  significand,
  signExponent,
  statusWord,
  top,
  underflow,
} from "./file";
import { MAX, SIGN, isZero } from "./format";
import { BUSY, C1, ES, EXCEPTIONS, clearFlags } from "./status";

/** FCHS with 0, FABS with 1. */
export function x87_sign(env: usize, clear: i32): void {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  if (isEmpty(env, r)) {
    if (underflow(cw)) setIndefinite(env, r);
  } else {
    const se = signExponent(env, r);
    setRegister(env, r, clear != 0 ? se & MAX : se ^ SIGN, significand(env, r));
  }
  finish(env, cw);
}

/** FFREE; bit 3 of `ctl`: and pops. */
export function x87_free(env: usize, ctl: i32): void {
  setEmpty(env, physical(env, ctl & 7), 1);
  if ((ctl & 8) != 0) pop(env);
  setStatusWord(env, statusWord(env) & ~C1);
}

/** FINCSTP, FDECSTP. */
export function x87_turn(env: usize, by: i32): void {
  setTop(env, top(env) + by);
  setStatusWord(env, statusWord(env) & ~C1);
}

/** The control word; the summary of exceptions follows it. */
export function x87_control(env: usize, cw: i32): void {
  cw = (cw & 0x1f3f) | 0x40;
  setControl(env, cw);
  const sw = statusWord(env) & ~(ES | BUSY);
  setStatusWord(env, (sw & ~cw & EXCEPTIONS) != 0 ? sw | ES | BUSY : sw);
}

/** FNCLEX. */
export function x87_clear(env: usize): void {
  setStatusWord(env, statusWord(env) & 0x7f00);
}

/** FNINIT, but for the pointers. */
export function x87_init(env: usize): void {
  setStatusWord(env, 0);
  setTop(env, 0);
  setTags(env, 0x0101010101010101);
  x87_control(env, 0x37f);
}

/** Status word with the stack pointer. */
export function x87_status(env: usize): i32 {
  return statusWord(env) | (top(env) << 11);
}

/** The tag word: 0 valid, 1 zero, 2 special, 3 empty, by physical register. */
export function x87_tags(env: usize): i32 {
  let word = 0;
  for (let r = 7; r >= 0; r--) {
    const se = signExponent(env, r);
    const sig = significand(env, r);
    const exponent = se & MAX;
    let tag = 0;
    if (isEmpty(env, r)) tag = 3;
    else if (isZero(se, sig)) tag = 1;
    else if (exponent == 0 || exponent == MAX || <i64>sig >= 0) tag = 2;
    word = (word << 2) | tag;
  }
  return word;
}

/** Control, status and tag words as FLDENV loads them. */
export function x87_environment(env: usize, cw: i32, sw: i32, word: i32): void {
  setStatusWord(env, sw & 0x477f);
  setTop(env, sw >> 11);
  let all: u64 = 0;
  for (let r = 7; r >= 0; r--) all = (all << 8) | <u64>((word >> (r << 1) & 3) == 3);
  setTags(env, all);
  x87_control(env, cw);
}

/** ST(i): its significand; sign and exponent. */
export function x87_significand(env: usize, i: i32): u64 {
  return significand(env, physical(env, i));
}

export function x87_sign_exponent(env: usize, i: i32): i32 {
  return signExponent(env, physical(env, i));
}

/** Sets a register by its physical number (modulo 8), whatever its tag. */
export function x87_set_physical(env: usize, r: i32, sig: u64, se: i32): void {
  setRegister(env, r & 7, se, sig);
}
