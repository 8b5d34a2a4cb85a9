import { spawnSync } from "node:child_process";

/** The checks of `pnpm test`, in the order that fails fastest. Each is a command that CI runs as it stands. */
const STEPS: readonly (readonly [name: string, ...command: string[]])[] = [
  ["wasm", "turbo", "run", "wasm", "--output-logs=errors-only"],
  ["build", "turbo", "run", "//#types", "build", "--output-logs=errors-only"],
  ["types of tools", "tsc", "-p", "tools"],
  ["types of conformance", "tsc", "-p", "conformance"],
  ["format", "oxfmt", "--check"],
  ["lint", "oxlint"],
  ["layers", "node", "tools/layers.ts"],
  ["generated pages", "node", "--conditions=@mimus/source", "tools/docs.ts", "--check"],
  ["unit and conformance tests", "vitest", "run"],
  ["unit tests in a browser", "node", "tools/browser-tests.ts"],
];

const wanted = process.argv.slice(2);
let failed = 0;
for (const [name, command, ...args] of STEPS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const { status } = spawnSync(command ?? "", args, {
    stdio: "inherit",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "ok" : "FAILED"}  ${name} (${seconds} s)\n`);
  if (status !== 0) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
