/** Opcodes of loads and stores by type and memory operation. */
import type { IrType, MemOp } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import { F32, F64, I32, I64, V128, W } from "./encode.ts";
import type { Code } from "./encode.ts";

/** Value type of an IR type. */
export const VALUE_TYPE: Readonly<Record<IrType, number>> = { i32: I32, i64: I64, f32: F32, f64: F64, v128: V128 };

const LOADS: Readonly<Partial<Record<`${IrType}.${string}`, number>>> = {
  "i32.u8": W.i32Load8U,
  "i32.s8": W.i32Load8S,
  "i32.u16": W.i32Load16U,
  "i32.s16": W.i32Load16S,
  "i32.u32": W.i32Load,
  "i32.s32": W.i32Load,
  "i64.u8": W.i64Load8U,
  "i64.s8": W.i64Load8S,
  "i64.u16": W.i64Load16U,
  "i64.s16": W.i64Load16S,
  "i64.u32": W.i64Load32U,
  "i64.s32": W.i64Load32S,
  "i64.u64": W.i64Load,
  "f32.u32": W.f32Load,
  "f64.u64": W.f64Load,
};

/** Appends a load from the address on the stack plus `offset`, extended to `type`; little-endian. */
export function emitLoad(code: Code, type: IrType, mem: MemOp, offset: number): void {
  if (type === "v128") {
    code.bytes([0xfd, 0x00, 0x00]);
    code.u32(offset);
    return;
  }
  const opcode = LOADS[`${type}.${mem}`];
  if (opcode === undefined) throw new Error(`No load ${type}.${mem}`);
  code.mem(opcode, offset);
}

/** Appends a store of the value on the stack to the address below it plus `offset`; little-endian. */
export function emitStore(code: Code, type: IrType, bytes: number, offset: number): void {
  if (type === "v128") {
    code.bytes([0xfd, 0x0b, 0x00]);
    code.u32(offset);
    return;
  }
  if (type === "f32") code.mem(W.f32Store, offset);
  else if (type === "f64") code.mem(W.f64Store, offset);
  else if (type === "i32") code.mem(bytes === 1 ? W.i32Store8 : bytes === 2 ? W.i32Store16 : W.i32Store, offset);
  else {
    const opcode = bytes === 1 ? W.i64Store8 : bytes === 2 ? W.i64Store16 : bytes === 4 ? W.i64Store32 : W.i64Store;
    code.mem(opcode, offset);
  }
}

/** The memory operation that moves a whole value of the type. */
export function wholeMem(type: IrType): MemOp {
  return type === "i32" || type === "f32" ? "u32" : type === "v128" ? "v128" : "u64";
}

/** log2 of the width of a memory operation; of a vector's, of its halves. */
export function log2Bytes(mem: MemOp): number {
  const { bytes } = MEM_OPS[mem];
  return bytes === 1 ? 0 : bytes === 2 ? 1 : bytes === 4 ? 2 : 3;
}

/** Set in the mmu index of an atomic operation, as the runtime is told it: the location is big-endian. */
export const ATOMIC_BIG_ENDIAN = 8;

/** The mmu index of an atomic operation and its byte order. */
export function atomicIndex(op: { readonly mem: MemOp; readonly imm: number }): number {
  return op.imm | (MEM_OPS[op.mem].bigEndian ? ATOMIC_BIG_ENDIAN : 0);
}

/** The little-endian operation of the same width and sign. */
export function littleEndian(mem: MemOp): MemOp {
  return MEM_OPS[mem].bigEndian ? (mem.slice(0, -2) as MemOp) : mem;
}

/** Appends the conversion of a value of `type` to the i64 that slow paths take. */
export function emitToI64(code: Code, type: IrType): void {
  if (type === "i32") code.op(W.i64ExtendI32U);
  else if (type === "f32") code.bytes([0xbc, W.i64ExtendI32U]);
  else if (type === "f64") code.op(0xbd);
}

/** Appends the conversion of a slow path's zero-extended i64 to `type` as `mem` extends it. */
export function emitFromI64(code: Code, type: IrType, mem: MemOp): void {
  const { bytes, signed } = MEM_OPS[mem];
  if (type === "i64") {
    if (signed) code.op(bytes === 1 ? W.i64Extend8S : bytes === 2 ? W.i64Extend16S : W.i64Extend32S);
  } else if (type === "i32") {
    code.op(W.i32WrapI64);
    if (signed && bytes < 4) code.op(bytes === 1 ? W.i32Extend8S : W.i32Extend16S);
  } else if (type === "f32") code.bytes([W.i32WrapI64, 0xbe]);
  else if (type === "f64") code.op(0xbf);
  else if (type === "v128") code.bytes([0xfd, 0x12]); // in both lanes, for emitJoin
}

/** Replaces the upper half of the vector below the top of the stack by the i64 at the top. */
export function emitJoin(code: Code): void {
  code.bytes([0xfd, 0x1e, 1]);
}

/** Replaces the vector on the stack by its lower (0) or upper (1) half, an i64. */
export function emitHalf(code: Code, half: number): void {
  code.bytes([0xfd, 0x1d, half]);
}
