/** Integer arithmetic that folding needs: values are sign-extended from `bits`. */

/** The value without sign. */
export const unsigned = (a: bigint, bits: number): bigint => BigInt.asUintN(bits, a);
/** `length` ones. */
export const ones = (length: number): bigint => (1n << BigInt(length)) - 1n;
/** Shift counts are taken modulo the width. */
export const count = (b: bigint, bits: number): bigint => b & BigInt(bits - 1);
/** Rotated left. */
export const rotate = (a: bigint, n: bigint, bits: number): bigint => {
  const u = unsigned(a, bits);
  return (u << n) | (u >> (BigInt(bits) - n));
};
/** The low bytes reversed. */
export const swapBytes = (a: bigint, bytes: number): bigint => {
  let out = 0n;
  for (let i = 0; i < bytes; i++) out = (out << 8n) | ((a >> BigInt(8 * i)) & 0xffn);
  return out;
};
/** Zeros above the highest one. */
export const leadingZeros = (a: bigint, _b: bigint, bits: number): bigint => {
  let n = 0;
  while (n < bits && ((a >> BigInt(bits - 1 - n)) & 1n) === 0n) n++;
  return BigInt(n);
};
/** Zeros below the lowest one. */
export const trailingZeros = (a: bigint, _b: bigint, bits: number): bigint => {
  let n = 0;
  while (n < bits && ((a >> BigInt(n)) & 1n) === 0n) n++;
  return BigInt(n);
};
/** Number of ones. */
export const ones1 = (a: bigint, _b: bigint, bits: number): bigint => {
  let n = 0n;
  for (let u = unsigned(a, bits); u !== 0n; u >>= 1n) n += u & 1n;
  return n;
};
