/** Types of IR values. `i32` and `i64` carry no sign: operations do. */
export type IrType = "i32" | "i64" | "f32" | "f64" | "v128";

/** Every IR type, in the order of the documentation. */
export const IR_TYPES: readonly IrType[] = ["i32", "i64", "f32", "f64", "v128"];

/** Size in bytes of a value of the type in the environment and in guest memory. */
export function typeBytes(type: IrType): 4 | 8 | 16 {
  return type === "i32" || type === "f32" ? 4 : type === "v128" ? 16 : 8;
}

declare const valueBrand: unique symbol;
/** A value: the index, in `block.ops`, of the operation that defines it. */
export type Value = number & { readonly [valueBrand]: true };

/** The absent operand. */
export const NONE: Value = -1 as Value;

declare const labelBrand: unique symbol;
/** A label of a block: 0 … block.labels − 1. */
export type Label = number & { readonly [labelBrand]: true };

/**
 * Comparison of two integers. A trailing `u` is unsigned; `tsteq`/`tstne` compare `a & b` with zero.
 */
export type Cond = "eq" | "ne" | "lt" | "ge" | "le" | "gt" | "ltu" | "geu" | "leu" | "gtu" | "tsteq" | "tstne";

/** Every condition. */
export const CONDS: readonly Cond[] = [
  "eq", "ne", "lt", "ge", "le", "gt", "ltu", "geu", "leu", "gtu", "tsteq", "tstne",
]; // prettier-ignore

/** The condition that is true exactly when `cond` is false. */
export const INVERSE: Readonly<Record<Cond, Cond>> = {
  eq: "ne", ne: "eq", lt: "ge", ge: "lt", le: "gt", gt: "le",
  ltu: "geu", geu: "ltu", leu: "gtu", gtu: "leu", tsteq: "tstne", tstne: "tsteq",
}; // prettier-ignore

/** The condition that holds for (b, a) exactly when `cond` holds for (a, b). */
export const SWAPPED: Readonly<Record<Cond, Cond>> = {
  eq: "eq", ne: "ne", lt: "gt", ge: "le", le: "ge", gt: "lt",
  ltu: "gtu", geu: "leu", leu: "geu", gtu: "ltu", tsteq: "tsteq", tstne: "tstne",
}; // prettier-ignore

/**
 * A memory operation: signedness of the extension to the value's type, width in bits, byte order
 * (little unless `be`). Stores take those without sign.
 */
export type MemOp =
  | "u8" | "s8" | "u16" | "s16" | "u32" | "s32" | "u64" | "v128"
  | "u16be" | "s16be" | "u32be" | "s32be" | "u64be"; // prettier-ignore

/** What a memory operation's name says. `bytes` is the width of the access. */
export interface MemOpInfo {
  readonly bytes: 1 | 2 | 4 | 8 | 16;
  readonly signed: boolean;
  readonly bigEndian: boolean;
}

const mem = (bytes: MemOpInfo["bytes"], signed: boolean, bigEndian: boolean): MemOpInfo => ({
  bytes,
  signed,
  bigEndian,
});

/** Every memory operation. */
export const MEM_OPS: Readonly<Record<MemOp, MemOpInfo>> = {
  u8: mem(1, false, false),
  s8: mem(1, true, false),
  u16: mem(2, false, false),
  s16: mem(2, true, false),
  u32: mem(4, false, false),
  s32: mem(4, true, false),
  u64: mem(8, false, false),
  v128: mem(16, false, false),
  u16be: mem(2, false, true),
  s16be: mem(2, true, true),
  u32be: mem(4, false, true),
  s32be: mem(4, true, true),
  u64be: mem(8, false, true),
};

/**
 * What a `goto_ptr` is in the guest's program, as far as the translator knows. After a `barrier` (an instruction fence)
 * the code must be looked up anew, though its address is known. A `call` returns to the end of the block.
 */
export type Hint = "none" | "call" | "return" | "indirect" | "barrier";

/** Every hint; `op.imm` of `goto_ptr` is the index here. */
export const HINTS: readonly Hint[] = ["none", "call", "return", "indirect", "barrier"];

/**
 * Why a block leaves to the run loop: `next` look up the block at pc (after something that may have unmasked
 * an interrupt or changed the mode), `exception` env.exception is set, `halt` the vCPU waits for an interrupt,
 * `yield` give other work a turn, `debug` a breakpoint was reached.
 */
export type TbExit = "next" | "exception" | "halt" | "yield" | "debug";

/** Every exit reason; `op.imm` of `exit_tb` is the index here. */
export const TB_EXITS: readonly TbExit[] = ["next", "exception", "halt", "yield", "debug"];

/** A named, typed field of the vCPU's state block: a *global* of the IR. `offset` is in bytes from env. */
export interface EnvField {
  readonly name: string;
  readonly offset: number;
  readonly type: IrType;
}

/**
 * What the IR needs to know of a helper that generated code calls.
 * `env` parameters are filled in by the back end and are not operands of `call`.
 */
export interface HelperSpec {
  readonly name: string;
  readonly params: readonly ("env" | "i32" | "i64")[];
  readonly result?: "i32" | "i64";
  /** May set env.exception, upon which the block is left. */
  readonly mayFault?: boolean;
  /** Globals the helper reads: names, or all (the default). */
  readonly reads?: "all" | readonly string[];
  /** Globals the helper writes: names, or all (the default). */
  readonly writes?: "all" | readonly string[];
  /** Result depends on the operands alone and nothing else happens: calls may be merged and dropped. */
  readonly pure?: boolean;
}
