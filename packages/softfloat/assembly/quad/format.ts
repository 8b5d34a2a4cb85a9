// binary128 in two words. Unpacked, value = (-1)^sign * (high:low) * 2^(exponent - 16383 - 126); normalized: bit 62 of
// `high` is the highest set bit. Two-word results are left in `resultHigh` and `resultLow`.
// Source: IEEE 754-2019, 3.4 "Binary interchange format encodings".

export const EXPONENT_MAX: i32 = 0x7fff;
export const BIAS: i32 = 16383;
export const HIDDEN: u64 = 1 << 48;
export const INFINITY: u64 = 0x7fff000000000000;
export const QUIET: u64 = 1 << 47;
export const SIGN: u64 = 1 << 63;
export const MAGNITUDE: u64 = 0x7fffffffffffffff;

export let resultHigh: u64 = 0;
export let resultLow: u64 = 0;

@inline export function result(high: u64, low: u64): void {
  resultHigh = high;
  resultLow = low;
}

@inline export function exponentOf(high: u64): i32 {
  return <i32>(high >> 48) & EXPONENT_MAX;
}

@inline export function isNaN(high: u64, low: u64): bool {
  const size = high & MAGNITUDE;
  return size > INFINITY || (size == INFINITY && low != 0);
}

@inline export function isSignaling(high: u64, low: u64): bool {
  return isNaN(high, low) && (high & QUIET) == 0;
}

@inline export function isInfinite(high: u64, low: u64): bool {
  return (high & MAGNITUDE) == INFINITY && low == 0;
}

@inline export function isZero(high: u64, low: u64): bool {
  return ((high & MAGNITUDE) | low) == 0;
}

@inline export function shiftLeft(high: u64, low: u64, n: i32): void {
  if (n == 0) result(high, low);
  else if (n < 64) result((high << n) | (low >> (64 - n)), low << n);
  else result(low << (n - 64), 0);
}

/** (high:low) >> n with the lowest bit set when a one was shifted out; n >= 0. */
export function shiftRightJam(high: u64, low: u64, n: i32): void {
  if (n == 0) result(high, low);
  else if (n < 64) result(high >> n, (high << (64 - n)) | (low >> n) | <u64>(low << (64 - n) != 0));
  else if (n == 64) result(0, high | <u64>(low != 0));
  else if (n < 128) result(0, (high >> (n - 64)) | <u64>(((high << (128 - n)) | low) != 0));
  else result(0, <u64>((high | low) != 0));
}

@inline export function leadingZeros(high: u64, low: u64): i32 {
  return <i32>(high != 0 ? clz<u64>(high) : 64 + clz<u64>(low));
}

/** Leaves the significand as encoded, not normalized for a subnormal; goes with max(exponentOf, 1). */
@inline export function unpackEncoded(high: u64, low: u64): void {
  const fraction = (high & (HIDDEN - 1)) | (exponentOf(high) != 0 ? HIDDEN : 0);
  result((fraction << 14) | (low >> 50), low << 14);
}

/** Leaves the normalized significand of a finite nonzero number; returns its exponent. */
export function unpack(high: u64, low: u64): i32 {
  unpackEncoded(high, low);
  const shift = leadingZeros(resultHigh, resultLow) - 1;
  shiftLeft(resultHigh, resultLow, shift);
  return max<i32>(exponentOf(high), 1) - shift;
}
