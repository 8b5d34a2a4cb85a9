import type { OpSpec } from "./ops.ts";
import type { Cond, EnvField, HelperSpec, IrType, MemOp, Value } from "./type.ts";

/**
 * One operation. All operations have this one shape, so that the passes stay monomorphic; which fields mean
 * something is said by the row of the operation in the table (`spec.format`, `spec.operands`).
 */
export interface Op {
  readonly spec: OpSpec;
  /** T of the row: the type of the result, or of the operands of an operation without result. */
  readonly type: IrType;
  /** Operands in order; NONE when absent. */
  a: Value;
  b: Value;
  c: Value;
  d: Value;
  /**
   * const: the low 32 bits (as int32); bit position; label; index of a global; env offset; mmu index; slot; index in
   * HINTS or TB_EXITS; number of the guest instruction.
   */
  imm: number;
  /** const: the high 32 bits (as int32; sign of `imm` when the type is i32); length of a bit field; brcond: 1 when rarely taken. */
  imm2: number;
  /** Of setcond, negsetcond, movcond, brcond; else "eq". */
  cond: Cond;
  /** Of ld, st, env_ld, env_st, atomics; else "u8". */
  readonly mem: MemOp;
  /** call: the helper; else undefined. */
  readonly helper: HelperSpec | undefined;
  /** call: its operands; insn: the words; v128_const: bytes; i8x16_shuffle: lanes. Never changed in place but for call. */
  readonly list: number[];
}

/** The list of operations that have none. Frozen by convention: nothing writes to it. */
export const NO_LIST: number[] = [];

/** One translation block. */
export interface Block {
  readonly name: string;
  /** Guest address of its first instruction (unsigned). */
  readonly pc: bigint;
  readonly ops: Op[];
  /** Number of labels. */
  labels: number;
  readonly globals: readonly EnvField[];
}

/** The operation that defines `v`. */
export function opOf(block: Block, v: Value): Op {
  return block.ops[v]!;
}

/** The constant's value, sign-extended. */
export function constBig(op: Op): bigint {
  return op.type === "i32" || op.type === "f32" ? BigInt(op.imm) : (BigInt(op.imm2) << 32n) | BigInt(op.imm >>> 0);
}

/** Calls `f` with each operand that is a value. */
export function forEachOperand(op: Op, f: (v: Value) => void): void {
  if (op.a >= 0) f(op.a);
  if (op.b >= 0) f(op.b);
  if (op.c >= 0) f(op.c);
  if (op.d >= 0) f(op.d);
  if (op.helper !== undefined) for (const v of op.list) f(v as Value);
}

/** Type of the value that `op` defines. Only for operations with a result. */
export function resultType(op: Op): IrType {
  const result = op.spec.result;
  return result === "T" || result === "call" ? op.type : (result as IrType);
}

/** Whether the operation defines a value. */
export function definesValue(op: Op): boolean {
  const result = op.spec.result;
  return result === "call" ? op.helper?.result !== undefined : result !== "none";
}
