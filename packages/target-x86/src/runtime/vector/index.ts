/** What translated code calls for vectors: functions of `@mimus/softfloat/sse`, and the XSAVE family. */
import { sseModule } from "@mimus/softfloat/sse";
import type { Helper, WasmModuleSpec } from "@mimus/tcg";
import type { X86Cpu } from "../../cpu.ts";
import type { WordSize } from "../../state.ts";
import { xsave } from "./xsave.ts";

/** Functions of the operands' block and MXCSR, by how many numbers they take besides. */
const WITH_MXCSR: Readonly<Record<string, number>> = {
  sse_f32: 2, sse_f64: 2, sse_fma32: 2, sse_fma64: 2, sse_dp32: 1, sse_dp64: 1,
  sse_cmp32: 2, sse_cmp64: 2, sse_comi32: 1, sse_comi64: 1,
  sse_f32_i32: 2, sse_f64_i32: 2, sse_f32_i64: 1, sse_f64_i64: 1, sse_i32_f32: 1, sse_i64_f32: 0, sse_i64_f64: 0,
  sse_f32_f64: 1, sse_f64_f32: 1, sse_f16_f32: 1, sse_f32_f16: 2, sse_round32: 2, sse_round64: 2,
}; // prettier-ignore
/** Functions of the operands' block alone. */
const ALONE: Readonly<Record<string, number>> = {
  sse_approximate: 2,
  sse_aes: 1,
  sse_aesKeygen: 1,
  sse_clmul: 1,
  sse_sha1: 1,
  sse_sha256: 1,
};

const numbers = (count: number): "i32"[] => Array.from({ length: count }, () => "i32");

function wasm(name: string, params: readonly ("i32" | "i64")[], globals: readonly string[], result?: "i32"): Helper {
  return {
    name,
    params,
    ...(result === undefined ? {} : { result }),
    mayFault: false,
    reads: globals,
    writes: globals,
    impl: { kind: "wasm", module: sseModule.name, export: name },
  };
}

/** The helpers. */
export function vectorHelpers(word: WordSize): Helper[] {
  return [
    ...Object.entries(WITH_MXCSR).map(([name, n]) => wasm(name, ["i32", "i32", ...numbers(n)], ["mxcsr"], "i32")),
    ...Object.entries(ALONE).map(([name, n]) => wasm(name, ["i32", ...numbers(n)], [])),
    wasm("sse_strings", ["i32", ...numbers(3)], [], "i32"),
    wasm("sse_crc32", ["i32", "i64", "i32"], [], "i32"),
    {
      // xsave(kind, linear address): any state may be read and written; the block ends after what restores.
      name: "xsave",
      params: ["i32", word === 64 ? "i64" : "i32"],
      mayFault: true,
      impl: {
        kind: "js",
        fn: (cpu: X86Cpu, flags: number, lo: number, hi = 0) => xsave(cpu, flags, lo, hi),
      },
    },
  ];
}

/** The module that they are in. */
export const vectorModule: WasmModuleSpec = sseModule;
