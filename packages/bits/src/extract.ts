/** `length` bits of a 32-bit `value` from bit `start`, unsigned. */
export function extract(value: number, start: number, length: number): number {
  return length >= 32 ? value >>> 0 : (value >>> start) & (2 ** length - 1);
}

/** `length` bits of a 32-bit `value` from bit `start`, sign-extended to a signed 32-bit number. */
export function extractSigned(value: number, start: number, length: number): number {
  return (value << (32 - length - start)) >> (32 - length);
}

/** `value` with its `length` bits at `start` replaced by the low bits of `field`, unsigned. */
export function deposit(value: number, start: number, length: number, field: number): number {
  const mask = length >= 32 ? 0xffffffff : 2 ** length - 1;
  return ((value & ~(mask << start)) | ((field & mask) << start)) >>> 0;
}

/** The low `bits` (1..32) bits of `value` as a signed number. */
export function signExtend(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}

/** Whether bit `n` (0..31) of `value` is set. */
export function bit(value: number, n: number): boolean {
  return ((value >>> n) & 1) !== 0;
}

/** Number of bits set in a 32-bit value. */
export function popcount(value: number): number {
  let v = value >>> 0;
  v -= (v >>> 1) & 0x55555555;
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Index of the lowest set bit of a 32-bit value, 32 when there is none. */
export function ctz(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value);
}

/** Whether `n` (a positive safe integer) is a power of two. */
export function isPowerOfTwo(n: number): boolean {
  return n > 0 && Number.isSafeInteger(n) && 2 ** Math.round(Math.log2(n)) === n;
}

/** `n` rounded down to a multiple of `to`; exact up to 2^53. */
export function alignDown(n: number, to: number): number {
  return n - (n % to);
}

/** `n` rounded up to a multiple of `to`; exact up to 2^53. */
export function alignUp(n: number, to: number): number {
  const over = n % to;
  return over === 0 ? n : n + (to - over);
}
