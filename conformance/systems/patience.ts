/** How long to wait on a machine that is busy with other things, and where to look meanwhile. */
import { appendFileSync, createWriteStream } from "node:fs";

import type { Console } from "../lib/console.ts";

/** Every waiting time is this many times as long: `--patience N` sets `MIMUS_PATIENCE`, 1 where nothing is said. */
export const PATIENCE: number = Math.max(Number(process.env["MIMUS_PATIENCE"] ?? 1) || 1, 0.1);

/** Milliseconds of a minute, as long as patience makes it. */
export const MINUTE: number = 60_000 * PATIENCE;

const logPath = (): string | undefined => process.env["MIMUS_SYSTEMS_LOG"];

/** Adds a screen's text to the file that `--log FILE` names. */
export function recordScreen(text: string, seconds: number): void {
  const path = logPath();
  if (path !== undefined) appendFileSync(path, `\n=== after ${seconds.toFixed(0)} s\n${text.trimEnd()}\n`);
}

/** Keeps what a program prints in the file that `--log FILE` (`MIMUS_SYSTEMS_LOG`) names, while it prints it. */
export function record({ process: { stdout, stderr } }: Console): void {
  const path = logPath();
  if (path === undefined) return;
  const file = createWriteStream(path, { flags: "a" });
  stdout?.on("data", (chunk: Uint8Array) => file.write(chunk));
  stderr?.on("data", (chunk: Uint8Array) => file.write(chunk));
}
