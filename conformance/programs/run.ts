import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { mimusCommand } from "../lib/mimus.ts";
import type { ProgramCase } from "./case.ts";
import { FIXTURES } from "./fixtures.ts";

/** What a run left behind. */
export interface Outcome {
  /** As a shell reports it: 128 plus the number of the signal that ended it. */
  readonly status: number;
  readonly stdout: string;
  /** Without the emulator's own lines. */
  readonly stderr: string;
  /** The emulator's own lines. */
  readonly emulator: string;
  /** The work directory: a line per file with type, mode, size and digest. */
  readonly files: string;
  readonly seconds: number;
}

/** A case, run by both. */
export interface Comparison {
  readonly qemu: Outcome;
  readonly mimus: Outcome;
  /** What differs, in words; empty if nothing does. */
  readonly differences: readonly string[];
}

export type Engine = "qemu" | "mimus";

const OLD = new Date("2001-09-09T01:46:40Z");

/** A directory that every run starts from anew: paths are the same for both emulators. */
async function prepare(directory: string, test: ProgramCase): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const directories = new Set<string>([directory]);
  for (const [name, content] of Object.entries({ ...FIXTURES, ...test.files })) {
    const path = join(directory, name);
    directories.add(dirname(path));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await chmod(path, name.startsWith("bin/") || name.endsWith(".elf") ? 0o755 : 0o644);
    await utimes(path, OLD, OLD);
  }
  await symlink("words.txt", join(directory, "link"));
  await lutimes(join(directory, "link"), OLD, OLD);
  for (const path of [dirname(directory), ...directories].toReversed()) await utimes(path, OLD, OLD);
}

async function listing(directory: string, prefix = ""): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    const info = await lstat(path);
    const mode = (info.mode & 0o7777).toString(8);
    // A time that a run left is another in each run; one that it set to long ago is not.
    const time = info.mtime.getUTCFullYear() < 2020 ? ` ${info.mtime.toISOString()}` : "";
    if (info.isDirectory())
      lines.push(`${prefix}${name}/ ${mode}${time}`, ...(await listing(path, `${prefix}${name}/`)));
    else if (info.isSymbolicLink()) lines.push(`${prefix}${name} -> ${await readlink(path)}`);
    else if (info.isFile() && !/^qemu_.*\.core$/.test(name)) {
      const bytes = await readFile(path).catch(() => Buffer.from("unreadable"));
      const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
      lines.push(`${prefix}${name} ${mode} ${info.nlink} ${info.size} ${digest}${time}`);
    } else if (!info.isFile()) lines.push(`${prefix}${name} special ${(info.mode & 0o177777).toString(8)}`);
  }
  return lines;
}

const OWN = /^(?:qemu(?:-riscv64(?:-static)?)?|mimus)(?: riscv64)?: .*\n/gm;

interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; each byte of its output is a character, so that what is not UTF-8 is compared too. */
async function run(argv: readonly string[], directory: string, test: ProgramCase): Promise<Run> {
  const [command = "", ...args] = argv;
  const child = spawn(command, args, {
    cwd: directory,
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", LC_ALL: "C", TZ: "UTC", ...test.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => out.push(data));
  child.stderr.on("data", (data: Buffer) => err.push(data));
  child.stdin.on("error", () => {}); // A program that does not read its input closes the pipe.
  child.stdin.end(test.stdin ?? "");
  const timer = setTimeout(() => {
    err.push(Buffer.from("(too late: killed)\n"));
    child.kill("SIGKILL");
  }, test.timeout ?? 300_000);
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  clearTimeout(timer);
  return { status, stdout: Buffer.concat(out).toString("latin1"), stderr: Buffer.concat(err).toString("latin1") };
}

/** Runs a case under one emulator. `extra` are options for it, such as -strace, whose lines land in `stderr`. */
export async function runCase(
  test: ProgramCase,
  engine: Engine,
  sysroot: string,
  directory: string,
  extra: readonly string[] = [],
): Promise<Outcome> {
  await prepare(directory, test);
  const own = mimusCommand();
  const emulator = engine === "qemu" ? ["qemu-riscv64-static"] : [own.command, ...own.args, "riscv64"];
  const options = ["-L", sysroot, ...extra, ...(test.options ?? [])];
  const start = performance.now();
  let stdout = "";
  let stderr = "";
  let status = 0;
  for (const [program = "", ...args] of [...(test.before ?? []), test.argv]) {
    const path = program.startsWith("/") ? join(sysroot, program) : program;
    const result = await run([...emulator, ...options, path, ...args], directory, test);
    stdout += result.stdout;
    stderr += result.stderr;
    status = result.status;
  }
  const normalise = (text: string): string =>
    (test.normalise ?? []).reduce((t, f) => f(t), text.replaceAll(directory, "/work").replaceAll(sysroot, "/sysroot"));
  return {
    status,
    stdout: normalise(stdout),
    stderr: normalise(stderr.replaceAll(OWN, "")),
    emulator: (stderr.match(OWN) ?? []).join(""),
    files: normalise((await listing(directory)).join("\n")),
    seconds: (performance.now() - start) / 1000,
  };
}

/** Runs a case under both emulators, in one directory one after the other. `known` is what QEMU did before. */
export async function compare(test: ProgramCase, sysroot: string, known?: Outcome): Promise<Comparison> {
  const root = await mkdtemp(join(tmpdir(), "mimus-programs-"));
  const directory = join(root, "work");
  try {
    const qemu = known ?? (await runCase(test, "qemu", sysroot, directory));
    const mimus = await runCase(test, "mimus", sysroot, directory);
    return { qemu, mimus, differences: differences(test, qemu, mimus) };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function differences(test: ProgramCase, qemu: Outcome, mimus: Outcome): string[] {
  const found: string[] = [];
  const status = test.instead?.status ?? qemu.status;
  if (mimus.status !== status) found.push(`status ${mimus.status}, should be ${status}`);
  if (test.instead !== undefined && !test.instead.stderr.test(mimus.emulator + mimus.stderr))
    found.push(`stderr ${JSON.stringify(mimus.emulator + mimus.stderr)} does not match ${test.instead.stderr}`);
  for (const what of ["stdout", "stderr", "files"] as const) {
    if (what === "stderr" && test.instead !== undefined) continue;
    if (mimus[what] !== qemu[what]) found.push(`${what}: ${firstDifference(qemu[what], mimus[what])}`);
  }
  if (found.length > 0 && mimus.emulator !== "") found.push(mimus.emulator.trim());
  return found;
}

function firstDifference(expected: string, actual: string): string {
  const a = expected.split("\n");
  const b = actual.split("\n");
  const at = a.findIndex((line, i) => line !== b[i]);
  const line = at < 0 ? a.length : at;
  const show = (lines: string[]): string =>
    JSON.stringify(
      lines
        .slice(line, line + 3)
        .join("\n")
        .slice(0, 400),
    );
  return `line ${line + 1} is ${show(b)}, should be ${show(a)}`;
}
