// FADD, FSUB, FMUL, FDIV and their reversed, popping, integer forms. Source: Intel SDM volume 2 (2023), their pages.

import { add, divide, multiply } from "./arithmetic";
import { fromDouble, fromSingle, isDenormalDouble, isDenormalSingle } from "./convert";
import {
  BEFORE,
  control,
  finish,
  isEmpty,
  physical,
  pop,
  refused,
  setIndefinite,
  setRegister,
  significand,
  signExponent,
  top,
  underflow,
} from "./file";
import { fastAdd, fastDivide, fastMultiply, isFast } from "./fast";
import { MAX, SIGN } from "./format";
import { fromInteger } from "./round";
import { DE, IE, SF, ZE, clearFlags, flags, keepFlags, raise, se } from "./status";

const ADD: i32 = 0;
const MUL: i32 = 1;
const SUB: i32 = 4;
const SUBR: i32 = 5;
const DIV: i32 = 6;
const DIVR: i32 = 7;

@inline
function compute(op: i32, cw: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): u64 {
  if (op == ADD) return add(cw, aSe, aSig, bSe, bSig, 0);
  if (op == MUL) return multiply(cw, aSe, aSig, bSe, bSig);
  if (op == SUB) return add(cw, aSe, aSig, bSe, bSig, SIGN);
  if (op == SUBR) return add(cw, bSe, bSig, aSe, aSig, SIGN);
  if (op == DIV) return divide(cw, aSe, aSig, bSe, bSig);
  return divide(cw, bSe, bSig, aSe, aSig);
}

/** The same by the fast way, into register `r`, if it is one for that. */
@inline
function computeFast(op: i32, env: usize, cw: i32, r: i32, aSe: i32, aSig: u64, bSe: i32, bSig: u64): bool {
  if (!isFast(cw)) return false;
  if (op == ADD) return fastAdd(env, r, aSe, aSig, bSe, bSig);
  if (op == MUL) return fastMultiply(env, r, aSe, aSig, bSe, bSig);
  if (op == SUB) return fastAdd(env, r, aSe, aSig, bSe ^ SIGN, bSig);
  if (op == SUBR) return fastAdd(env, r, aSe ^ SIGN, aSig, bSe, bSig);
  if (op == DIV) return fastDivide(env, r, aSe, aSig, bSe, bSig);
  return fastDivide(env, r, bSe, bSig, aSe, aSig);
}

/** The result into register `r` unless it is refused; the end of the instruction. */
@inline
function put(env: usize, cw: i32, r: i32, sig: u64, pops: bool): void {
  if (refused(cw)) keepFlags(BEFORE | SF);
  else {
    setRegister(env, r, se, sig);
    if (pops) pop(env);
  }
  finish(env, cw);
}

function missing(env: usize, cw: i32, r: i32, pops: bool): void {
  clearFlags();
  if (underflow(cw)) {
    setIndefinite(env, r);
    if (pops) pop(env);
  }
  finish(env, cw);
}

/** ST(ctl & 7) op= ST(ctl >> 3 & 7); bit 6 of `ctl` pops. */
@inline
function registers(op: i32, env: usize, ctl: i32): void {
  const cw = control(env);
  const a = physical(env, ctl & 7);
  const b = physical(env, ctl >> 3 & 7);
  const pops = (ctl & 64) != 0;
  if (isEmpty(env, a) || isEmpty(env, b)) {
    missing(env, cw, a, pops);
    return;
  }
  const aSe = signExponent(env, a);
  const aSig = significand(env, a);
  const bSe = signExponent(env, b);
  const bSig = significand(env, b);
  if (computeFast(op, env, cw, a, aSe, aSig, bSe, bSig)) {
    if (pops) pop(env);
    return;
  }
  clearFlags();
  const sig = compute(op, cw, aSe, aSig, bSe, bSig);
  put(env, cw, a, sig, pops);
}

/** ST(0) op= a number from memory, which was a denormal there or not. */
@inline
function memory(op: i32, env: usize, bSe: i32, bSig: u64, denormal: bool): void {
  const cw = control(env);
  const a = top(env);
  if (isEmpty(env, a)) {
    missing(env, cw, a, false);
    return;
  }
  const aSe = signExponent(env, a);
  const aSig = significand(env, a);
  // A denormal is left to the other way by its flag alone.
  if (!denormal && computeFast(op, env, cw, a, aSe, aSig, bSe, bSig)) return;
  clearFlags();
  const sig = compute(op, cw, aSe, aSig, bSe, bSig);
  // The operand was made a normal number: what comes before a denormal operand is an invalid one, and a NaN.
  if (denormal && (flags & (IE | ZE)) == 0 && !((se & MAX) == MAX && sig << 1 != 0)) raise(DE);
  put(env, cw, a, sig, false);
}

export function x87_add(env: usize, ctl: i32): void {
  registers(ADD, env, ctl);
}

export function x87_add_f64(env: usize, b: u64): void {
  const sig = fromDouble(b);
  memory(ADD, env, se, sig, isDenormalDouble(b));
}

export function x87_add_f32(env: usize, b: u32): void {
  const sig = fromSingle(b);
  memory(ADD, env, se, sig, isDenormalSingle(b));
}

export function x87_add_i32(env: usize, b: i32): void {
  const sig = fromInteger(b);
  memory(ADD, env, se, sig, false);
}

export function x87_mul(env: usize, ctl: i32): void {
  registers(MUL, env, ctl);
}

export function x87_mul_f64(env: usize, b: u64): void {
  const sig = fromDouble(b);
  memory(MUL, env, se, sig, isDenormalDouble(b));
}

export function x87_mul_f32(env: usize, b: u32): void {
  const sig = fromSingle(b);
  memory(MUL, env, se, sig, isDenormalSingle(b));
}

export function x87_mul_i32(env: usize, b: i32): void {
  const sig = fromInteger(b);
  memory(MUL, env, se, sig, false);
}

export function x87_sub(env: usize, ctl: i32): void {
  registers(SUB, env, ctl);
}

export function x87_sub_f64(env: usize, b: u64): void {
  const sig = fromDouble(b);
  memory(SUB, env, se, sig, isDenormalDouble(b));
}

export function x87_sub_f32(env: usize, b: u32): void {
  const sig = fromSingle(b);
  memory(SUB, env, se, sig, isDenormalSingle(b));
}

export function x87_sub_i32(env: usize, b: i32): void {
  const sig = fromInteger(b);
  memory(SUB, env, se, sig, false);
}

export function x87_subr(env: usize, ctl: i32): void {
  registers(SUBR, env, ctl);
}

export function x87_subr_f64(env: usize, b: u64): void {
  const sig = fromDouble(b);
  memory(SUBR, env, se, sig, isDenormalDouble(b));
}

export function x87_subr_f32(env: usize, b: u32): void {
  const sig = fromSingle(b);
  memory(SUBR, env, se, sig, isDenormalSingle(b));
}

export function x87_subr_i32(env: usize, b: i32): void {
  const sig = fromInteger(b);
  memory(SUBR, env, se, sig, false);
}

export function x87_div(env: usize, ctl: i32): void {
  registers(DIV, env, ctl);
}

export function x87_div_f64(env: usize, b: u64): void {
  const sig = fromDouble(b);
  memory(DIV, env, se, sig, isDenormalDouble(b));
}

export function x87_div_f32(env: usize, b: u32): void {
  const sig = fromSingle(b);
  memory(DIV, env, se, sig, isDenormalSingle(b));
}

export function x87_div_i32(env: usize, b: i32): void {
  const sig = fromInteger(b);
  memory(DIV, env, se, sig, false);
}

export function x87_divr(env: usize, ctl: i32): void {
  registers(DIVR, env, ctl);
}

export function x87_divr_f64(env: usize, b: u64): void {
  const sig = fromDouble(b);
  memory(DIVR, env, se, sig, isDenormalDouble(b));
}

export function x87_divr_f32(env: usize, b: u32): void {
  const sig = fromSingle(b);
  memory(DIVR, env, se, sig, isDenormalSingle(b));
}

export function x87_divr_i32(env: usize, b: i32): void {
  const sig = fromInteger(b);
  memory(DIVR, env, se, sig, false);
}
