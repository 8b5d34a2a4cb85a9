// FSIN, FCOS, FSINCOS, FPTAN. The argument is reduced with a π of 66 bits, exactly.
// Source: Intel SDM volume 1 (2023), 8.3.8 "Approximation of Pi", 8.3.10; volume 2, their pages.

import { divideFixed, exponent, high, low, multiplyFixed, normalize, shiftRight } from "./fixed";
import { BIAS, INTEGER, SIGN, normalExponent } from "./format";
import { roundPack } from "./round";
import { cosineSeries, sineSeries } from "./series";

/** π/2 is this times 2^-65. */
const HALF_PI_HIGH: u64 = 3;
const HALF_PI_LOW: u64 = 0x243f6a8885a308d3;

/** Quadrant, and what is left in -π/4 .. π/4: its sign and the normalized number. */
let quadrant: i32 = 0;
let restSign: i32 = 0;
let restHigh: u64 = 0;
let restLow: u64 = 0;
let restExponent: i32 = 0;
/** Square of the rest, as a fraction. */
let squareHigh: u64 = 0;
let squareLow: u64 = 0;

/** Reduces a finite nonzero number below 2^63 in size. */
export function reduce(se: i32, sig: u64): void {
  quadrant = 0;
  restSign = se & SIGN;
  const e = normalExponent(se, sig) - BIAS;
  sig <<= clz<u64>(sig);
  if (e < -1) {
    restHigh = sig;
    restLow = 0;
    restExponent = e;
  } else {
    // In units of 2^-65: sig × 2^(e + 2), divided from the top.
    let h: u64 = 0;
    let l = sig;
    let quotient = 0;
    for (let i = e + 2; ; i--) {
      quotient <<= 1;
      if (h > HALF_PI_HIGH || (h == HALF_PI_HIGH && l >= HALF_PI_LOW)) {
        h = h - HALF_PI_HIGH - <u64>(l < HALF_PI_LOW);
        l -= HALF_PI_LOW;
        quotient |= 1;
      }
      if (i == 0) break;
      h = (h << 1) | (l >> 63);
      l <<= 1;
    }
    // More than π/4: the next multiple is nearer.
    const twiceHigh = (h << 1) | (l >> 63);
    if (twiceHigh > HALF_PI_HIGH || (twiceHigh == HALF_PI_HIGH && l << 1 > HALF_PI_LOW)) {
      h = HALF_PI_HIGH - h - <u64>(HALF_PI_LOW < l);
      l = HALF_PI_LOW - l;
      quotient += 1;
      restSign ^= SIGN;
    }
    quadrant = (se & SIGN) != 0 ? -quotient & 3 : quotient & 3;
    normalize(h, l, 62);
    restHigh = high;
    restLow = low;
    restExponent = exponent;
  }
  // No number of 64 bits is a multiple of π/2, which has 66: the rest is not zero.
  multiplyFixed(restHigh, restLow, restHigh, restLow);
  shiftRight(high, low, min<i32>(-2 - 2 * restExponent, 128));
  squareHigh = high;
  squareLow = low;
}

/** Leaves sin of the rest, normalized; the sign is that of the rest. */
function sineOfRest(): void {
  sineSeries(squareHigh, squareLow);
  multiplyFixed(restHigh, restLow, high, low);
  normalize(high, low, restExponent);
}

/** Leaves cos of the rest, normalized. */
function cosineOfRest(): void {
  cosineSeries(squareHigh, squareLow);
  normalize(high, low, -1);
}

/** sin, or cos with `turn` 1, of the reduced argument. */
export function sine(cw: i32, turn: i32): u64 {
  const q = (quadrant + turn) & 3;
  let sign = q >= 2 ? SIGN : 0;
  if ((q & 1) == 0) {
    sign ^= restSign;
    sineOfRest();
  } else cosineOfRest();
  return roundPack(cw, sign, exponent + BIAS, high, low | 1);
}

/** tan of the reduced argument. */
export function tangent(cw: i32): u64 {
  sineOfRest();
  const sh = high;
  const sl = low;
  const s = exponent;
  cosineOfRest();
  const c = exponent;
  const ch = high;
  const cl = low;
  let sign = restSign;
  const inverted = (quadrant & 1) != 0;
  if (inverted) sign ^= SIGN;
  const nh = inverted ? ch : sh;
  const nl = inverted ? cl : sl;
  // Half of the numerator is less than the denominator.
  divideFixed(nh >> 1, (nl >> 1) | (nh << 63), inverted ? sh : ch, inverted ? sl : cl);
  normalize(high, low, inverted ? c - s : s - c);
  // Truncated parts must not make it smaller than a tiny argument.
  const l = low + 8;
  const h = high + <u64>(l < 8);
  if (h == 0) return roundPack(cw, sign, exponent + 1 + BIAS, INTEGER, 1);
  return roundPack(cw, sign, exponent + BIAS, h, l | 1);
}
