import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { Console } from "./console.ts";

const root = join(import.meta.dirname, "../..");

/** The built command, as a user's project has it. Tests of the command need `pnpm build` first. */
export const MIMUS: string = join(root, "packages/cli/dist/main.js");

/** Arguments before the command's own: the built one where it exists, or else the sources. */
export function mimusCommand(): { command: string; args: string[] } {
  if (process.env["MIMUS_FROM_SOURCE"] === undefined && existsSync(MIMUS))
    return { command: process.execPath, args: [MIMUS] };
  return { command: process.execPath, args: ["--conditions=@mimus/source", join(root, "packages/cli/src/main.ts")] };
}

export function startMimus(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Console {
  const mimus = mimusCommand();
  return new Console(mimus.command, [...mimus.args, ...args], options);
}

/** Runs the command to its end. */
export function runMimus(
  args: readonly string[],
  options: { cwd?: string; timeoutMs?: number } = {},
): { status: number; stdout: string; stderr: string } {
  const mimus = mimusCommand();
  const result = spawnSync(mimus.command, [...mimus.args, ...args], {
    encoding: "utf8",
    timeout: options.timeoutMs ?? 60_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return { status: result.status ?? 128, stdout: result.stdout, stderr: result.stderr };
}

/** The path of a fetched guest, or undefined; with MIMUS_REQUIRE_GUESTS (CI) an absent one is an error. */
export function guest(name: string): string | undefined {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const path = join(process.env["MIMUS_GUESTS"] ?? join(cache, "mimus", "guests"), name);
  if (existsSync(path)) return path;
  if (process.env["MIMUS_REQUIRE_GUESTS"] !== undefined) throw new Error(`${name} is missing: pnpm guests all`);
  return undefined;
}

/** Whether a program is on PATH; with MIMUS_REQUIRE_GUESTS (CI) an absent one is an error. */
export function oracle(program: string): boolean {
  const found = spawnSync("which", [program]).status === 0;
  if (!found && process.env["MIMUS_REQUIRE_GUESTS"] !== undefined)
    throw new Error(`${program} is missing: .ci/run installs it`);
  return found;
}
