/** A program at a terminal: what it reads and what is echoed, compared with qemu-riscv64-static. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { mimusCommand, oracle } from "../lib/mimus.ts";

const COMPILER = "riscv64-linux-gnu-gcc";
const QEMU = "qemu-riscv64-static";
const ready = oracle(COMPILER) && oracle(QEMU) && oracle("script");
if (!ready) console.warn(`terminals: skipped, ${COMPILER}, ${QEMU} or script is not installed`);

/** What is typed when the program asks. */
const TYPED: readonly (readonly [question: string, keys: string])[] = [
  ["line?", "first line\n"],
  ["key?", "k"],
  ["interrupt?", "\x03"],
  ["secret?", "hidden\n"],
  ["end?", "\x04"],
];
/** Between a question and the keys: the program is waiting for sure. */
const PAUSE_MS = 300;

/** Runs a command at a terminal of its own. */
function atTerminal(command: string): Promise<string> {
  const child = spawn("script", ["-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  let out = "";
  let next = 0;
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    const step = TYPED[next];
    if (step === undefined || !out.includes(`${step[0]}\r\n`)) return;
    next++;
    setTimeout(() => child.stdin.write(step[1]), PAUSE_MS);
  });
  return new Promise((resolve) => {
    child.on("close", () => resolve(out.replaceAll("\r\n", "\n")));
  });
}

describe.skipIf(!ready)("a program at a terminal", () => {
  const folder = mkdtempSync(join(tmpdir(), "mimus-terminal-"));
  const program = join(folder, "terminal");
  beforeAll(() => {
    const source = join(import.meta.dirname, "../user/terminal.c");
    const { status, stderr } = spawnSync(COMPILER, ["-O1", "-w", "-static", "-o", program, source], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("gets what is typed, as under QEMU", { timeout: 60_000 }, async () => {
    const { command, args } = mimusCommand();
    const expected = await atTerminal(`${QEMU} ${program}`);
    expect(expected).toContain("[secret 7 hidden$]");
    expect(await atTerminal([command, ...args, "riscv64", program].join(" "))).toBe(expected);
  });
});
