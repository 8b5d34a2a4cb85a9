/**
 * pnpm programs [-l] [-q] [-e qemu|mimus] [-s] [-j N] [-k FILE] [TEXT...]: runs the cases whose name contains a TEXT under QEMU and Mimus and
 * prints what differs. -l lists them, -q takes the quick ones, -e runs one emulator and shows its output, -s adds -strace to it, -k keeps what
 * QEMU did in a file, and takes it from there the next time.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { commandLine } from "../lib/command-line.ts";
import { guest } from "../lib/mimus.ts";
import { CASES } from "./cases/index.ts";
import type { ProgramCase } from "./case.ts";
import { compare, type Engine, type Outcome, runCase } from "./run.ts";

const { values, positionals } = commandLine(import.meta.filename, {
  allowPositionals: true,
  options: {
    list: { type: "boolean", short: "l", default: false },
    quick: { type: "boolean", short: "q", default: false },
    engine: { type: "string", short: "e" },
    strace: { type: "boolean", short: "s", default: false },
    keep: { type: "string", short: "k" },
    jobs: { type: "string", short: "j", default: "1" },
  },
});
const sysroot = guest("riscv64-sysroot");
if (sysroot === undefined) throw new Error("there is no riscv64-sysroot: pnpm guests riscv64-sysroot");
const chosen = CASES.filter(
  (c) => (!values.quick || c.quick) && (positionals.length === 0 || positionals.some((p) => c.name.includes(p))),
);

const kept: Record<string, Outcome> =
  values.keep === undefined || !existsSync(values.keep)
    ? {}
    : (JSON.parse(readFileSync(values.keep, "utf8")) as Record<string, Outcome>);

/** What a case is, so that what QEMU did is kept no longer than it is that. */
const key = (test: ProgramCase): string => createHash("sha256").update(JSON.stringify(test)).digest("hex");

async function show(test: ProgramCase, engine: Engine, root: string): Promise<void> {
  const result = await runCase(test, engine, root, join(work, "work"), values.strace ? ["-strace"] : []);
  const { status, stdout, stderr, emulator, files, seconds } = result;
  if (engine === "qemu" && !values.strace) kept[key(test)] = result;
  process.stdout.write(
    `== ${test.name}\n-- status ${status}, ${seconds.toFixed(2)} s\n-- stdout\n${stdout}-- stderr\n${emulator}${stderr}-- files\n${files}\n`,
  );
}

async function check(test: ProgramCase, root: string): Promise<boolean> {
  const { qemu, mimus, differences } = await compare(test, root, kept[key(test)]);
  kept[key(test)] = qemu;
  const times = `${qemu.seconds.toFixed(2)} ${mimus.seconds.toFixed(2)}`;
  process.stdout.write(`${differences.length === 0 ? "ok  " : "FAIL"} ${times}  ${test.name}\n`);
  for (const line of differences) process.stdout.write(`       ${line}\n`);
  return differences.length === 0;
}

const work = await mkdtemp(join(tmpdir(), "mimus-program-"));
if (values.list) for (const { name } of chosen) process.stdout.write(`${name}\n`);
else if (values.engine === "qemu" || values.engine === "mimus")
  for (const test of chosen) await show(test, values.engine, sysroot);
else {
  let failed = 0;
  const queue = [...chosen];
  const worker = async (): Promise<void> => {
    for (let test = queue.shift(); test !== undefined; test = queue.shift())
      if (!(await check(test, sysroot))) failed++;
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
  process.stdout.write(`${chosen.length - failed} of ${chosen.length} equal\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
if (values.keep !== undefined) writeFileSync(values.keep, JSON.stringify(kept));
await rm(work, { recursive: true, force: true });
