import type { Op } from "../ir/block.ts";
import { ops, type OpSpec } from "../ir/ops.ts";
import { NONE, type IrType, type Value } from "../ir/type.ts";
import { maskHi, maskLo } from "../ir/wasm-ops.ts";
import type { Rewriter } from "./rewriter.ts";
import { narrowed, rotated } from "./rotates.ts";
import { onesLength, widthOf, type Rule, type Rules } from "./rule.ts";

/**
 * A value whose low `n` bits are those of `v` and which was there before: what is left when extensions, masks and
 * insertions that touch only higher bits are taken away.
 */
export function lowPart(r: Rewriter, v: Value, n: number): Value {
  for (;;) {
    const op = r.out[v]!;
    if (!keepsLow(r, op, n)) return v;
    v = op.a;
  }
}

/** Whether the low `n` bits of the operation are those of its operand a (of the same type). */
function keepsLow(r: Rewriter, op: Op, n: number): boolean {
  switch (op.spec) {
    case ops.ext8s:
    case ops.ext8u:
      return n <= 8;
    case ops.ext16s:
    case ops.ext16u:
      return n <= 16;
    case ops.ext32s:
    case ops.ext32u:
      return n <= 32;
    case ops.extract:
    case ops.sextract:
      return op.imm === 0 && n <= op.imm2;
    case ops.deposit:
      return n <= op.imm;
    case ops.and:
    case ops.or:
    case ops.xor: {
      const y = r.out[op.b]!;
      if (y.spec !== ops.const) return false;
      const [lo, hi] = op.spec === ops.and ? [~y.imm, ~y.imm2] : [y.imm, y.imm2];
      return (lo & maskLo(n)) === 0 && (hi & maskHi(n)) === 0;
    }
    default:
      return false;
  }
}

/** Operations whose low bits depend on the low bits of their operands alone. */
const LOW_ONLY: ReadonlySet<OpSpec> = new Set([ops.add, ops.sub, ops.mul, ops.and, ops.or, ops.xor]);

/** `lowPart`, also through the operands of arithmetic, which is then done again without their extensions. */
function lowDeep(r: Rewriter, v: Value, n: number): Value {
  const low = lowPart(r, v, n);
  const op = r.out[low]!;
  if (!LOW_ONLY.has(op.spec)) return low;
  const a = lowPart(r, op.a, n);
  const b = lowPart(r, op.b, n);
  return a === op.a && b === op.b ? low : r.make(op.spec, op.type, a, b);
}

/** Zero-extension of the low `n` bits of `v`, in its shortest form. */
function zeroExtended(r: Rewriter, type: IrType, v: Value, n: number): Value {
  return r.make(ops.extract, type, v, NONE, 0, n);
}

const small = (r: Rewriter, op: Op, n: number): Value => r.small(op.type, n);

/** The count of a shift as a constant 0 … width − 1; −1 if it is not constant. */
function countOf(r: Rewriter, op: Op): number {
  const y = r.out[op.b]!;
  return y.spec === ops.const ? y.imm & (widthOf(op) - 1) : -1;
}

/** What holds of every shift: counts are taken modulo the width, and by 0 nothing happens. NONE if nothing changes. */
function shifted(r: Rewriter, op: Op): Value {
  const n = countOf(r, op);
  if (n === 0) return op.a;
  if (n > 0) return r.is(op.b, n) ? NONE : r.make(op.spec, op.type, op.a, small(r, op, n));
  const count = lowPart(r, op.b, log2OfWidth(op));
  return count === op.b ? NONE : r.make(op.spec, op.type, op.a, count);
}

const log2OfWidth = (op: Op): number => (op.type === "i32" ? 5 : 6);

const shl: Rule = (r, op) => {
  const v = shifted(r, op);
  const n = countOf(r, op);
  if (v >= 0 || n < 0) return v;
  const x = r.out[op.a]!;
  const w = widthOf(op);
  const m = x.spec === ops.shl || x.spec === ops.shr || x.spec === ops.sar ? countOf(r, x) : -1;
  if (m > 0) {
    // (x << m) << n
    if (x.spec === ops.shl) return m + n < w ? r.make(ops.shl, op.type, x.a, small(r, op, m + n)) : small(r, op, 0);
    // (x >> n) << n = x without its low n bits
    if (m === n) return r.make(ops.and, op.type, x.a, r.constant(op.type, ~maskLo(n), ~maskHi(n)));
  }
  // What is shifted out need not be computed.
  const low = lowPart(r, op.a, w - n);
  return low === op.a ? NONE : r.make(ops.shl, op.type, low, op.b);
};

const shr: Rule = (r, op) => {
  const v = shifted(r, op);
  const n = countOf(r, op);
  if (v >= 0 || n < 0) return v;
  const x = r.out[op.a]!;
  const w = widthOf(op);
  if (x.spec === ops.shr || x.spec === ops.shl) {
    const m = countOf(r, x);
    // (x >> m) >> n
    if (x.spec === ops.shr && m > 0)
      return m + n < w ? r.make(ops.shr, op.type, x.a, small(r, op, m + n)) : small(r, op, 0);
    // (x << m) >> n, m ≤ n: the bits n - m … w - m - 1
    if (x.spec === ops.shl && m > 0 && m <= n) return r.make(ops.extract, op.type, x.a, NONE, n - m, w - n);
  }
  if (x.spec === ops.extract) return r.make(ops.extract, op.type, op.a, NONE, n, w - n);
  return noneLeft(r, op, n) ? small(r, op, 0) : NONE;
};

/** Whether the bits of a from n upwards are known to be zero. */
function noneLeft(r: Rewriter, op: Op, n: number): boolean {
  return r.within(op.a, maskLo(n), maskHi(n));
}

const sar: Rule = (r, op) => {
  const v = shifted(r, op);
  const n = countOf(r, op);
  if (v >= 0 || n < 0) return v;
  const x = r.out[op.a]!;
  const w = widthOf(op);
  if (x.spec === ops.sar || x.spec === ops.shl) {
    const m = countOf(r, x);
    if (x.spec === ops.sar && m > 0) return r.make(ops.sar, op.type, x.a, small(r, op, Math.min(w - 1, m + n)));
    if (x.spec === ops.shl && m > 0 && m <= n) return r.make(ops.sextract, op.type, x.a, NONE, n - m, w - n);
  }
  // No sign: the same as shr
  return topIsZero(r, op.a, op) ? r.make(ops.shr, op.type, op.a, op.b) : NONE;
};

function topIsZero(r: Rewriter, v: Value, op: Op): boolean {
  return op.type === "i32" ? r.zeroLo[v]! < 0 : r.zeroHi[v]! < 0;
}

const extract: Rule = (r, op) => {
  const w = widthOf(op);
  const { imm: bit, imm2: length, type } = op;
  const x = r.out[op.a]!;
  if (length === w) return op.a;
  if (bit === 0) {
    if (r.within(op.a, maskLo(length), maskHi(length))) return op.a;
    if (length === 8) return r.make(ops.ext8u, type, op.a);
    if (length === 16) return r.make(ops.ext16u, type, op.a);
    if (length === 32) return r.make(ops.ext32u, type, op.a);
  }
  if (r.within(op.a, maskLo(bit), bit === 0 ? 0 : maskHi(bit)) && bit > 0) return small(r, op, 0);
  // A field of a field
  if (x.spec === ops.extract) {
    if (bit >= x.imm2) return small(r, op, 0);
    return r.make(ops.extract, type, x.a, NONE, x.imm + bit, Math.min(length, x.imm2 - bit));
  }
  if (x.spec === ops.shr || x.spec === ops.shl) {
    const m = countOf(r, x);
    if (x.spec === ops.shr && m > 0) {
      if (m + bit >= w) return small(r, op, 0);
      return r.make(ops.extract, type, x.a, NONE, m + bit, Math.min(length, w - m - bit));
    }
    if (x.spec === ops.shl && m > 0 && m <= bit) return r.make(ops.extract, type, x.a, NONE, bit - m, length);
  }
  // Up to the top: a shift
  if (bit + length === w) return r.make(ops.shr, type, op.a, small(r, op, bit));
  const low = lowPart(r, op.a, bit + length);
  return low === op.a ? NONE : r.make(ops.extract, type, low, NONE, bit, length);
};

const sextract: Rule = (r, op) => {
  const w = widthOf(op);
  const { imm: bit, imm2: length, type } = op;
  const x = r.out[op.a]!;
  if (length === w) return op.a;
  if (bit === 0) {
    if (r.signed[op.a]! <= length) return op.a;
    if (length === 8) return r.make(ops.ext8s, type, op.a);
    if (length === 16) return r.make(ops.ext16s, type, op.a);
    if (length === 32) return r.make(ops.ext32s, type, op.a);
  }
  if (x.spec === ops.shr || x.spec === ops.shl || x.spec === ops.sar) {
    const m = countOf(r, x);
    if (x.spec === ops.shl && m > 0 && m <= bit) return r.make(ops.sextract, type, x.a, NONE, bit - m, length);
    if (x.spec !== ops.shl && m > 0 && m + bit + length <= w)
      return r.make(ops.sextract, type, x.a, NONE, m + bit, length);
  }
  if (bit + length === w) return r.make(ops.sar, type, op.a, small(r, op, bit));
  const low = lowPart(r, op.a, bit + length);
  return low === op.a ? NONE : r.make(ops.sextract, type, low, NONE, bit, length);
};

/** ext8u and the like: nothing if the bits are zero already; a field if they come from a shift; low bits alone. */
function zeroExtension(n: number): Rule {
  return (r, op) => {
    const x = r.out[op.a]!;
    if (r.within(op.a, maskLo(n), maskHi(n))) return op.a;
    if (x.spec === ops.shr && fieldFits(r, x, n)) return r.make(ops.extract, op.type, x.a, NONE, countOf(r, x), n);
    const low = lowDeep(r, op.a, n);
    return low === op.a ? NONE : r.make(op.spec, op.type, low);
  };
}

function signExtension(n: number): Rule {
  return (r, op) => {
    const x = r.out[op.a]!;
    if (r.signed[op.a]! <= n) return op.a;
    if ((x.spec === ops.shr || x.spec === ops.sar) && fieldFits(r, x, n))
      return r.make(ops.sextract, op.type, x.a, NONE, countOf(r, x), n);
    const low = lowDeep(r, op.a, n);
    if (low !== op.a) return r.make(op.spec, op.type, low);
    return NONE;
  };
}

/** Whether the n bits above a constant shift count lie inside of the value. */
function fieldFits(r: Rewriter, shift: Op, n: number): boolean {
  const m = countOf(r, shift);
  return m > 0 && m + n <= widthOf(shift);
}

const and: Rule = (r, op) => {
  const y = r.out[op.b]!;
  if (y.spec !== ops.const) return narrowed(r, op);
  // Only bits that are zero anyway are cleared, or all that may be one
  if ((~r.zeroLo[op.a]! & ~y.imm) === 0 && (op.type === "i32" || (~r.zeroHi[op.a]! & ~y.imm2) === 0)) return op.a;
  if (r.within(op.a, ~y.imm, ~y.imm2)) return small(r, op, 0);
  const n = onesLength(y);
  if (n === 8 || n === 16 || n === 32) return zeroExtended(r, op.type, op.a, n);
  const x = r.out[op.a]!;
  if (n > 0 && x.spec === ops.shr && countOf(r, x) > 0) return zeroExtended(r, op.type, op.a, n);
  const top = op.type === "i32" || y.imm2 === 0 ? 32 - Math.clz32(y.imm) : 64 - Math.clz32(y.imm2);
  const low = lowPart(r, op.a, top);
  return low === op.a ? NONE : r.make(ops.and, op.type, low, op.b);
};

const deposit: Rule = (r, op) => {
  const { type, imm: bit, imm2: length } = op;
  const w = widthOf(op);
  if (length === w) return op.b;
  if (r.is(op.a, 0)) {
    if (bit === 0) return zeroExtended(r, type, op.b, length);
    if (bit + length === w) return r.make(ops.shl, type, op.b, small(r, op, bit));
  }
  const low = lowPart(r, op.b, length);
  if (low !== op.b) return r.make(ops.deposit, type, op.a, low, bit, length);
  // Low bits cleared are a mask
  if (bit === 0 && r.is(op.b, 0))
    return r.make(ops.and, type, op.a, r.constant(type, ~maskLo(length), ~maskHi(length)));
  return NONE;
};

const extract2: Rule = (r, op) => {
  const { type, imm: bit } = op;
  if (op.a === op.b) return r.make(ops.rotr, type, op.a, small(r, op, bit));
  if (r.is(op.b, 0)) return r.make(ops.shr, type, op.a, small(r, op, bit));
  if (r.is(op.a, 0)) return r.make(ops.shl, type, op.b, small(r, op, widthOf(op) - bit));
  return NONE;
};

/** i32 operations that, on the low halves of i64 values, give the low half of the i64 operation. */
const WIDENED: ReadonlySet<OpSpec> = new Set([ops.add, ops.sub, ops.mul, ops.and, ops.or, ops.xor]);

/** The i64 value whose low half is `v`: the operand of an extrl, or a constant. */
function wide(r: Rewriter, v: Value): Value {
  const op = r.out[v]!;
  if (op.spec === ops.extrl) return op.a;
  return op.spec === ops.const ? r.small("i64", op.imm) : NONE;
}

/** Extends the low half of an i64 operation on what the i32 operands were cut from. */
function widened(r: Rewriter, op: Op, extension: OpSpec): Value {
  const x = r.out[op.a]!;
  if (x.spec === ops.extrl) return r.make(extension, "i64", x.a);
  if (x.spec === ops.shl && r.isConst(x.b)) {
    const a = wide(r, x.a);
    return a < 0 ? NONE : r.make(extension, "i64", r.make(ops.shl, "i64", a, r.small("i64", countOf(r, x))));
  }
  if (x.spec === ops.shr || x.spec === ops.sar) {
    const n = countOf(r, x);
    if (n <= 0 || r.out[x.a]!.spec !== ops.extrl) return NONE;
    const field = r.make(x.spec === ops.shr ? ops.extract : ops.sextract, "i64", r.out[x.a]!.a, NONE, n, 32 - n);
    return x.spec === ops.shr || extension === ops.ext32s ? field : r.make(extension, "i64", field);
  }
  if (!WIDENED.has(x.spec)) return NONE;
  const a = wide(r, x.a);
  if (a < 0) return NONE;
  const b = wide(r, x.b);
  return b < 0 ? NONE : r.make(extension, "i64", r.make(x.spec, "i64", a, b));
}

const extrl: Rule = (r, op) => {
  const x = r.out[op.a]!;
  if (x.spec === ops.ext_i32 || x.spec === ops.extu_i32) return x.a;
  const low = lowPart(r, op.a, 32);
  return low === op.a ? NONE : r.make(ops.extrl, "i32", low);
};

const extrh: Rule = (r, op) => {
  const x = r.out[op.a]!;
  if (r.within(op.a, -1, 0)) return r.small("i32", 0);
  // The high half of a sign extension is the sign
  if (x.spec === ops.ext_i32) return r.make(ops.sar, "i32", x.a, r.small("i32", 31));
  return NONE;
};

const joined: Rule = (r, op) => {
  const v = rotated(r, op);
  return v >= 0 ? v : narrowed(r, op);
};

/** Simplifications at the level of bits: shifts, fields, extensions, masks. */
export const bits: Rules = {
  shl,
  shr,
  sar,
  rotl: shifted,
  rotr: shifted,
  add: rotated,
  and,
  or: joined,
  xor: joined,
  extract,
  sextract,
  deposit,
  extract2,
  ext8u: zeroExtension(8),
  ext16u: zeroExtension(16),
  ext32u: zeroExtension(32),
  ext8s: signExtension(8),
  ext16s: signExtension(16),
  ext32s: signExtension(32),
  ext_i32: (r, op) => widened(r, op, ops.ext32s),
  extu_i32: (r, op) => widened(r, op, ops.ext32u),
  extrl,
  extrh,
  // The low half of a boxed number.
  funbox: (r, op) => (r.out[op.a]!.spec === ops.fbox ? r.out[op.a]!.a : NONE),
  bitcast: (r, op) => (r.out[op.a]!.spec === ops.bitcast ? r.out[op.a]!.a : NONE),
  bswap64: (r, op) => (r.out[op.a]!.spec === ops.bswap64 ? r.out[op.a]!.a : NONE),
};
