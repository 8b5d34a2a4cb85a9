/** Soft-float functions as helpers: `name(status, a, b, c)` with 64-bit operands and result. */
import { softfloatModule } from "@mimus/softfloat";
import type { Helper, WasmModuleSpec } from "@mimus/tcg";

const FORMATS = ["f32", "f64"];
const INTEGERS = ["i32", "ui32", "i64", "ui64"];
const UNARY = ["sqrt", "classify"];
const BINARY = ["add", "sub", "mul", "div", "min", "max", "eq", "lt", "le"];
const MODULE = softfloatModule.name;

function helper(name: string, operands: number): Helper {
  return {
    name,
    params: ["i32", ...Array.from({ length: operands }, () => "i64" as const)],
    result: "i64",
    mayFault: false,
    reads: ["fp_flags"],
    writes: ["fp_flags"],
    impl: { kind: "wasm", module: MODULE, export: name },
  };
}

/** Every soft-float function that F and D use. */
export function softFloatHelpers(): Helper[] {
  return [
    ...FORMATS.flatMap((f) => [
      ...UNARY.map((op) => helper(`${f}_${op}`, 1)),
      ...BINARY.map((op) => helper(`${f}_${op}`, 2)),
      helper(`${f}_mulAdd`, 3),
      ...INTEGERS.flatMap((i) => [helper(`${f}_to_${i}`, 1), helper(`${i}_to_${f}`, 1)]),
    ]),
    helper("f32_to_f64", 1),
    helper("f64_to_f32", 1),
  ];
}

/** The module they are in; one instance per machine. */
export function softFloatModule(): WasmModuleSpec {
  return softfloatModule;
}
