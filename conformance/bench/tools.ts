/** What the benchmarks need from the machine they run on: compilers, QEMU, guests, the built command. */
import { execFile, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { guest, MIMUS, mimusCommand } from "../lib/mimus.ts";

const run = promisify(execFile);
export const ROOT: string = join(import.meta.dirname, "../..");

/** A benchmark that cannot run; the message says what is missing and what to do, or what the program printed. */
export class BenchError extends Error {
  override readonly name = "BenchError";
  readonly kind: "usage" | "missing" | "failed";
  constructor(kind: "usage" | "missing" | "failed", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Progress, on standard error. */
export const progress = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

const PACKAGES: Readonly<Record<string, string>> = {
  "qemu-riscv64-static": "qemu-user-static",
  "qemu-system-riscv64": "qemu-system-misc",
  "riscv64-linux-gnu-gcc": "gcc-riscv64-linux-gnu and libc6-dev-riscv64-cross",
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-system-i386": "qemu-system-x86",
  "i686-linux-gnu-gcc": "gcc-i686-linux-gnu and libc6-dev-i386-cross",
  "qemu-img": "qemu-utils",
  "qemu-io": "qemu-utils",
  "qemu-nbd": "qemu-utils",
  nbdcopy: "libnbd-bin",
  gcc: "gcc and libc6-dev",
};

/** @returns the program's name. @throws BenchError naming the Debian package when it is not on PATH */
export function need(program: string): string {
  if (spawnSync("which", [program]).status === 0) return program;
  throw new BenchError("missing", `${program} is not installed: Debian's package ${PACKAGES[program] ?? program}`);
}

/** @returns the path of a guest file. @throws BenchError when it is not there */
export function needGuest(name: string, group = ""): string {
  const path = guest(name);
  if (path === undefined)
    throw new BenchError("missing", `${name} is missing: 'pnpm guests${group && ` ${group}`}' fetches it`);
  return path;
}

/** Builds the command; a benchmark of an older build than the sources misleads. */
export async function buildCommand(): Promise<void> {
  progress("building the command");
  const child = spawn("pnpm", ["-s", "build"], { cwd: ROOT, stdio: ["ignore", process.stderr, process.stderr] });
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
  if (code !== 0) throw new BenchError("failed", "'pnpm build' failed; --no-build measures the build that is there");
}

/** The program that is measured as ours, with its first arguments. */
export function oursCommand(): string[] {
  const other = process.env["MIMUS_BENCH_OURS"];
  if (other !== undefined) return [other];
  const { command, args } = mimusCommand();
  return [command, ...args];
}

/** User-mode emulators, up to where the options that both have begin. */
export const emulators = (): Record<"ours" | "qemu", string[]> => ({
  ours: [...oursCommand(), "riscv64"],
  qemu: [need("qemu-riscv64-static")],
});

export function needCommand(): void {
  if (process.env["MIMUS_BENCH_OURS"] !== undefined) return;
  if (process.env["MIMUS_FROM_SOURCE"] === undefined && !existsSync(MIMUS))
    throw new BenchError("missing", "packages/cli is not built: 'pnpm build', or leave --no-build away");
}

/** Debian's cross compiler and the machine's own. */
const COMPILERS = { native: "gcc", riscv64: "riscv64-linux-gnu-gcc", i386: "i686-linux-gnu-gcc" } as const;
export type Isa = keyof typeof COMPILERS;
const FLAGS = ["-O2", "-static", "-fno-math-errno", "-fno-strict-aliasing", "-w"];

/** Compiles a program of guests/ into the cache, once for each state of its source. @returns the program's path */
export async function compile(source: string, isa: Isa, extra: readonly string[] = []): Promise<string> {
  const flags = [...FLAGS, ...extra];
  const compiler = need(COMPILERS[isa]);
  const path = join(import.meta.dirname, "guests", `${source}.c`);
  const { stdout: version } = await run(compiler, ["--version"]);
  const hash = createHash("sha256").update(version).update(flags.join(" ")).update(readFileSync(path));
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "mimus", "bench");
  const out = join(folder, `${source}-${isa}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(out)) return out;
  mkdirSync(folder, { recursive: true });
  const part = `${out}.${process.pid}`;
  try {
    await run(compiler, [...flags, "-o", part, path, "-lm"]);
  } catch (error) {
    rmSync(part, { force: true });
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw new BenchError("failed", `${compiler} did not compile ${source}.c:\n${said}`, { cause: error });
  }
  renameSync(part, out);
  return out;
}

/** Runs a program to its end. @throws BenchError with the end of what it printed when it fails or takes too long */
export async function output(command: readonly string[], timeoutMs: number): Promise<string> {
  const [program = "", ...args] = command;
  try {
    return (await run(program, args, { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 16 << 20 })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "", code, signal, killed } = error as Partial<ProcessEnd>;
    const how = killed === true ? `no end after ${timeoutMs} ms` : `${signal ?? `status ${code}`}`;
    const said = stderr.trim() || stdout.trim();
    const some = said.length > 500 ? `${said.slice(0, 300)} ... ${said.slice(-200)}` : said;
    throw new BenchError("failed", `${how}${some && `: ${some}`}`, { cause: error });
  }
}

interface ProcessEnd {
  stdout: string;
  stderr: string;
  code: number | string;
  signal: string | null;
  killed: boolean;
}
