// Comparisons, examination. Source: Intel SDM volume 1 (2023), 8.3.6; volume 2, FCOM, FUCOM, FXAM.

import { DE, IE, C0, C1, C2, C3, raise } from "./status";
import { MAX, SIGN, isDenormal, isNaN80, isSignaling, isUnsupported, isZero } from "./format";

/** Condition codes of a number that is unordered with the other. */
export const UNORDERED: i32 = C3 | C2 | C0;

/** C3 equal, C0 a is less, 0 a is greater, all three unordered; invalid on every NaN unless `quiet`. */
export function compare(aSe: i32, aSig: u64, bSe: i32, bSig: u64, quiet: bool): i32 {
  if (isUnsupported(aSe, aSig) || isUnsupported(bSe, bSig)) {
    raise(IE);
    return UNORDERED;
  }
  if (isNaN80(aSe, aSig) || isNaN80(bSe, bSig)) {
    if (!quiet || isSignaling(aSe, aSig) || isSignaling(bSe, bSig)) raise(IE);
    return UNORDERED;
  }
  if (isDenormal(aSe, aSig) || isDenormal(bSe, bSig)) raise(DE);
  if (isZero(aSe, aSig) && isZero(bSe, bSig)) return C3;
  if (((aSe ^ bSe) & SIGN) != 0) return (aSe & SIGN) != 0 ? C0 : 0;
  // A pseudo-denormal is as large as the normal number with exponent 1.
  const a = max<i32>(aSe & MAX, 1);
  const b = max<i32>(bSe & MAX, 1);
  if (a == b && aSig == bSig) return C3;
  const below = a < b || (a == b && aSig < bSig);
  return below == ((aSe & SIGN) == 0) ? C0 : 0;
}

/** Class of a number that is there, and its sign in C1. */
export function examine(se: i32, sig: u64): i32 {
  const sign = (se & SIGN) != 0 ? C1 : 0;
  if (isUnsupported(se, sig)) return sign;
  if (isNaN80(se, sig)) return sign | C0;
  if ((se & MAX) == MAX) return sign | C2 | C0;
  if (isZero(se, sig)) return sign | C3;
  if (isDenormal(se, sig)) return sign | C3 | C2;
  return sign | C2;
}
