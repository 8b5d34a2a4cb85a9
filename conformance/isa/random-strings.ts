/**
 * Random code: whatever bytes a guest executes, in any mode, ends in an architectural exception or a result.
 * node --conditions=@mimus/source conformance/isa/random-strings.ts [--strings N] [--backend both|interp,wasm,region,stress,mixed] [--seed N]
 */
import { commandLine } from "../lib/command-line.ts";
import { runStrings } from "./strings.ts";

const { values } = commandLine(import.meta.filename, {
  options: {
    strings: { type: "string", default: "100000" },
    backend: { type: "string", default: "both" },
    seed: { type: "string", default: "1" },
  },
});
const backends = values.backend === "both" ? ["interp", "wasm"] : values.backend.split(",");
let failures = 0;
for (const xlen of [64, 32] as const) {
  for (const mode of ["M", "S", "U"] as const) {
    const result = runStrings({ xlen, mode, backends, strings: Number(values.strings), seed: Number(values.seed) });
    failures += result.failures.length;
    const ends = [...result.ends].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${n}`);
    console.log(`RV${xlen} ${mode}: ${result.strings} strings on ${backends.join(" and ")}: ${ends.join(", ")}`);
    for (const f of result.failures.slice(0, 5)) console.log(`  FAILURE ${f}`);
  }
}
console.log(`${failures} internal errors or differences between back ends`);
process.exitCode = failures > 0 ? 1 : 0;
