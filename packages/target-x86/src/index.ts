/** x86: i386 and x86-64. */
export * from "./config.ts";
export { X86Cpu } from "./cpu.ts";
export { createInsn } from "./decode/create-insn.ts";
export type { FetchByte } from "./decode/bytes.ts";
export { Decoder, type Decoded, type DecoderOptions } from "./decode/decoder.ts";
export { ALL_ROWS } from "./decode/index.ts";
export { createDisassembler, type Disassemble, textOf } from "./disas.ts";
export { X86Error, type X86ErrorKind } from "./errors.ts";
export * from "./flags.ts";
export { gdbFeatures, type GdbFeature, type GdbRegister } from "./gdb.ts";
export * from "./insn.ts";
export * from "./state.ts";
export { X86CpuObject, type AttachableCpu, type CpuClass } from "./object.ts";
export { findModel, x86Config } from "./models/expand.ts";
export { cpuProps, type CpuProps } from "./models/props.ts";
export { farCpu } from "./threads/far-cpu.ts";
export { createTarget, LOCK_ANYWHERE } from "./target.ts";
export { plugin as default } from "./plugin.ts";
