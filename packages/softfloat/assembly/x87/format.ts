// The double extended-precision format: sign and exponent in the low 16 bits of an i32, significand with its integer bit
// in a u64. Source: Intel SDM volume 1 (2023), 4.2.2, 8.2.2 "Unsupported Double Extended-Precision Floating-Point Encodings".

import { DE, IE, raise, result } from "./status";

export const MAX: i32 = 0x7fff;
export const BIAS: i32 = 16383;
export const INTEGER: u64 = 1 << 63;
export const QUIET: u64 = 0x4000000000000000;
export const SIGN: i32 = 0x8000;

/** A finite nonzero number with its integer bit, exponent 1..0x7ffe: nothing special about it. */
@inline export function isNormal(se: i32, sig: u64): bool {
  return <u32>((se & MAX) - 1) < 0x7ffe && <i64>sig < 0;
}

/** Pseudo-NaN, pseudo-infinity or unnormal. */
@inline export function isUnsupported(se: i32, sig: u64): bool {
  return (se & MAX) != 0 && <i64>sig >= 0;
}

@inline export function isNaN80(se: i32, sig: u64): bool {
  return (se & MAX) == MAX && sig << 1 != 0;
}

@inline export function isSignaling(se: i32, sig: u64): bool {
  return isNaN80(se, sig) && (sig & QUIET) == 0;
}

@inline export function isInfinite(se: i32, sig: u64): bool {
  return (se & MAX) == MAX && sig << 1 == 0;
}

/** Exponent 0 and something in the significand: denormal or pseudo-denormal. */
@inline export function isDenormal(se: i32, sig: u64): bool {
  return (se & MAX) == 0 && sig != 0;
}

@inline export function isZero(se: i32, sig: u64): bool {
  return (se & MAX) == 0 && sig == 0;
}

/** QNaN floating-point indefinite. */
@inline export function indefinite(): u64 {
  return result(SIGN | MAX, INTEGER | QUIET);
}

export function invalid(): u64 {
  raise(IE);
  return indefinite();
}

@inline export function infinity(sign: i32): u64 {
  return result(sign | MAX, INTEGER);
}

@inline export function zero(sign: i32): u64 {
  return result(sign, 0);
}

/** Raises the denormal-operand exception if the operand is one. */
@inline export function noteDenormal(se: i32, sig: u64): void {
  if (isDenormal(se, sig)) raise(DE);
}

/**
 * Exponent that goes with the normalized significand `sig << clz(sig)` of a finite nonzero number.
 */
@inline export function normalExponent(se: i32, sig: u64): i32 {
  const exponent = se & MAX;
  return (exponent == 0 ? 1 : exponent) - <i32>clz<u64>(sig);
}

/** The result of an operation on a NaN. */
export function propagate(se: i32, sig: u64): u64 {
  if ((sig & QUIET) == 0) raise(IE);
  return result(se, sig | QUIET);
}

/**
 * The result of an operation on two operands of which at least one is a NaN and none unsupported: a quiet NaN before a signaling one, then the larger
 * significand, then the positive one. Source: Intel SDM volume 1 (2023), table 4-7.
 */
export function propagate2(aSe: i32, aSig: u64, bSe: i32, bSig: u64): u64 {
  const nanA = isNaN80(aSe, aSig);
  const nanB = isNaN80(bSe, bSig);
  const signalingA = isSignaling(aSe, aSig);
  const signalingB = isSignaling(bSe, bSig);
  if (signalingA || signalingB) raise(IE);
  let takeA = nanA;
  if (nanA && nanB) {
    if (signalingA != signalingB) takeA = signalingB;
    else if (aSig != bSig) takeA = aSig > bSig;
    else takeA = (aSe & SIGN) == 0;
  }
  return takeA ? result(aSe, aSig | QUIET) : result(bSe, bSig | QUIET);
}
