/**
 * Page walks and physical memory protection against qemu-system: the same random accesses, the same traps.
 * node --conditions=@mimus/source conformance/privileged/run.ts [--cases N] [--xlen 32|64|both] [--only page-walks|protection]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine } from "../lib/command-line.ts";
import { oracle, runMimus } from "../lib/mimus.ts";

const COMPILER = "riscv64-linux-gnu-gcc";
const PROGRAMS = ["page-walks", "protection"] as const;
const guests = join(import.meta.dirname, "guests");

const { values } = commandLine(import.meta.filename, {
  options: {
    cases: { type: "string", default: "4096" },
    xlen: { type: "string", default: "both" },
    only: { type: "string" },
  },
});

/** Compiles a guest program to a firmware image. */
function build(program: string, xlen: 32 | 64, cases: number, detail: number, directory: string): string {
  const elf = join(directory, `${program}-${xlen}.elf`);
  const target = xlen === 64 ? ["-march=rv64gc", "-mabi=lp64d"] : ["-march=rv32gc", "-mabi=ilp32d"];
  const flags = "-O1 -mcmodel=medany -ffreestanding -nostdlib -static -fno-pic -no-pie -mno-relax -w".split(" ");
  const link = `-Wl,--no-relax,--build-id=none,--no-warn-rwx-segments,-T,${join(guests, "link.ld")}`;
  const defines = [`-DCASES=${cases}`, `-DDETAIL=${detail}`];
  const run = spawnSync(COMPILER, [...target, ...flags, link, ...defines, "-o", elf, join(guests, `${program}.c`)], {
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(`${COMPILER} failed on ${program}.c:\n${run.stderr}`);
  return elf;
}

const lines = (text: string): string[] => text.split(/\r?\n/).filter((line) => /^[0-9a-f]+ /.test(line));

/** What QEMU prints. Two harts on two threads: with one it splits AMOs into a load and a store, with the load's faults. */
function theirs(xlen: 32 | 64, image: string): string[] {
  const args = ["-M", "virt", "-cpu", `rv${xlen},h=off`, "-smp", "2", "-accel", "tcg,thread=multi", "-nographic"];
  const run = spawnSync(`qemu-system-riscv${xlen}`, [...args, "-bios", image], { encoding: "utf8", timeout: 600_000 });
  return lines(run.stdout);
}

function ours(xlen: 32 | 64, image: string): string[] {
  const run = runMimus([`system-riscv${xlen}`, "-M", "virt", "-nographic", "-bios", image], { timeoutMs: 600_000 });
  if (run.status !== 0) throw new Error(`mimus ended with ${run.status}: ${run.stderr}`);
  return lines(run.stdout);
}

/** The first pair of lines that differ, or undefined. */
function difference(a: readonly string[], b: readonly string[]): readonly [string, string] | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++)
    if (a[i] !== b[i]) return [a[i] ?? "(nothing)", b[i] ?? "(nothing)"];
  return undefined;
}

const cases = Math.ceil(Number(values.cases) / 64) * 64;
const widths = values.xlen === "both" ? ([64, 32] as const) : ([values.xlen === "32" ? 32 : 64] as const);
const directory = mkdtempSync(join(tmpdir(), "privileged-"));
let failed = 0;
try {
  for (const xlen of widths) {
    for (const tool of [COMPILER, `qemu-system-riscv${xlen}`])
      if (!oracle(tool)) {
        console.log(`skipped RV${xlen}: ${tool} is not installed`);
        process.exit(0);
      }
    for (const program of PROGRAMS.filter((name) => values.only === undefined || name === values.only)) {
      const image = build(program, xlen, cases, -1, directory);
      const found = difference(theirs(xlen, image), ours(xlen, image));
      console.log(`RV${xlen} ${program}: ${cases} cases, ${found ? "DIFFERENT" : "equal"}`);
      if (!found) continue;
      failed++;
      // The digests of 64 cases differ: print those one by one.
      const from = Math.max(0, Number.parseInt(found[0], 16) - 63);
      const detailed = build(program, xlen, from + 64, from, directory);
      const [qemu, mimus] = difference(theirs(xlen, detailed), ours(xlen, detailed)) ?? found;
      console.log(`  qemu:  ${qemu}\n  mimus: ${mimus}`);
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}
process.exitCode = failed > 0 ? 1 : 0;
