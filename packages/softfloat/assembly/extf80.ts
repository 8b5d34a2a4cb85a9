// The double extended format below any register stack, with the status block of the other formats. Operands are pairs
// of words, significand first; a result of 80 bits is stored, little-endian, at `out`.

import { add, divide, multiply, squareRoot } from "./x87/arithmetic";
import { compare } from "./x87/compare";
import {
  fromDouble,
  fromSingle,
  isDenormalDouble,
  isDenormalSingle,
  roundToInteger,
  toDouble,
  toInteger,
  toSingle,
} from "./x87/convert";
import { SIGN, isNaN80, propagate } from "./x87/format";
import { remainderComplete } from "./x87/remainder";
import { fromInteger } from "./x87/round";
import { C0, C3, CHOP, DE, DOWN, IE, OE, PC64, PE, UE, UP, ZE, clearFlags, flags, raise as raise80, se } from "./x87/status";
import { DZ, NV, NX, OF, RDN, RTZ, RUP, UF, raise, rounding } from "./status";

/** The control word for the status block's rounding direction: all masked, full precision. */
function begin(status: usize): i32 {
  clearFlags();
  const rm = rounding(status);
  return PC64 | 0x3f | (rm == RTZ ? CHOP : rm == RDN ? DOWN : rm == RUP ? UP : 0);
}

/** Hands the exceptions on; there is none for denormal operands. */
function finish(status: usize): void {
  raise(
    status,
    ((flags & PE) != 0 ? NX : 0) |
      ((flags & UE) != 0 ? UF : 0) |
      ((flags & OE) != 0 ? OF : 0) |
      ((flags & ZE) != 0 ? DZ : 0) |
      ((flags & IE) != 0 ? NV : 0),
  );
}

function put(status: usize, out: usize, sig: u64): void {
  store<u64>(out, sig);
  store<u64>(out, <u64>se, 8);
  finish(status);
}

export function extF80_add(status: usize, out: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): void {
  put(status, out, add(begin(status), <i32>aSe, aSig, <i32>bSe, bSig, 0));
}

export function extF80_sub(status: usize, out: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): void {
  put(status, out, add(begin(status), <i32>aSe, aSig, <i32>bSe, bSig, SIGN));
}

export function extF80_mul(status: usize, out: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): void {
  put(status, out, multiply(begin(status), <i32>aSe, aSig, <i32>bSe, bSig));
}

export function extF80_div(status: usize, out: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): void {
  put(status, out, divide(begin(status), <i32>aSe, aSig, <i32>bSe, bSig));
}

export function extF80_rem(status: usize, out: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): void {
  put(status, out, remainderComplete(begin(status), <i32>aSe, aSig, <i32>bSe, bSig));
}

export function extF80_sqrt(status: usize, out: usize, sig: u64, se: u64): void {
  put(status, out, squareRoot(begin(status), <i32>se, sig));
}

export function extF80_roundToInt(status: usize, out: usize, sig: u64, se: u64): void {
  put(status, out, roundToInteger(begin(status), <i32>se, sig));
}

/** Equal, less, or less or equal by the condition codes `accept`. */
function holds(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64, quiet: bool, accept: i32): i64 {
  begin(status);
  const code = compare(<i32>aSe, aSig, <i32>bSe, bSig, quiet);
  finish(status);
  return code == C3 || code == C0 ? <i64>((code & accept) != 0) : 0;
}

export function extF80_eq(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): i64 {
  return holds(status, aSig, aSe, bSig, bSe, true, C3);
}

export function extF80_eq_signaling(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): i64 {
  return holds(status, aSig, aSe, bSig, bSe, false, C3);
}

export function extF80_lt(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): i64 {
  return holds(status, aSig, aSe, bSig, bSe, false, C0);
}

export function extF80_lt_quiet(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): i64 {
  return holds(status, aSig, aSe, bSig, bSe, true, C0);
}

export function extF80_le(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): i64 {
  return holds(status, aSig, aSe, bSig, bSe, false, C3 | C0);
}

export function extF80_le_quiet(status: usize, aSig: u64, aSe: u64, bSig: u64, bSe: u64): i64 {
  return holds(status, aSig, aSe, bSig, bSe, true, C3 | C0);
}

export function extF80_to_f32(status: usize, sig: u64, se: u64): u64 {
  const value = toSingle(begin(status), <i32>se, sig);
  finish(status);
  return value;
}

export function extF80_to_f64(status: usize, sig: u64, se: u64): u64 {
  const value = toDouble(begin(status), <i32>se, sig);
  finish(status);
  return value;
}

export function extF80_to_i32(status: usize, sig: u64, se: u64): i64 {
  const value = toInteger(begin(status), <i32>se, sig, 32);
  finish(status);
  return value;
}

export function extF80_to_i64(status: usize, sig: u64, se: u64): i64 {
  const value = toInteger(begin(status), <i32>se, sig, 64);
  finish(status);
  return value;
}

export function f32_to_extF80(status: usize, out: usize, a: u64): void {
  begin(status);
  const sig = fromSingle(<u32>a);
  if (isDenormalSingle(<u32>a)) raise80(DE);
  put(status, out, isNaN80(se, sig) ? propagate(se, sig) : sig);
}

export function f64_to_extF80(status: usize, out: usize, a: u64): void {
  begin(status);
  const sig = fromDouble(a);
  if (isDenormalDouble(a)) raise80(DE);
  put(status, out, isNaN80(se, sig) ? propagate(se, sig) : sig);
}

export function i32_to_extF80(status: usize, out: usize, a: i64): void {
  begin(status);
  put(status, out, fromInteger(<i32>a));
}

export function i64_to_extF80(status: usize, out: usize, a: i64): void {
  begin(status);
  put(status, out, fromInteger(a));
}
