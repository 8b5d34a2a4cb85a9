import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A check: a command that CI runs as it stands. */
type Step = readonly [name: string, ...command: string[]];

/**
 * The checks of `pnpm test`, in the order that fails fastest: stage after stage. Lanes of a stage run beside each other, the checks of a lane one
 * after another. The tests have the machine for themselves: they keep all processors busy.
 */
const STAGES: readonly (readonly (readonly Step[])[])[] = [
  [[["build", "turbo", "run", "//#types", "build", "--output-logs=errors-only"]]],
  [
    [
      ["format", "oxfmt", "--check"],
      ["lint", "oxlint"],
      ["layers", "node", "tools/layers.ts"],
      ["types of tools", "tsc", "-p", "tools"],
      ["types of tests", "tsc", "-p", "tsconfig.tests.json"],
      ["types of conformance", "tsc", "-p", "conformance"],
      ["types of the page for programs", "tsc", "-p", "conformance/web/kernels"],
      ["unused code", "knip", "--no-config-hints"],
      ["generated pages", "node", "--conditions=@mimus/source", "tools/docs.ts", "--check"],
    ],
    [["unit tests in a browser", "node", "tools/browser-tests.ts"]],
  ],
  [[["unit and conformance tests", "vitest", "run"]]],
];

const wanted = process.argv.slice(2);
const counts = join(mkdtempSync(join(tmpdir(), "mimus-test-")), "counts.json");
let failed = 0;
for (const stage of STAGES) {
  const lanes = stage
    .map((steps) => steps.filter(([name]) => wanted.length === 0 || wanted.includes(name)))
    .filter((steps) => steps.length > 0);
  await Promise.all(
    lanes.map(async (steps) => {
      for (const step of steps) if (!(await passes(step, lanes.length === 1))) failed++;
    }),
  );
}

/** Runs a check and says how it ended. `alone`: the terminal is its own; otherwise whole lines are passed on. */
async function passes([name, command, ...args]: Step, alone: boolean): Promise<boolean> {
  const start = performance.now();
  const child = spawn(command ?? "", args, {
    stdio: alone ? "inherit" : ["ignore", "pipe", "pipe"],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", MIMUS_TEST_COUNTS: counts },
  });
  for (const input of [child.stdout, child.stderr])
    if (input) createInterface({ input }).on("line", (line) => process.stdout.write(`${line}\n`));
  const status = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
    child.on("error", (e) => {
      process.stdout.write(`${e.message}\n`);
      resolve(null);
    });
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok" : "FAILED"}  ${name} (${seconds} s)\n`);
  return status === 0;
}

if (existsSync(counts)) {
  const tests = JSON.parse(readFileSync(counts, "utf8")) as {
    passed: number;
    failed: number;
    skipped: number;
    failures: string[];
    again: string[];
  };
  for (const name of tests.again) process.stdout.write(`passed the second time only  ${name}\n`);
  for (const failure of tests.failures) process.stdout.write(`FAILED  ${failure}\n`);
  process.stdout.write(`${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
