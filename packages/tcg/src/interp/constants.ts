/** Constants that the bytecode has a place for. */
import type { Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";

/** An integer constant that fits the 16-bit signed place of an operand. */
export function isSmall(op: Op): boolean {
  if (op.spec !== ops.const || (op.type !== "i32" && op.type !== "i64")) return false;
  return op.imm >= -0x8000 && op.imm <= 0x7fff && (op.type === "i32" || op.imm2 === op.imm >> 31);
}

/** A constant that the zero slot stands for. */
export function isZero(op: Op): boolean {
  return op.imm === 0 && (op.imm2 === 0 || op.type === "i32" || op.type === "f32") && op.type !== "v128";
}
