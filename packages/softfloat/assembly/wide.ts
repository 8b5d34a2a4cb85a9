// Products, quotients and shifts wider than 64 bits. A second word of a result is left in `low`.

/** Second word of the last two-word result. */
export let low: u64 = 0;

/** `a >> n`, with the lowest bit of the result set when a one was shifted out; n >= 0. */
@inline export function shiftRightJam(a: u64, n: i32): u64 {
  return n < 64 ? (a >> n) | (<u64>((a & ((<u64>1 << n) - 1)) != 0)) : <u64>(a != 0);
}

/** Upper word of the 128-bit product; the lower one is left in `low`. */
export function multiply(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
  low = (p00 & 0xffffffff) | (middle << 32);
  return a1 * b1 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

/**
 * Quotient of (high:zero) by d with the remainder left in `low`; high < d and the top bit of d is set.
 * Source: Knuth, The Art of Computer Programming 2, 4.3.1 algorithm D, with two 32-bit digits.
 */
export function divide(high: u64, zero: u64, d: u64): u64 {
  const d1 = d >> 32;
  const d0 = d & 0xffffffff;
  let digit1 = high / d1;
  let rest = high - digit1 * d1;
  while (digit1 >> 32 != 0 || digit1 * d0 > ((rest << 32) | (zero >> 32))) {
    digit1 -= 1;
    rest += d1;
    if (rest >> 32 != 0) break;
  }
  const partial = ((high << 32) | (zero >> 32)) - digit1 * d;
  let digit0 = partial / d1;
  rest = partial - digit0 * d1;
  while (digit0 >> 32 != 0 || digit0 * d0 > ((rest << 32) | (zero & 0xffffffff))) {
    digit0 -= 1;
    rest += d1;
    if (rest >> 32 != 0) break;
  }
  low = ((partial << 32) | (zero & 0xffffffff)) - digit0 * d;
  return (digit1 << 32) + digit0;
}
