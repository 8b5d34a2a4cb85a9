import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The checks of `pnpm test`, in the order that fails fastest. Each is a command that CI runs as it stands. */
const STEPS: readonly (readonly [name: string, ...command: string[]])[] = [
  ["build", "turbo", "run", "//#types", "build", "--output-logs=errors-only"],
  ["types of tools", "tsc", "-p", "tools"],
  ["types of tests", "tsc", "-p", "tsconfig.tests.json"],
  ["types of conformance", "tsc", "-p", "conformance"],
  ["types of the page for programs", "tsc", "-p", "conformance/web/kernels"],
  ["format", "oxfmt", "--check"],
  ["lint", "oxlint"],
  ["unused code", "knip", "--no-config-hints"],
  ["layers", "node", "tools/layers.ts"],
  ["generated pages", "node", "--conditions=@mimus/source", "tools/docs.ts", "--check"],
  ["unit tests in a browser", "node", "tools/browser-tests.ts"],
  ["unit and conformance tests", "vitest", "run"],
];

const wanted = process.argv.slice(2);
const counts = join(mkdtempSync(join(tmpdir(), "mimus-test-")), "counts.json");
let failed = 0;
for (const [name, command, ...args] of STEPS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const { status } = spawnSync(command ?? "", args, {
    stdio: "inherit",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", MIMUS_TEST_COUNTS: counts },
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok" : "FAILED"}  ${name} (${seconds} s)\n`);
  if (status !== 0) failed++;
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
