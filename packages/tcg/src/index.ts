export {
  type Access,
  type BackEnd,
  type DevicePort,
  type DirectMemory,
  type Engine,
  ENV,
  type EnvName,
  envSize,
  EXIT,
  type ExitReason,
  FETCH,
  FILL,
  fillList,
  type Helper,
  JUMP_CACHE_ENTRIES,
  LOAD,
  MOST_FILLS,
  type PhysicalBus,
  type PhysicalRange,
  type RegionOptions,
  type SampleOf,
  type Stamps,
  STORE,
  STORE_TO_CODE,
  type Target,
  type TargetCpu,
  TB_FLAGS_MMU,
  type TcgConfig,
  type TcgOptions,
  type TcgStats,
  TLB_ENTRIES,
  TLB_ENTRY_SIZE,
  type Trace,
  type TranslateContext,
  type Translation,
  type WasmMemory,
  type WasmModuleSpec,
} from "./exec/contract.ts";
export {
  type Cond,
  CONDS,
  type EnvField,
  type HelperSpec,
  type Hint,
  HINTS,
  INVERSE,
  IR_TYPES,
  type IrType,
  type Label,
  MEM_OPS,
  type MemOp,
  type MemOpInfo,
  NONE,
  TB_EXITS,
  type TbExit,
  type Value,
} from "./ir/type.ts";
export * from "./ir/errors.ts";
export * from "./ir/context.ts";
export { type Block, constBig, NO_LIST, type Op, opOf, resultType } from "./ir/block.ts";
export * from "./ir/ops.ts";
export { emitPure } from "./ir/wasm-ops.ts";
export type { Expansion, WasmOps } from "./ir/wasm-ops.ts";
export type { Stamp } from "./interp/stamp.ts";
export { HOST_FMA } from "./wasm/host-fma.ts";
export { Builder } from "./ir/builder.ts";
export type { AtomicOp } from "./ir/builder.ts";
export { print, printOp } from "./ir/print.ts";
export { parse, parseAll } from "./ir/parse.ts";
export { verify } from "./ir/verify.ts";
export { evaluate } from "./ir/eval.ts";
export type { EvalExit, EvalState } from "./ir/eval.ts";
export { Optimiser } from "./opt/pipeline.ts";
export type { AfterPass } from "./opt/pipeline.ts";
export { TcgMachine } from "./exec/machine.ts";
export { jitFigures, jitText, statsText } from "./exec/stats-text.ts";
export type { JitFigures } from "./exec/stats-text.ts";
export { forMemory } from "./wasm/share-memory.ts";
export { CodeNotes } from "./wasm/notes.ts";
export { printWat, WatPrinter } from "./wasm/print.ts";
export type { WatOptions } from "./wasm/print.ts";
export type { AttachableCpu } from "./exec/attachable-cpu.ts";
export { CPU_FUNCTIONS } from "./exec/threads.ts";
export type { FarCpu, FarCpuFactory, FarMachine, ThreadableCpu } from "./exec/threads.ts";
export type { CodeOwner, CodePages } from "./exec/code-pages.ts";
export type { Vcpu } from "./exec/vcpu.ts";
export { RamWords, tableIndex } from "./exec/page-table.ts";
export { StateBlock } from "./exec/state-block.ts";
export { Lockstep } from "./exec/lockstep.ts";
export type { Difference, FieldDifference, LockstepSide } from "./exec/lockstep.ts";
export type { Tb } from "./exec/blocks.ts";
export { VECTOR, type VectorOpName } from "./ir/ops/vector.ts";
