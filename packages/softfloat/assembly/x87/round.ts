// Rounding to the precision that the control word asks for: where overflow, underflow, inexact and C1 are decided.
// Source: Intel SDM volume 1 (2023), 4.8.4 "Rounding", 4.9.1.4 to 4.9.1.6, 8.5.4 to 8.5.6.

import { BIAS, INTEGER, MAX, SIGN } from "./format";
import {
  C1,
  CHOP,
  DOWN,
  NEAREST,
  OE,
  PC53,
  PC24,
  PE,
  PRECISION,
  ROUNDING,
  UE,
  UP,
  WRAP,
  raise,
  result,
} from "./status";

/** Bits of the significand below the precision in force. */
@inline export function dropped(cw: i32): i32 {
  const pc = cw & PRECISION;
  return pc == PC53 ? 11 : pc == PC24 ? 40 : 0;
}

/** Whether rounding goes away from zero: `rest` is what is lost as a fraction of 2^64, nonzero; `odd` the last place. */
@inline export function roundsUp(cw: i32, sign: i32, rest: u64, odd: bool): bool {
  const rc = cw & ROUNDING;
  if (rc == NEAREST) return rest > INTEGER || (rest == INTEGER && odd);
  return rc != CHOP && rc == (sign != 0 ? DOWN : UP);
}

/**
 * The rounded number: `high` has its top bit set, `low` is what follows it, its lowest bit sticky; `exponent` is
 * biased and may be far out of range.
 */
export function roundPack(cw: i32, sign: i32, exponent: i32, high: u64, low: u64): u64 {
  if (<u32>(exponent - 1) >= 0x7ffd) return roundExtreme(cw, sign, exponent, high, low);
  const drop = dropped(cw);
  if (drop != 0) {
    low = (high << (64 - drop)) | <u64>(low != 0);
    high = (high >> drop) << drop;
  }
  if (low != 0) {
    raise(PE);
    const unit: u64 = 1 << drop;
    if (roundsUp(cw, sign, low, (high & unit) != 0)) {
      raise(C1);
      high += unit;
      if (high == 0) {
        high = INTEGER;
        exponent += 1;
      }
    }
  }
  return result(sign | exponent, high);
}

function roundExtreme(cw: i32, sign: i32, exponent: i32, high: u64, low: u64): u64 {
  const drop = dropped(cw);
  const unit: u64 = 1 << drop;
  let rest = drop == 0 ? low : (high << (64 - drop)) | <u64>(low != 0);
  const kept = (high >> drop) << drop;
  const carries = rest != 0 && roundsUp(cw, sign, rest, (high & unit) != 0) && kept + unit == 0;
  if (exponent <= 0) {
    const tiny = exponent < 0 || !carries;
    if (tiny && (cw & UE) == 0) {
      raise(UE);
      if (exponent + WRAP > 0) return roundPack(cw, sign, exponent + WRAP, high, low);
      raise(PE);
      return result(sign, 0);
    }
    // Denormalize; the last place stays where it is.
    const shift = 1 - exponent;
    if (shift < 64) {
      low = (high << (64 - shift)) | <u64>(low != 0);
      high >>= shift;
    } else {
      low = shift == 64 ? high | <u64>(low != 0) : 1;
      high = 0;
    }
    rest = drop == 0 ? low : (high << (64 - drop)) | <u64>(low != 0);
    high = (high >> drop) << drop;
    if (rest != 0) {
      raise(tiny ? UE | PE : PE);
      if (roundsUp(cw, sign, rest, (high & unit) != 0)) {
        raise(C1);
        high += unit;
      }
    }
    return result(sign | <i32>(high >> 63), high);
  }
  if (exponent < 0x7ffe || (exponent == 0x7ffe && !carries)) {
    // Cannot overflow: round as always, one binade lower.
    const sig = roundPack(cw, sign, BIAS, high, low);
    return result(sign | exponent, sig);
  }
  if ((cw & OE) == 0) {
    raise(OE);
    if (exponent - WRAP < MAX) return roundPack(cw, sign, exponent - WRAP, high, low);
    raise(PE | C1);
    return result(sign | MAX, INTEGER);
  }
  raise(OE | PE);
  const rc = cw & ROUNDING;
  if (rc == NEAREST || rc == (sign != 0 ? DOWN : UP)) {
    raise(C1);
    return result(sign | MAX, INTEGER);
  }
  return result(sign | (MAX - 1), (u64.MAX_VALUE >> drop) << drop);
}

/** An integer with its sign; |value| up to 2^63. */
@inline export function fromInteger(value: i64): u64 {
  if (value == 0) return result(0, 0);
  const sign = value < 0 ? SIGN : 0;
  const size = value < 0 ? <u64>-value : <u64>value;
  const n = <i32>clz<u64>(size);
  return result(sign | (BIAS + 63 - n), size << n);
}
