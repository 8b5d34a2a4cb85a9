import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

import { UsageError } from "./errors.ts";

/** Set in the process that serves in the background. */
const MARK = "MIMUS_BACKGROUND";

/** Whether this process was started by {@link startInBackground}. */
export function inBackground(): boolean {
  return process.env[MARK] === "1" && process.send !== undefined;
}

/**
 * Runs this same command again in the background and waits until it is ready or has failed; its messages until then are shown.
 * @returns the exit status
 */
export function startInBackground(): Promise<number> {
  const [program = "", ...rest] = process.argv;
  const child = spawn(program, [...process.execArgv, ...rest], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, [MARK]: "1" },
  });
  child.stderr?.on("data", (text: Buffer) => void process.stderr.write(text));
  return new Promise((resolve) => {
    child.once("message", () => {
      child.unref();
      child.stderr?.destroy();
      child.disconnect();
      resolve(0);
    });
    child.once("error", (error) => {
      process.stderr.write(`mimus: cannot start in the background: ${error.message}\n`);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Tells the process that waits in the foreground that all is well. Does nothing in the foreground. */
export function ready(): void {
  if (!inBackground()) return;
  // Nobody reads these messages any more.
  process.stderr.on("error", () => undefined);
  process.on("disconnect", () => undefined);
  process.send?.("ready");
}

/** @throws UsageError when it cannot be written */
export function writePidFile(option: string, path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    throw new UsageError(`${option} ${path}: ${(error as Error).message}`);
  }
}
