/** x86: i386 and x86-64. */
export {
  type CpuLog,
  type CpuSignals,
  type InterruptController,
  LINE,
  type LocalApic,
  type PhysicalWindow,
  type PortBus,
  type TimeSource,
  type X86Config,
} from "./config.ts";
export { X86Cpu } from "./cpu.ts";
export { createInsn } from "./decode/create-insn.ts";
export type { FetchByte } from "./decode/bytes.ts";
export { Decoder, type Decoded, type DecoderOptions } from "./decode/decoder.ts";
export { ALL_ROWS } from "./decode/index.ts";
export { createDisassembler, type Disassemble } from "./disas.ts";
export { X86Error, type X86ErrorKind } from "./errors.ts";
export * from "./flags.ts";
export { gdbFeatures, type GdbFeature, type GdbRegister } from "./gdb.ts";
export * from "./insn.ts";
export {
  ALL_INDEXES,
  FLAG,
  fprOffset,
  globals,
  HF,
  MMU,
  MMU_INDEXES,
  OFF,
  REG,
  regNames,
  regOffset,
  SEG,
  SEG_FIELD,
  SEG_NAMES,
  segOffset,
  type WordSize,
  xmmOffset,
  ymmhOffset,
} from "./state.ts";
export { findModel, x86Config } from "./models/expand.ts";
export type { CpuPlace } from "./models/expand.ts";
export { cpuProps, type CpuProps } from "./models/props.ts";
export { farCpu } from "./threads/far-cpu.ts";
export { createTarget, LOCK_ANYWHERE } from "./target.ts";
export { plugin as default } from "./plugin.ts";
export type { ModelData } from "./models/model.ts";
