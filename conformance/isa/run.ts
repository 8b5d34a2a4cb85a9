/**
 * ISA suite against qemu-user.
 * node --conditions=@mimus/source conformance/isa/run.ts [--cases N] [--backend interp|wasm|region|stress|mixed|both|all] [--xlen 32|64|both]
 *   [--seed N] [--only REGEXP]
 */
import { commandLine } from "../lib/command-line.ts";
import { SKIPPED } from "./cases.ts";
import { oracleVersion } from "./oracle.ts";
import { runSuite } from "./suite.ts";

const { values } = commandLine(import.meta.filename, {
  options: {
    cases: { type: "string", default: "1000000" },
    backend: { type: "string", default: "both" },
    xlen: { type: "string", default: "both" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});

const widths = values.xlen === "both" ? ([64, 32] as const) : ([values.xlen === "32" ? 32 : 64] as const);
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  both: ["interp", "wasm"],
  all: ["interp", "wasm", "region", "stress"],
};
const backends = GROUPS[values.backend] ?? [values.backend];
const perWidth = Math.ceil(Number(values.cases) / widths.length);
const started = Date.now();
let total = 0;
let differences = 0;
const shown: Map<string, number> = new Map();

for (const xlen of widths) {
  const version = oracleVersion(xlen);
  if (!version) {
    console.log(`skipped: qemu-riscv${xlen}-static is not installed`);
    continue;
  }
  console.log(`RV${xlen}: ${perWidth} cases on ${backends.join(" and ")}, oracle ${version}`);
  const counts = await runSuite({
    xlen,
    cases: perWidth,
    backends,
    seed: Number(values.seed) + xlen,
    only: values.only === undefined ? undefined : new RegExp(values.only),
    report(d, backend) {
      const n = (shown.get(d.name) ?? 0) + 1;
      shown.set(d.name, n);
      if (n <= 2) console.log(`DIFFERENCE on ${backend}: ${d.text}`);
    },
    progress(done) {
      if (process.stderr.isTTY) process.stderr.write(`\r${done}`);
    },
  });
  for (const [part, c] of counts) {
    total += c.cases;
    differences += c.differences;
    console.log(
      `  ${part.padEnd(14)} ${String(c.instructions.size).padStart(3)} instructions ${String(c.cases).padStart(8)} cases ${String(c.differences).padStart(6)} differences`,
    );
  }
}
const reasons: Map<string, string[]> = new Map();
for (const [name, why] of Object.entries(SKIPPED)) reasons.set(why, [...(reasons.get(why) ?? []), name]);
for (const [why, names] of reasons) console.log(`  not compared (${why}): ${names.join(" ")}`);
console.log(`${total} cases, ${differences} differences, ${Math.round((Date.now() - started) / 1000)} s`);
process.exitCode = differences > 0 || total === 0 ? 1 : 0;
