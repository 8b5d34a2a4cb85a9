// Rounding to a format: the one place where overflow, underflow and inexact are decided.
// Source: IEEE 754-2019, 4.3 "Rounding-direction attributes", 7.4 "Overflow", 7.5 "Underflow", 7.6 "Inexact".

import { bias, exponentMax, fractionBits, infinity, signed } from "./format";
import { NX, OF, RDN, RMM, RNE, ROD, RUP, TINY_BEFORE, UF, modeOf, raise } from "./status";
import { shiftRightJam } from "./wide";

/** What is added below the last place before truncation. */
@inline export function increment(mode: i32, sign: u64, half: u64, mask: u64): u64 {
  const rm = mode & 7;
  if (rm == RNE || rm == RMM) return half;
  if (rm == (sign != 0 ? RDN : RUP)) return mask;
  return 0;
}

/**
 * The encoding of the rounded number. `exponent` is biased and belongs to bit 62 of `significand`, whose lowest bit may be
 * sticky. A significand that is not normalized is allowed when exponent is 1 and nothing is to be rounded away.
 */
export function roundPack<T>(status: usize, sign: u64, exponent: i32, significand: u64): u64 {
  const mode = modeOf(status);
  const drop = 62 - fractionBits<T>();
  const mask: u64 = ((<u64>1) << drop) - 1;
  const half: u64 = (<u64>1) << (drop - 1);
  const add = increment(mode, sign, half, mask);
  let flags = 0;
  if (<u32>(exponent - 1) >= <u32>(exponentMax<T>() - 2)) {
    const carries = significand + add >= <u64>1 << 63;
    if (exponent <= 0) {
      const tiny = (mode & TINY_BEFORE) != 0 || exponent < 0 || !carries;
      significand = shiftRightJam(significand, 1 - exponent);
      exponent = 1;
      if (tiny && (significand & mask) != 0) flags = UF;
    } else if (exponent >= exponentMax<T>() || carries) {
      raise(status, OF | NX);
      return signed<T>(sign, infinity<T>() - <u64>(add == 0));
    }
  }
  const rest = significand & mask;
  if (rest == 0) {
    return signed<T>(sign, ((<u64>(exponent - 1)) << fractionBits<T>()) + (significand >> drop));
  }
  raise(status, flags | NX);
  significand = (significand + add) >> drop;
  const rm = mode & 7;
  if (rm == RNE && rest == half) significand &= ~(<u64>1);
  if (rm == ROD) significand |= 1;
  return signed<T>(sign, ((<u64>(exponent - 1)) << fractionBits<T>()) + significand);
}

/** An unsigned integer with a sign, rounded to the format. */
export function fromInteger<T>(status: usize, sign: u64, value: u64): u64 {
  if (value == 0) return 0;
  const n = <i32>clz<u64>(value);
  const significand = n == 0 ? shiftRightJam(value, 1) : value << (n - 1);
  return roundPack<T>(status, sign, bias<T>() + 63 - n, significand);
}
