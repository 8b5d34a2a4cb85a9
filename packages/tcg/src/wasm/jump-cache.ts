/** The search of the jump cache, as generated code and the run loop do it. */
import { ENV, JUMP_CACHE_ENTRIES } from "../exec/contract.ts";
import { W } from "./encode.ts";
import type { Code } from "./encode.ts";

/** The bits of an entry's offset: 16 bytes an entry. */
const INDEX_MASK: number = (JUMP_CACHE_ENTRIES - 1) << 4;
/** 2^32 divided by the golden ratio: bits of the pc that differ make the product's upper bits differ (Knuth, TAOCP 3, 6.4). */
const FACTOR: number = 0x9e3779b1 | 0;
/** From the product's upper bits to an entry's offset. */
const INDEX_SHIFT: number = Math.clz32(JUMP_CACHE_ENTRIES - 1) - 4;

/** Facts about the target that generated code depends on. */
export interface CodeTarget {
  readonly word: "i32" | "i64";
  readonly pcOffset: number;
  /** The fast path takes accesses that are not aligned, within a page. */
  readonly unaligned: boolean;
}

/**
 * Pushes whether the jump cache knows the block at the global pc; leaves `env` plus the entry's offset in `entry`.
 * `pc` is a local of type i64.
 */
export function emitJumpCacheLookup(
  code: Code, target: CodeTarget, env: number, pc: number, entry: number,
): void {
  code.get(env);
  code.mem(target.word === "i64" ? W.i64Load : W.i64Load32U, target.pcOffset, 2);
  code.tee(pc);
  code.op(W.i32WrapI64);
  code.i32(FACTOR);
  code.op(W.i32Mul);
  code.i32(INDEX_SHIFT);
  code.op(W.i32ShrU);
  code.i32(INDEX_MASK);
  code.op(W.i32And);
  code.get(env);
  code.op(W.i32Add);
  code.tee(entry);
  code.mem(W.i64Load, ENV.jumpCache, 3);
  code.get(pc);
  code.op(W.i64Eq);
  code.get(entry);
  code.mem(W.i32Load, ENV.jumpCache + 8, 2);
  code.get(env);
  code.mem(W.i32Load, ENV.tbFlags, 2);
  code.op(W.i32Eq);
  code.op(W.i32And);
} // prettier-ignore

/** Index of the jump cache's entry for a pc, as generated code computes it. */
export function jumpCacheIndex(pcLo: number): number {
  return Math.imul(pcLo, FACTOR) >>> (INDEX_SHIFT + 4);
}
