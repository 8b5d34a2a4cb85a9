/** System calls: C programs that print results and errors, compared with qemu-riscv64-static line by line. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { mimusCommand, oracle } from "../lib/mimus.ts";

const COMPILER = "riscv64-linux-gnu-gcc";
const QEMU = "qemu-riscv64-static";
const PROGRAMS = ["files", "descriptors", "poll", "time", "memory", "identity"] as const;
const sources = join(import.meta.dirname, "../user");
const ready = oracle(COMPILER) && oracle(QEMU);
if (!ready) console.warn(`system calls: skipped, ${COMPILER} or ${QEMU} is not installed`);

describe.skipIf(!ready)("system calls", () => {
  const folder = mkdtempSync(join(tmpdir(), "mimus-syscalls-"));
  const place = (name: string): string => join(folder, name);
  /** Runs a program in a new directory. */
  const run = (command: string, args: readonly string[], cwd: string): string => {
    rmSync(cwd, { recursive: true, force: true });
    mkdirSync(cwd);
    const { stdout, stderr, status, signal } = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 40_000 });
    return `${stdout}\nstatus ${status ?? signal}\n${stderr}`;
  };
  beforeAll(() => {
    for (const name of [...PROGRAMS, "replaced", "settime"]) {
      const args = ["-O1", "-w", "-static", "-o", place(name), join(sources, `${name}.c`)];
      const { status, stderr } = spawnSync(COMPILER, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
    }
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const name of PROGRAMS)
    it(`${name}: as under QEMU`, (test) => {
      const { command, args } = mimusCommand();
      const cwd = place("work");
      const seen = run(command, [...args, "riscv64", place(name)], cwd);
      expect(seen).toContain("\nstatus 0\n");
      const expected = run(QEMU, [place(name)], cwd);
      // Where QEMU cannot end, on a host that it does not get along with, nothing is left to compare.
      if (/^status SIG/m.test(expected))
        test.skip(`${QEMU} did not end: ${expected.trimEnd().split("\n").slice(-3).join("; ")}`);
      expect(seen).toBe(expected);
    });

  // QEMU asks the host, which in a container may answer EPERM to any clock: here the manual page judges (clock_settime(2)).
  it("a guest does not set the host's clock", () => {
    const { command, args } = mimusCommand();
    expect(
      run(command, [...args, "riscv64", place("settime")], place("work"))
        .split("\n")
        .slice(0, 3),
    ).toEqual([
      "clock_settime(CLOCK_REALTIME, &t): EPERM",
      "clock_settime(99, &t): EINVAL",
      "settimeofday(&tv, 0): EPERM",
    ]);
  });

  // QEMU goes on with old code after writes to a mapped file: here the architecture judges.
  for (const backend of ["interp", "wasm", "region"])
    it(`code that the kernel replaces is run anew (${backend})`, { timeout: 120_000 }, () => {
      const { command, args } = mimusCommand();
      const out = run(
        command,
        [...args, "riscv64", "-accel", `tcg,backend=${backend}`, place("replaced")],
        place("work"),
      );
      const sums = [...out.matchAll(/^run\(.*: (\d+)$/gm)].map(([, sum]) => Number(sum));
      expect(sums.map((sum) => sum / 20_000)).toEqual([1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 9, 10, 10]);
      expect(out).toContain("\nstatus 0\n");
    });
});
