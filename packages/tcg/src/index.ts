export * from "./ir/type.ts";
export * from "./ir/errors.ts";
export * from "./ir/context.ts";
export * from "./ir/block.ts";
export * from "./ir/ops.ts";
export { emitCond, emitPure } from "./ir/wasm-ops.ts";
export type { Expansion, WasmOps } from "./ir/wasm-ops.ts";
export { Builder } from "./ir/builder.ts";
export type { AtomicOp } from "./ir/builder.ts";
