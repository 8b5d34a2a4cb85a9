// Loads, stores, exchanges, constants. A store is two calls: one that gives the value, and x87_stored once it is in
// memory, so that a page fault leaves nothing behind. Source: Intel SDM volume 2 (2023), FLD, FST, FIST, FBLD, FXCH...

import { decimalHigh, fromDecimal, toDecimal } from "./bcd";
import {
  fromDouble,
  fromSingle,
  isDenormalDouble,
  isDenormalSingle,
  toDouble,
  toInteger,
  toSingle,
} from "./convert";
import {
  control,
  finish,
  isEmpty,
  leave,
  leaveHigh,
  left,
  leftRefused,
  physical,
  pop,
  push,
  setEmpty,
  setIndefinite,
  setRegister,
  setStatusWord,
  setTop,
  significand,
  signExponent,
  top,
  underflow,
} from "./file";
import { BIAS, INTEGER, MAX, QUIET, SIGN, isSignaling } from "./format";
import { fromInteger } from "./round";
import { CHOP, DE, IE, NEAREST, OE, ROUNDING, UE, UP, clearFlags, flags, keepFlags, raise, se } from "./status";

/** Pushes a converted number; a denormal one is pushed even if its exception is not masked. */
@inline
function loaded(env: usize, signExponent: i32, sig: u64, denormal: bool): void {
  clearFlags();
  const cw = control(env);
  if (denormal) raise(DE);
  if (isSignaling(signExponent, sig)) {
    raise(IE);
    sig |= QUIET;
  }
  // A full stack comes before what is wrong with the operand.
  if (!isEmpty(env, physical(env, 7))) clearFlags();
  else if ((flags & ~cw & IE) != 0) {
    finish(env, cw);
    return;
  }
  push(env, cw, signExponent, sig);
  finish(env, cw);
}

export function x87_ld_f64(env: usize, a: u64): void {
  const sig = fromDouble(a);
  loaded(env, se, sig, isDenormalDouble(a));
}

export function x87_ld_f32(env: usize, a: u32): void {
  const sig = fromSingle(a);
  loaded(env, se, sig, isDenormalSingle(a));
}

export function x87_ld_i64(env: usize, a: i64): void {
  const sig = fromInteger(a);
  loaded(env, se, sig, false);
}

/** FLD m80: as it is. */
export function x87_ld_f80(env: usize, sig: u64, signExponent: i32): void {
  clearFlags();
  const cw = control(env);
  push(env, cw, signExponent & 0xffff, sig);
  finish(env, cw);
}

export function x87_ld_bcd(env: usize, low: u64, high: i32): void {
  const sig = fromDecimal(low, high);
  x87_ld_f80(env, sig, se);
}

/** FLD ST(i). */
export function x87_ld(env: usize, i: i32): void {
  clearFlags();
  const cw = control(env);
  const r = physical(env, i);
  if (isEmpty(env, r)) {
    if (underflow(cw)) {
      setTop(env, top(env) - 1);
      setIndefinite(env, top(env));
    }
  } else push(env, cw, signExponent(env, r), significand(env, r));
  finish(env, cw);
}

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ by the low bits of their opcode; rounded as the control word says. */
export function x87_ld_constant(env: usize, n: i32): void {
  clearFlags();
  const cw = control(env);
  const rc = cw & ROUNDING;
  // The 64-bit significand truncated, and whether the nearest is one more.
  let signExponent = BIAS;
  let sig = INTEGER;
  let nearestUp: u64 = 0;
  switch (n) {
    case 1:
      signExponent = BIAS + 1;
      sig = 0xd49a784bcd1b8afe;
      break;
    case 2:
      sig = 0xb8aa3b295c17f0bb;
      nearestUp = 1;
      break;
    case 3:
      signExponent = BIAS + 1;
      sig = 0xc90fdaa22168c234;
      nearestUp = 1;
      break;
    case 4:
      signExponent = BIAS - 2;
      sig = 0x9a209a84fbcff798;
      nearestUp = 1;
      break;
    case 5:
      signExponent = BIAS - 1;
      sig = 0xb17217f7d1cf79ab;
      nearestUp = 1;
      break;
    case 6:
      signExponent = 0;
      sig = 0;
      break;
  }
  if (n >= 1 && n <= 5) sig += rc == NEAREST ? nearestUp : <u64>(rc == UP);
  push(env, cw, signExponent, sig);
  finish(env, cw);
}

/** The FSTP of D9 /3, for which an empty register is none of its business. Not in the SDM; so do AMD's processors. */
export function x87_st_unchecked(env: usize, i: i32): void {
  if (!isEmpty(env, top(env))) {
    x87_st(env, i | 8);
    return;
  }
  clearFlags();
  pop(env);
  finish(env, control(env));
}

/** FST ST(i); bit 3 of `ctl` pops. */
export function x87_st(env: usize, ctl: i32): void {
  clearFlags();
  const cw = control(env);
  const t = top(env);
  const r = physical(env, ctl & 7);
  let done = true;
  if (isEmpty(env, t)) {
    done = underflow(cw);
    if (done) setIndefinite(env, r);
  } else {
    setRegister(env, r, signExponent(env, t), significand(env, t));
    setEmpty(env, r, 0);
  }
  if (done && (ctl & 8) != 0) pop(env);
  finish(env, cw);
}

/** FXCH. */
export function x87_xch(env: usize, i: i32): void {
  clearFlags();
  const cw = control(env);
  const a = top(env);
  const b = physical(env, i);
  if (isEmpty(env, a) || isEmpty(env, b)) {
    if (!underflow(cw)) {
      finish(env, cw);
      return;
    }
    if (isEmpty(env, a)) setIndefinite(env, a);
    if (isEmpty(env, b)) setIndefinite(env, b);
  }
  const signExponentA = signExponent(env, a);
  const sigA = significand(env, a);
  setRegister(env, a, signExponent(env, b), significand(env, b));
  setRegister(env, b, signExponentA, sigA);
  finish(env, cw);
}

export function x87_st_f64(env: usize): u64 {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  let value: u64 = 0xfff8000000000000;
  if (isEmpty(env, r)) underflow(cw);
  else value = toDouble(cw, signExponent(env, r), significand(env, r));
  leaveNarrow(env, cw);
  return value;
}

export function x87_st_f32(env: usize): u32 {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  let value: u32 = 0xffc00000;
  if (isEmpty(env, r)) underflow(cw);
  else value = toSingle(cw, signExponent(env, r), significand(env, r));
  leaveNarrow(env, cw);
  return value;
}

/** Ends a store to a narrower format: with an overflow or underflow that is not masked nothing else is reported. */
@inline
function leaveNarrow(env: usize, cw: i32): void {
  const refuse = (flags & ~cw & (OE | UE)) != 0;
  if (refuse) keepFlags(OE | UE);
  leave(env, cw, refuse || (flags & ~cw & IE) != 0);
}

/** FIST, FISTTP: `ctl` is the width in bits, negative to truncate. */
export function x87_st_i64(env: usize, ctl: i32): i64 {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  const bits = abs<i32>(ctl);
  let value: i64 = (<i64>-1) << (bits - 1);
  if (isEmpty(env, r)) underflow(cw);
  else value = toInteger(ctl < 0 ? cw | CHOP : cw, signExponent(env, r), significand(env, r), bits);
  leave(env, cw, (flags & ~cw & IE) != 0);
  return value;
}

export function x87_st_f80(env: usize): u64 {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  let value = INTEGER | QUIET;
  let high = SIGN | MAX;
  if (isEmpty(env, r)) underflow(cw);
  else {
    value = significand(env, r);
    high = signExponent(env, r);
  }
  leave(env, cw, (flags & ~cw & IE) != 0);
  leaveHigh(env, high);
  return value;
}

export function x87_st_bcd(env: usize): u64 {
  clearFlags();
  const cw = control(env);
  const r = top(env);
  let value: u64 = 0xc000000000000000;
  let high = 0xffff;
  if (isEmpty(env, r)) underflow(cw);
  else {
    value = toDecimal(cw, signExponent(env, r), significand(env, r));
    high = decimalHigh;
  }
  leave(env, cw, (flags & ~cw & IE) != 0);
  leaveHigh(env, high);
  return value;
}

/** The end of a store. */
export function x87_stored(env: usize, pops: i32): void {
  setStatusWord(env, left(env));
  if (pops != 0 && !leftRefused(env)) pop(env);
}
