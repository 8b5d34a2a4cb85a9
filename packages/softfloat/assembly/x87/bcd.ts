// Packed decimal: 18 digits in 9 bytes, a sign in the tenth. Source: Intel SDM volume 1 (2023), 4.7; volume 2, FBLD, FBSTP.

import { SIGN } from "./format";
import { fromInteger } from "./round";
import { toInteger } from "./convert";
import { IE, flags, keepFlags, raise, result, se } from "./status";

const LIMIT: u64 = 999999999999999999;

/** The number of 18 digits in `low` (16 of them) and the low byte of `high`; bit 15 of `high` is its sign. */
export function fromDecimal(low: u64, high: i32): u64 {
  let value: i64 = ((high >> 4) & 15) * 10 + (high & 15);
  for (let i = 60; i >= 0; i -= 4) value = value * 10 + (<i64>(low >> i) & 15);
  const sig = fromInteger(value);
  return result(se | (high & SIGN), sig);
}

/** High half of the last decimal: sign byte and two digits. */
export let decimalHigh: i32 = 0;

/** 16 digits; the rest is left in `decimalHigh`. */
export function toDecimal(cw: i32, se: i32, sig: u64): u64 {
  const before = flags;
  let value = toInteger(cw, se, sig, 64);
  const negative = (se & SIGN) != 0;
  if (value < 0) value = -value;
  if ((flags & ~before & IE) != 0 || <u64>value > LIMIT) {
    keepFlags(before);
    raise(IE);
    decimalHigh = 0xffff;
    return 0xc000000000000000;
  }
  let digits: u64 = 0;
  let rest = <u64>value;
  for (let i = 0; i < 64; i += 4) {
    digits |= (rest % 10) << i;
    rest /= 10;
  }
  decimalHigh = <i32>((rest / 10 << 4) | (rest % 10)) | (negative ? SIGN : 0);
  return digits;
}
