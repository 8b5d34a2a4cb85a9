/** Division of 128 by 64 bits. Source: Knuth, TAOCP volume 2, 4.3.1, algorithm D, with digits of 32 bits. */

/** Remainder of the last division, which its twin returns. */
function digit(high: u64, next: u64, d1: u64, d0: u64): u64 {
  let q: u64 = high / d1;
  let r: u64 = high - q * d1;
  while (q >= 0x100000000 || q * d0 > ((r << 32) | next)) {
    q--;
    r += d1;
    if (r >= 0x100000000) break;
  }
  return q;
}

/** Quotient of high:low by d; high < d. */
export function udiv128(high: u64, low: u64, d: u64): u64 {
  if (high == 0) return low / d;
  const s: u64 = clz(d);
  d <<= s;
  const d1: u64 = d >> 32;
  const d0: u64 = d & 0xffffffff;
  const top: u64 = s == 0 ? high : (high << s) | (low >> (64 - s));
  const rest: u64 = low << s;
  const q1 = digit(top, rest >> 32, d1, d0);
  const middle: u64 = ((top << 32) | (rest >> 32)) - q1 * d;
  const q0 = digit(middle, rest & 0xffffffff, d1, d0);
  return (q1 << 32) | q0;
}
