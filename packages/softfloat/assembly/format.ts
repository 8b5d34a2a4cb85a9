// The binary interchange formats of up to 64 bits, chosen at compile time by the width of T: u16, u32 or u64.
// An operand is its encoding in the low bits of a u64. Source: IEEE 754-2019, 3.4 "Binary interchange format encodings".

@inline export function fractionBits<T>(): i32 {
  return sizeof<T>() == 8 ? 52 : sizeof<T>() == 4 ? 23 : 10;
}

@inline export function exponentMax<T>(): i32 {
  return sizeof<T>() == 8 ? 0x7ff : sizeof<T>() == 4 ? 0xff : 0x1f;
}

@inline export function bias<T>(): i32 {
  return sizeof<T>() == 8 ? 1023 : sizeof<T>() == 4 ? 127 : 15;
}

@inline export function signShift<T>(): i32 {
  return sizeof<T>() == 8 ? 63 : sizeof<T>() == 4 ? 31 : 15;
}

@inline export function infinity<T>(): u64 {
  return (<u64>exponentMax<T>()) << fractionBits<T>();
}

@inline export function hidden<T>(): u64 {
  return (<u64>1) << fractionBits<T>();
}

@inline export function quietBit<T>(): u64 {
  return (<u64>1) << (fractionBits<T>() - 1);
}

@inline export function signMask<T>(): u64 {
  return (<u64>1) << signShift<T>();
}

@inline export function magnitudeMask<T>(): u64 {
  return signMask<T>() - 1;
}

/** Drops what lies above the encoding. */
@inline export function operand<T>(a: u64): u64 {
  return sizeof<T>() == 8 ? a : a & ((<u64>2 << signShift<T>()) - 1);
}

@inline export function exponentOf<T>(a: u64): i32 {
  return <i32>(a >> fractionBits<T>()) & exponentMax<T>();
}

@inline export function fractionOf<T>(a: u64): u64 {
  return a & (hidden<T>() - 1);
}

@inline export function signOf<T>(a: u64): u64 {
  return (a >> signShift<T>()) & 1;
}

@inline export function magnitude<T>(a: u64): u64 {
  return a & magnitudeMask<T>();
}

@inline export function isNaN<T>(a: u64): bool {
  return magnitude<T>(a) > infinity<T>();
}

@inline export function isSignaling<T>(a: u64): bool {
  return isNaN<T>(a) && (a & quietBit<T>()) == 0;
}

@inline export function isInfinite<T>(a: u64): bool {
  return magnitude<T>(a) == infinity<T>();
}

@inline export function isZero<T>(a: u64): bool {
  return magnitude<T>(a) == 0;
}

@inline export function signed<T>(sign: u64, bits: u64): u64 {
  return (sign << signShift<T>()) | bits;
}

// An unpacked finite number is sign, exponent, significand: value = (-1)^sign * significand * 2^(exponent - bias - 62).
// Normalized: bit 62 of the significand is its highest set bit.

/** Biased exponent of a finite nonzero number whose significand is normalized. */
@inline export function normalExponent<T>(field: i32, fraction: u64): i32 {
  return field != 0 ? field : 64 - fractionBits<T>() - <i32>clz<u64>(fraction);
}

/** Normalized significand of a finite nonzero number. */
@inline export function normalSignificand<T>(field: i32, fraction: u64): u64 {
  return field != 0 ? (fraction | hidden<T>()) << (62 - fractionBits<T>()) : fraction << (clz<u64>(fraction) - 1);
}

/** Significand as encoded (not normalized for a subnormal), in the same position; goes with `max(field, 1)`. */
@inline export function encodedSignificand<T>(field: i32, fraction: u64): u64 {
  return (field != 0 ? fraction | hidden<T>() : fraction) << (62 - fractionBits<T>());
}
