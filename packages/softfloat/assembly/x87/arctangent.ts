// FPATAN. Source: Intel SDM volume 2 (2023), its page and table 3-31.

import { divideFixed, exponent, high, low, multiplyFixed, normalize, shiftRight } from "./fixed";
import {
  BIAS,
  INTEGER,
  SIGN,
  invalid,
  isInfinite,
  isNaN80,
  isUnsupported,
  isZero,
  normalExponent,
  noteDenormal,
  propagate2,
  zero,
} from "./format";
import { roundPack } from "./round";
import { arctangentSeries } from "./series";

/** π as a fraction of 4. */
const PI_HIGH: u64 = 0xc90fdaa22168c234;
const PI_LOW: u64 = 0xc4c6628b80dc1cd1;

/** arctan(k / 8) as a fraction. */
function tableHigh(k: i32): u64 {
  switch (k) {
    case 1:
      return 0x1fd5ba9aac2f6dc6;
    case 2:
      return 0x3eb6ebf25901bac5;
    case 3:
      return 0x5bd86507937bc239;
    case 4:
      return 0x76b19c1586ed3da2;
    case 5:
      return 0x8f005d5ef7f59f9b;
    case 6:
      return 0xa4bc7d1934f70924;
    case 7:
      return 0xb8053e2bc2319e73;
    case 8:
      return PI_HIGH;
  }
  return 0;
}

function tableLow(k: i32): u64 {
  switch (k) {
    case 1:
      return 0x5912f313e7d111de;
    case 2:
      return 0x5b71e7bd7de885f9;
    case 3:
      return 0xc55190916e7f2241;
    case 4:
      return 0xb7f222f65e1d4681;
    case 5:
      return 0x5c835e1665c43747;
    case 6:
      return 0x19a87f2a457dac9e;
    case 7:
      return 0xcb2da55210a4443d;
    case 8:
      return PI_LOW;
  }
  return 0;
}

/** A multiple of π/4: 0 to 4. */
function quarters(cw: i32, sign: i32, n: i32): u64 {
  let h = PI_HIGH;
  let l = PI_LOW;
  if (n == 3) {
    h = 0x96cbe3f9990e91a7;
    l = 0x9394c9e8a0a5159c;
  }
  return roundPack(cw, sign, n == 1 ? BIAS - 1 : n == 2 ? BIAS : BIAS + 1, h, l);
}

/** The angle of the point (x, y). */
export function angle(cw: i32, ySe: i32, ySig: u64, xSe: i32, xSig: u64): u64 {
  if (isUnsupported(xSe, xSig) || isUnsupported(ySe, ySig)) return invalid();
  if (isNaN80(xSe, xSig) || isNaN80(ySe, ySig)) return propagate2(xSe, xSig, ySe, ySig);
  noteDenormal(xSe, xSig);
  noteDenormal(ySe, ySig);
  const sign = ySe & SIGN;
  const left = (xSe & SIGN) != 0;
  if (isInfinite(ySe, ySig)) return quarters(cw, sign, isInfinite(xSe, xSig) ? (left ? 3 : 1) : 2);
  if (isZero(ySe, ySig) || isInfinite(xSe, xSig)) return left ? quarters(cw, sign, 4) : zero(sign);
  if (isZero(xSe, xSig)) return quarters(cw, sign, 2);
  let e = normalExponent(ySe, ySig) - normalExponent(xSe, xSig);
  let n = ySig << clz<u64>(ySig);
  let d = xSig << clz<u64>(xSig);
  const steep = e > 0 || (e == 0 && n > d);
  if (steep) {
    const swapped = n;
    n = d;
    d = swapped;
    e = -e;
  }
  if (e == 0 && n == d) return quarters(cw, sign, left ? 3 : 1);
  divideFixed(n >> 1, n << 63, d, 0);
  normalize(high, low, e);
  arctangent(high, low, exponent);
  if (!steep && !left) return roundPack(cw, sign, exponent + BIAS, high, low | 1);
  // As a fraction of 4, subtracted from π/2 or π, or added to π/2.
  shiftRight(high, low, min<i32>(1 - exponent, 128));
  let h = high;
  let l = low | 1;
  if (steep) {
    const halfLow = (PI_LOW >> 1) | (PI_HIGH << 63);
    if (left) {
      l += halfLow;
      h += (PI_HIGH >> 1) + <u64>(l < halfLow);
    } else {
      h = (PI_HIGH >> 1) - h - <u64>(halfLow < l);
      l = halfLow - l;
    }
  } else {
    h = PI_HIGH - h - <u64>(PI_LOW < l);
    l = PI_LOW - l;
  }
  normalize(h, l, 1);
  return roundPack(cw, sign, exponent + BIAS, high, low | 1);
}

/** Leaves arctan(t), normalized, of a normalized number below 1. */
function arctangent(th: u64, tl: u64, te: i32): void {
  shiftRight(th, tl, min<i32>(-1 - te, 128));
  const fh = high;
  const fl = low;
  // The nearest multiple of 1/8; below 1/16 none.
  const k = te < -4 ? 0 : fh >= 0xf000000000000000 ? 8 : <i32>((fh + (<u64>1 << 60)) >> 61);
  let sign = false;
  if (k != 0) {
    // u = (t - k/8) / (1 + t k/8), numerator and denominator halved.
    const c = <u64>k << 60;
    multiplyFixed(fh, fl, c, 0);
    const dh = high + INTEGER;
    const dl = low;
    let nh = (fh >> 1) - c;
    let nl = (fl >> 1) | (fh << 63);
    sign = <i64>nh < 0;
    if (sign) {
      nh = ~nh + <u64>(nl == 0);
      nl = -nl;
    }
    divideFixed(nh, nl, dh, dl);
    if ((high | low) == 0) {
      normalize(tableHigh(k), tableLow(k), -1);
      return;
    }
    normalize(high, low, -1);
  } else normalize(th, tl, te);
  const uh = high;
  const ul = low;
  const ue = exponent;
  multiplyFixed(uh, ul, uh, ul);
  shiftRight(high, low, min<i32>(-2 - 2 * ue, 128));
  arctangentSeries(high, low);
  multiplyFixed(uh, ul, high, low);
  if (k == 0) {
    normalize(high, low, ue);
    return;
  }
  shiftRight(high, low, min<i32>(-1 - ue, 128));
  const ah = tableHigh(k);
  const al = tableLow(k);
  if (sign) normalize(ah - high - <u64>(al < low), al - low, -1);
  else {
    const l = al + low;
    normalize(ah + high + <u64>(l < al), l, -1);
  }
}
