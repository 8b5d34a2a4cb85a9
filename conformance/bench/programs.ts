/** Whole programs in user mode: wall time from start to end, seen from outside. */
import { createHash } from "node:crypto";
import { copyFile, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Console } from "../lib/console.ts";
import { median } from "./stats.ts";
import { atMost, type Bar, figure, type Row } from "./table.ts";
import { BenchError, compile, emulators, needGuest, progress } from "./tools.ts";

interface Run {
  readonly seconds: number;
  readonly output: string;
}

/** What is measured, how often, and by which time. */
export interface ProgramOptions {
  readonly rounds: number;
  /** Processor time of the whole process, with its compilers and collectors, in place of real time: for a busy machine. */
  readonly cpuTime: boolean;
}

/** bash measures a command and its threads: Node has no such figures of a child. */
const TIMES = ["bash", "-c", 'TIMEFORMAT="@times %U %S"; time "$@"', "bash"];

/** Runs a command. @throws BenchError when it fails or does not end */
async function timed(command: readonly string[], timeoutMs: number, cpuTime: boolean): Promise<Run> {
  const [program = "", ...args] = cpuTime ? [...TIMES, ...command] : command;
  const child = new Console(program, args);
  const status = await child.exit(timeoutMs);
  const seconds = (performance.now() - child.startedAt) / 1000;
  if (status !== 0)
    throw new BenchError(
      "failed",
      `${command.join(" ")}: status ${status} after ${seconds.toFixed(0)} s: ${child.log.trim().slice(-300)}`,
    );
  const [line = "", user, system] = /@times ([\d.]+) ([\d.]+)\n/.exec(child.log) ?? [];
  return { seconds: cpuTime ? Number(user) + Number(system) : seconds, output: child.log.replace(line, "") };
}

/** Medians of the seconds that each command takes, in turn. @throws BenchError when their outputs differ */
async function inTurn<Name extends string>(
  { rounds, cpuTime }: ProgramOptions,
  commands: Readonly<Record<Name, readonly string[]>>,
  timeoutMs: number,
): Promise<Record<Name, number>> {
  const all = Object.fromEntries(Object.keys(commands).map((name) => [name, []])) as unknown as Record<Name, number[]>;
  let printed: string | undefined;
  for (let round = 0; round < rounds; round++)
    for (const name of Object.keys(commands) as Name[]) {
      const { seconds, output } = await timed(commands[name], timeoutMs, cpuTime);
      all[name].push(seconds);
      progress(`round ${round + 1} ${name} ${figure(seconds)} s`);
      printed ??= output;
      if (output !== printed)
        throw new BenchError(
          "failed",
          `${name} printed ${JSON.stringify(output.slice(-200))}, not ${JSON.stringify(printed.slice(-200))}`,
        );
    }
  return Object.fromEntries(Object.keys(commands).map((name) => [name, median(all[name as Name])])) as Record<
    Name,
    number
  >;
}

const faster = (times: number, ours: number, qemu: number): Bar =>
  atMost(`at least ${times} times as fast`, ours, qemu / times);

/** `mimus riscv64 hello`, from nothing to the end. */
export async function hello(options: ProgramOptions): Promise<Row[]> {
  const program = await compile("hello", "riscv64");
  const { ours, qemu } = emulators();
  const commands = { native: [await compile("hello", "native")], qemu: [...qemu, program], ours: [...ours, program] };
  const seconds = await inTurn(options, commands, 60_000);
  const bar = atMost("under 0.35 s", seconds.ours, 0.35);
  return [{ what: "hello from a cold start", unit: "s", ...seconds, better: "less", bar }];
}

const MIB = 2 ** 20;

/** `gzip -9` of Debian's busybox over a file of kernel code; the archives have to be the same. */
export async function gzip({ rounds, cpuTime }: ProgramOptions, mebibytes = 64): Promise<Row[]> {
  const busybox = needGuest("riscv64/busybox");
  const content = await readFile(needGuest("riscv64/linux"));
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const path = join(folder, "data");
  try {
    const file = await open(path, "w");
    for (let at = 0; at < mebibytes * MIB; at += content.length)
      await file.write(content.subarray(0, Math.min(content.length, mebibytes * MIB - at)));
    await file.close();
    const of = emulators();
    const seconds: Record<"ours" | "qemu", number[]> = { ours: [], qemu: [] };
    const sums = new Set<string>();
    for (let round = 0; round < rounds; round++)
      for (const name of ["qemu", "ours"] as const) {
        const copy = join(folder, name);
        await copyFile(path, copy);
        const run = await timed([...of[name], busybox, "gzip", "-9", copy], 1_800_000, cpuTime);
        seconds[name].push(run.seconds);
        sums.add(
          createHash("sha256")
            .update(await readFile(`${copy}.gz`))
            .digest("hex"),
        );
        await rm(`${copy}.gz`);
        progress(`round ${round + 1} ${name} ${figure(run.seconds)} s`);
      }
    if (sums.size !== 1) throw new BenchError("failed", "the compressed files differ");
    const [ours, qemu] = [median(seconds.ours), median(seconds.qemu)];
    return [
      { what: `gzip -9 of ${mebibytes} MiB`, unit: "s", ours, qemu, better: "less", bar: faster(1.2, ours, qemu) },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Attributes, calls, lists, dictionaries, strings and numbers, in no module's C code. */
const PYTHON = `
import sys
class Point:
    def __init__(self, x, y): self.x, self.y = x, y
    def add(self, other): return Point(self.x + other.x, self.y ^ other.y)
def work(n):
    seen, words, total, p = {}, [], 0.0, Point(0, 0)
    for i in range(n):
        p = p.add(Point(i & 7, i))
        key = (i * 2654435761) % 8191
        seen[key] = seen.get(key, 0) + 1
        if i % 3 == 0: words.append("w%d" % (i % 100))
        total += i * 0.5
        if len(words) > 500: words = sorted(set(words))
    return p.x, p.y, len(seen), len(words), total
print(*work(int(sys.argv[1])))
`;

/** A loop that takes QEMU about `target` seconds, in Debian's Python. */
export async function python(options: ProgramOptions, target = 10): Promise<Row[]> {
  const sysroot = needGuest("riscv64-sysroot", "user");
  const program = needGuest("riscv64-sysroot/usr/bin/python3.13", "user");
  const of = emulators();
  const loop = (name: "ours" | "qemu", n: number): string[] => [
    ...of[name], "-L", sysroot, program, "-S", "-E", "-c", PYTHON, `${n}`,
  ]; // prettier-ignore
  // The first start also reads files that are in no cache yet.
  await timed(loop("qemu", 1), 120_000, options.cpuTime);
  const start = (await timed(loop("qemu", 1), 120_000, options.cpuTime)).seconds;
  const trial = 100_000;
  const each = ((await timed(loop("qemu", trial), 600_000, options.cpuTime)).seconds - start) / trial;
  const n = Math.max(trial, Math.round(target / each / trial) * trial);
  const commands = { qemu: loop("qemu", n), ours: loop("ours", n) };
  const seconds = await inTurn(options, commands, 1_800_000);
  const bar = faster(1.2, seconds.ours, seconds.qemu);
  return [{ what: "a pure Python loop", note: `${n} times`, unit: "s", ...seconds, better: "less", bar }];
}
