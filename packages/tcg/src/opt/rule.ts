import type { Op } from "../ir/block.ts";
import type { OpName } from "../ir/ops.ts";
import type { Value } from "../ir/type.ts";
import type { Rewriter } from "./rewriter.ts";

/**
 * A simplification: the value that an operation, whose operands are values of the new block, may be replaced by; or
 * NONE. It may make operations; it must come nearer to an end each time (fewer operations, or a form further right
 * in the order given in the package's README), for what it makes is simplified again.
 */
export type Rule = (r: Rewriter, op: Op) => Value;

/** Rules by operation. */
export type Rules = Partial<Record<OpName, Rule>>;

/** Width in bits of the operation's type. */
export function widthOf(op: Op): 32 | 64 {
  return op.type === "i32" ? 32 : 64;
}

/** The exponent if the constant is a power of two (unsigned, at the operation's width); else -1. */
export function log2(constant: Op): number {
  const { imm: lo, imm2: hi } = constant;
  if (constant.type === "i32" || hi === 0) return lo !== 0 && (lo & (lo - 1)) === 0 ? 31 - Math.clz32(lo) : -1;
  return lo === 0 && (hi & (hi - 1)) === 0 ? 63 - Math.clz32(hi) : -1;
}

/** n if the constant is 2^n − 1 with 0 < n < width; else -1. */
export function onesLength(constant: Op): number {
  const { imm: lo, imm2: hi } = constant;
  if (constant.type === "i32" || hi === 0) {
    if (lo === -1 && constant.type !== "i32") return 32;
    return lo !== -1 && lo !== 0 && (lo & (lo + 1)) === 0 ? 32 - Math.clz32(lo) : -1;
  }
  return lo === -1 && hi !== -1 && (hi & (hi + 1)) === 0 ? 64 - Math.clz32(hi) : -1;
}
