/** What translated x87 instructions call: nearly all of it WebAssembly that works on the state block itself. */
import { x87Module as module, x87Signatures } from "@mimus/softfloat/x87";
import type { Helper, WasmModuleSpec } from "@mimus/tcg";
import { error } from "../../float/error.ts";

/** Registers, tags and words lie in the state block; of globals the stack pointer alone is used by others. */
const TOP = ["fpu_top"] as const;

/** The module of the WebAssembly helpers. */
export const x87Module: WasmModuleSpec = module;

/** Every helper of the chapter "x87". */
export function x87Helpers(): Helper[] {
  const helpers = Object.entries(x87Signatures).map(([name, { params, result }]): Helper => ({
    name,
    params: ["env", ...params],
    ...(result === undefined ? {} : { result }),
    mayFault: false,
    reads: TOP,
    writes: TOP,
    impl: { kind: "wasm", module: module.name, export: name },
  }));
  helpers.push({
    // x87_error(): the pending exception comes; 1: leave for the run loop before the instruction.
    name: "x87_error",
    params: [],
    result: "i32",
    mayFault: true,
    reads: [],
    writes: [],
    impl: { kind: "js", fn: error },
  });
  return helpers;
}
