/**
 * All TestFloat cases of the given files (default: the checked-in RISC-V ones) through the softfloat module.
 *
 *   node --conditions=@mimus/source conformance/float/run.ts [FILE.txt.gz...]
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { commandLine } from "../lib/command-line.ts";
import { SoftfloatRunner } from "./softfloat.ts";
import { parseTestfloat } from "./testfloat.ts";

/** What a run over one file gave. */
export interface FloatReport {
  readonly cases: number;
  readonly equal: number;
  /** Functions that the module does not have, with the number of their cases. */
  readonly missing: ReadonlyMap<string, number>;
  /** Cases by function name. */
  readonly byFunction: ReadonlyMap<string, { cases: number; equal: number }>;
  /** A line for each of the first differences of a function and mode. */
  readonly differences: readonly string[];
}

export const riscvFile: URL = new URL("../data/float/testfloat-riscv-given.txt.gz", import.meta.url);

/** Runs every case of a gzipped TestFloat file. */
export function runTestfloat(file: string | URL, policy: "riscv" | "x86" | "arm" = "riscv"): FloatReport {
  const runner = new SoftfloatRunner(policy);
  const byFunction = new Map<string, { cases: number; equal: number }>();
  const missing = new Map<string, number>();
  const differences: string[] = [];
  let cases = 0;
  let equal = 0;
  for (const group of parseTestfloat(gunzipSync(readFileSync(file)).toString("latin1"))) {
    if (!runner.has(group.fn)) {
      missing.set(group.fn, (missing.get(group.fn) ?? 0) + group.cases.length);
      continue;
    }
    const count = byFunction.get(group.fn) ?? { cases: 0, equal: 0 };
    byFunction.set(group.fn, count);
    let shown = 0;
    group.cases.forEach((test, i) => {
      const { ok, answer } = runner.holds(group.fn, group.mode, test);
      count.cases++;
      if (ok) count.equal++;
      else if (shown++ < 3) {
        const hex = (n: bigint): string => n.toString(16);
        differences.push(
          `line ${group.lines[i]}: ${group.fn} ${group.mode} ${test.operands.map(hex).join(" ")}: ` +
            `${hex(answer.result)} flags ${answer.flags}, wanted ${hex(test.result)} flags ${test.flags}`,
        );
      }
    });
    cases += group.cases.length;
  }
  for (const count of byFunction.values()) equal += count.equal;
  return { cases, equal, missing, byFunction, differences };
}

if (import.meta.main) {
  const files = commandLine(import.meta.filename, { allowPositionals: true }).positionals;
  let wrong = false;
  for (const file of files.length > 0 ? files : [riscvFile]) {
    const report = runTestfloat(file, /x86/.test(String(file)) ? "x86" : "riscv");
    for (const line of report.differences) console.log(line);
    for (const [fn, count] of report.byFunction) {
      if (count.equal !== count.cases) console.log(`${fn}: ${count.equal} of ${count.cases} equal`);
    }
    for (const [fn, count] of report.missing) console.log(`${fn}: ${count} cases not run, no such operation`);
    console.log(`${file}: ${report.equal} of ${report.cases} equal, results and flags`);
    wrong ||= report.equal !== report.cases;
  }
  process.exitCode = wrong ? 1 : 0;
}
