/**
 * Random x86 code: whatever bytes a guest executes, in any mode and ring, ends in an architectural exception or a result.
 * node --conditions=@mimus/source conformance/x86/random-strings.ts [--strings N] [--backend cold,region,interp,wasm,stress,mixed]
 *   [--sample N] [--seed N] [--mode kernel64]
 */
import { commandLine } from "../lib/command-line.ts";
import { runStrings } from "./strings.ts";
import type { StringMode } from "./strings.ts";

const { values } = commandLine(import.meta.filename, {
  options: {
    strings: { type: "string", default: "10000" },
    backend: { type: "string", default: "interp,region" },
    sample: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    mode: { type: "string" },
  },
});

/** Each mode and ring; compatibility mode is that of the 64-bit CPU below 64 bits. */
const ALL: readonly (readonly [32 | 64, StringMode])[] = [
  [32, "real"],
  [32, "kernel16"],
  [32, "user16"],
  [32, "virtual8086"],
  [32, "kernel32"],
  [32, "user32"],
  [64, "kernel64"],
  [64, "user64"],
  [64, "kernel32"],
  [64, "user32"],
  [64, "user16"],
];

const backends = values.backend.split(",");
const strings = Number(values.strings);
const sample = Math.max(1, Number(values.sample));
let failures = 0;
for (const [word, mode] of ALL) {
  if (values.mode !== undefined && values.mode !== mode) continue;
  const result = runStrings({ word, mode, backends, strings, sample, seed: Number(values.seed) });
  failures += result.failures.length;
  const ends = [...result.ends].toSorted((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${n}`);
  console.log(
    `${word === 64 ? "x86_64" : "i386"} ${mode}: ${strings} strings on ${backends.join(sample > 1 ? `, one of ${sample} on ` : " and ")}: ${ends.join(", ")}`,
  );
  for (const failure of result.failures.slice(0, 5)) console.log(`  FAILURE ${failure}`);
}
console.log(`${failures} internal errors or differences between back ends`);
process.exitCode = failures > 0 ? 1 : 0;
