// Numbers of 128 bits for the transcendental functions. A fraction is an integer times 2^-128; a normalized number is a
// significand with its top bit set, worth 1.x, and an exponent. Results are left in `high`, `low` and `exponent`.

import { divide as divideWide, low as productLow, multiply } from "../wide";

export let high: u64 = 0;
export let low: u64 = 0;
export let exponent: i32 = 0;

/** Starts a sum. */
export function begin(h: u64, l: u64): void {
  high = h;
  low = l;
}

/** The upper half of a product; its last two places may be wrong. */
export function multiplyFixed(ah: u64, al: u64, bh: u64, bl: u64): void {
  let h = multiply(ah, bh);
  let l = productLow;
  const x = multiply(ah, bl);
  l += x;
  h += <u64>(l < x);
  const y = multiply(al, bh);
  l += y;
  high = h + <u64>(l < y);
  low = l;
}

/** sum = c - z × sum. */
export function less(zh: u64, zl: u64, ch: u64, cl: u64): void {
  multiplyFixed(zh, zl, high, low);
  high = ch - high - <u64>(cl < low);
  low = cl - low;
}

/** sum = c + z × sum. */
export function plus(zh: u64, zl: u64, ch: u64, cl: u64): void {
  multiplyFixed(zh, zl, high, low);
  low += cl;
  high += ch + <u64>(low < cl);
}

/** Moves the top bit up; `e` is the exponent that goes with a top bit that is set. Zero stays zero. */
export function normalize(h: u64, l: u64, e: i32): void {
  if ((h | l) == 0) {
    high = 0;
    low = 0;
    return;
  }
  const n = <i32>(h != 0 ? clz<u64>(h) : 64 + clz<u64>(l));
  shiftLeft(h, l, n);
  exponent = e - n;
}

@inline function shiftLeft(h: u64, l: u64, n: i32): void {
  if (n == 0) begin(h, l);
  else if (n < 64) begin((h << n) | (l >> (64 - n)), l << n);
  else begin(l << (n - 64), 0);
}

/** Shifts right, 0 or more places. */
export function shiftRight(h: u64, l: u64, n: i32): void {
  if (n == 0) begin(h, l);
  else if (n < 64) begin(h >> n, (l >> n) | (h << (64 - n)));
  else if (n < 128) begin(0, h >> (n - 64));
  else begin(0, 0);
}

/**
 * The fraction n / d for n < d, the top bit of d set; truncated.
 * Source: Knuth, The Art of Computer Programming 2, 4.3.1 algorithm D, with digits of 64 bits.
 */
export function divideFixed(nh: u64, nl: u64, dh: u64, dl: u64): void {
  const h = digit(nh, nl, 0, dh, dl);
  const l = digit(restHigh, restLow, 0, dh, dl);
  begin(h, l);
}

let restHigh: u64 = 0;
let restLow: u64 = 0;

/** One digit of (h:m:l) / (dh:dl); leaves the rest. */
function digit(h: u64, m: u64, l: u64, dh: u64, dl: u64): u64 {
  let q = u64.MAX_VALUE;
  if (h < dh) q = divideWide(h, m, dh);
  // q × d from three words; at most two too large.
  let productHigh = multiply(q, dl);
  let p0 = productLow;
  let p2 = multiply(q, dh);
  let p1 = productLow + productHigh;
  p2 += <u64>(p1 < productHigh);
  while (p2 > h || (p2 == h && (p1 > m || (p1 == m && p0 > l)))) {
    q -= 1;
    productHigh = <u64>(p0 < dl);
    p0 -= dl;
    const before = p1;
    p1 -= dh + productHigh;
    // dh + borrow can only wrap to 0 when dh is all ones.
    p2 -= <u64>(before < dh || (before == dh && productHigh != 0));
  }
  const borrow0 = <u64>(l < p0);
  restLow = l - p0;
  restHigh = m - p1 - borrow0;
  return q;
}
