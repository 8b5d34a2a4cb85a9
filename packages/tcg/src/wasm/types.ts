/** The part of the WebAssembly JavaScript interface that is used here; core packages have no DOM library. */
import type { WasmMemory } from "../exec/contract.ts";

type WasmExports = Readonly<Record<string, unknown>>;
type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
interface WasmModule {
  readonly __wasmModule?: never;
}
export interface WasmInstance {
  readonly exports: WasmExports;
}
export interface WasmTable {
  readonly length: number;
  get(index: number): unknown;
  set(index: number, value: unknown): void;
  grow(delta: number): number;
}
/** A global that holds a value of the host's. */
export interface WasmGlobal {
  value: unknown;
}
export interface WasmApi {
  readonly CompileError: new (message?: string) => Error;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule, imports?: WasmImports) => WasmInstance;
  readonly Table: new (descriptor: { initial: number; maximum?: number; element: "anyfunc" }) => WasmTable;
  readonly Global: new (descriptor: { value: "externref"; mutable: true }, value?: unknown) => WasmGlobal;
  readonly Memory: new (descriptor: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
}

declare const WebAssembly: WasmApi;

/** The host's `WebAssembly`. */
export const wasm: WasmApi = WebAssembly;
