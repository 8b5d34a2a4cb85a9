import type { Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { NONE, type Value } from "../ir/type.ts";
import type { Rewriter } from "./rewriter.ts";
import { widthOf } from "./rule.ts";

/**
 * A rotation that was written as two shifts, for targets without one: `x << n | x >> (w - n)`. The two parts have no bit in
 * common, so that xor and add do the same as or. Eight host instructions become three.
 */
export function rotated(r: Rewriter, op: Op): Value {
  const v = halves(r, op, op.a, op.b);
  return v >= 0 ? v : halves(r, op, op.b, op.a);
}

/** The same with `up` as the part shifted up, `down` as the part shifted down. */
function halves(r: Rewriter, op: Op, up: Value, down: Value): Value {
  const [u, d] = [r.out[up]!, r.out[down]!];
  const w = widthOf(op);
  if (u.spec === ops.shl && d.spec === ops.shr && u.a === d.a) {
    const n = constantOf(r, u);
    if (n > 0 && constantOf(r, d) === w - n) return r.make(ops.rotl, op.type, u.a, r.small(op.type, n));
  }
  // A word in a register of 64 bits: the upper part is sign-extended, the lower one zero-extended.
  if (u.spec !== ops.ext32s) return NONE;
  const s = r.out[u.a]!;
  const n = s.spec === ops.shl ? constantOf(r, s) : 0;
  if (n <= 0 || n >= 32 || !isTopOfWord(r, d, s.a, n)) return NONE;
  const word = r.make(ops.rotl, "i32", r.make(ops.extrl, "i32", s.a), r.small("i32", n));
  return r.make(ops.ext_i32, "i64", word);
}

/** Whether `d` is bits 32 - n to 31 of `x`, at the bottom. */
function isTopOfWord(r: Rewriter, d: Op, x: Value, n: number): boolean {
  if (d.spec === ops.extract) return d.a === x && d.imm === 32 - n && d.imm2 === n;
  if (d.spec !== ops.shr || constantOf(r, d) !== 32 - n) return false;
  const word = r.out[d.a]!;
  return word.spec === ops.ext32u && word.a === x;
}

function constantOf(r: Rewriter, shift: Op): number {
  const y = r.out[shift.b]!;
  return y.spec === ops.const ? y.imm & (widthOf(shift) - 1) : -1;
}

/** and, or, xor of two sign-extended words: the extension of one word. */
export function narrowed(r: Rewriter, op: Op): Value {
  const [x, y] = [r.out[op.a]!, r.out[op.b]!];
  if (x.spec !== ops.ext_i32 || y.spec !== ops.ext_i32) return NONE;
  return r.make(ops.ext_i32, "i64", r.make(op.spec, "i32", x.a, y.a));
}
