/** Memory operations by the width of the operand. */
import type { MemOp } from "@mimus/tcg";

const MEM: readonly MemOp[] = ["u8", "u8", "u16", "u16", "u32", "u32", "u32", "u32", "u64"];
const MEM_SIGNED: readonly MemOp[] = ["s8", "s8", "s16", "s16", "s32", "s32", "s32", "s32", "u64"];

/** The memory operation of an integer of `size` bytes, zero-extended. */
export const memOf = (size: number): MemOp => MEM[size]!;
/** The same, sign-extended. */
export const signedMemOf = (size: number): MemOp => MEM_SIGNED[size]!;
