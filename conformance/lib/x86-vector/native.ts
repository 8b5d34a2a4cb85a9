import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Layout of a case and of its result: see run.c. */
export const CASE = {
  ymm: 0, mm: 256, gpr: 320, flags: 352, mxcsr: 360, signal: 364, code: 368, memory: 392, memoryBytes: 96, size: 488,
} as const; // prettier-ignore

/** Names in /proc/cpuinfo of features that QEMU calls otherwise. */
const CPUINFO: Readonly<Record<string, string>> = {
  "sse4.1": "sse4_1", "sse4.2": "sse4_2", "sha-ni": "sha_ni",
}; // prettier-ignore

/** The processor that the tests run on. */
export interface Native {
  /** Why it cannot be asked; absent: it can. */
  readonly reason?: string;
  has(feature: string): boolean;
  /** Runs cases; the results have the same layout. */
  run(cases: Uint8Array): Uint8Array;
}

/** Compiles run.c. */
export function native(): Native {
  const none = (reason: string): Native => ({ reason, has: () => false, run: () => new Uint8Array() });
  if (arch() !== "x64") return none(`the host is no x86-64 (${arch()})`);
  const info = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const features = new Set(/^flags\s*:(.*)$/m.exec(info)?.[1]?.trim().split(" ") ?? []);
  if (!features.has("avx")) return none("the host's processor has no AVX");
  const directory = mkdtempSync(join(tmpdir(), "mimus-x86-"));
  const program = join(directory, "run");
  const source = fileURLToPath(new URL("run.c", import.meta.url));
  const gcc = spawnSync("gcc", ["-O1", "-o", program, source], { encoding: "utf8" });
  if (gcc.error !== undefined) return none("there is no gcc");
  if (gcc.status !== 0) throw new Error(`gcc could not compile ${source}:\n${gcc.stderr}`);
  return {
    has: (feature) => features.has(CPUINFO[feature] ?? feature),
    run(cases) {
      const { stdout, status, signal } = spawnSync(program, [], { input: cases, maxBuffer: cases.length + 65536 });
      if (status !== 0 || stdout.length !== cases.length)
        throw new Error(`${program} ended with ${signal ?? status} after ${stdout.length} of ${cases.length} bytes`);
      return new Uint8Array(stdout);
    },
  };
}
