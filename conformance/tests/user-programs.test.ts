/** Small C programs, built here, in user mode: what they print and how they end, compared with qemu-riscv64-static. */
import { spawn as start, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { mimusCommand, oracle } from "../lib/mimus.ts";

const COMPILER = "riscv64-linux-gnu-gcc";
const QEMU = "qemu-riscv64-static";
const sources = join(import.meta.dirname, "../user");
const ready = oracle(COMPILER) && oracle(QEMU);
if (!ready) console.warn(`user programs: skipped, ${COMPILER} or ${QEMU} is not installed`);

/** Back ends that every program runs on. */
const BACK_ENDS = ["auto", "interp", "region"] as const;

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Result {
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  // QEMU ends by the program's signal; a shell shows that as 128 and its number.
  const numbers: Record<string, number> = {
    SIGILL: 4,
    SIGTRAP: 5,
    SIGABRT: 6,
    SIGBUS: 7,
    SIGKILL: 9,
    SIGSEGV: 11,
    SIGPIPE: 13,
    SIGTERM: 15,
  };
  const ended = signal === null ? status : 128 + (numbers[signal] ?? 64);
  return { status: ended ?? -1, stdout, stderr };
}

function mimus(args: readonly string[], env: NodeJS.ProcessEnv = {}): Result {
  const { command, args: first } = mimusCommand();
  return spawn(command, [...first, "riscv64", ...args], env);
}

describe.skipIf(!ready)("a program in user mode", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "mimus-user-"));
  const built = (name: string): string => join(folder, name);
  const build = (name: string, ...flags: string[]): void => {
    const result = spawn(COMPILER, [
      "-O2",
      "-w",
      "-o",
      built(name),
      join(sources, `${name.replace(/-.*/, "")}.c`),
      ...flags,
    ]);
    if (result.status !== 0) throw new Error(result.stderr);
  };
  beforeAll(() => {
    for (const name of ["signals", "ends", "code", "edges", "start"]) build(name, "-static");
    build("start-fixed", "-no-pie");
    build("bare-pie", "-nostdlib", "-fPIE", "-pie", "-Wl,--no-dynamic-linker");
    build("start-dynamic");
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const name of ["signals", "code", "edges"])
    for (const backend of BACK_ENDS)
      it(`${name} prints what it prints under QEMU (${backend})`, { timeout: 120_000 }, () => {
        const expected = spawn(QEMU, [built(name)]);
        const got = mimus(["-accel", `tcg,backend=${backend}`, built(name)]);
        expect(got.stdout).toBe(expected.stdout);
        expect(got.status).toBe(expected.status);
      });

  const ends = [
    "exit7", "exit300", "return", "abort", "null", "high", "jump-data", "jump-null", "illegal", "break", "deep", "term", "kill",
    "ignored", "bad-handler", "bad-stack", "bad-frame", "blocked-fault", "ignored-fault", "no-call",
  ]; // prettier-ignore
  for (const how of ends)
    it(`ends as under QEMU: ${how}`, () => {
      const expected = spawn(QEMU, [built("ends"), how]);
      const got = mimus([built("ends"), how]);
      expect(got).toMatchObject({ stdout: expected.stdout, status: expected.status });
      // At most one line, which says what happened; never a stack trace.
      expect(got.stderr.split("\n").length).toBeLessThanOrEqual(2);
    });

  it("that is static and position-independent runs", () => {
    expect(mimus([built("bare-pie"), "x", "y"])).toMatchObject({ status: 9, stdout: "bare 3\n" });
  });
  it("that maps everything gets ENOMEM", () => {
    expect(mimus([built("ends"), "map-everything"])).toMatchObject({
      status: 0,
      stdout: "map-everything\nonly ENOMEM 1, heap 1\n",
    });
  });
  it("finds released memory zero", () => {
    expect(mimus([built("ends"), "touch-everything"])).toMatchObject({ status: 0, stdout: "touch-everything\n1024\n" });
  });
  const outside = [["spin", "SIGTERM", 143], ["pause", "SIGINT", 130], ["catch", "SIGHUP", 3]] as const; // prettier-ignore
  for (const [how, signal, status] of outside)
    it(`gets the signals of the command: ${how}, ${signal}`, async () => {
      const { command, args } = mimusCommand();
      const child = start(command, [...args, "riscv64", built("ends"), how], { stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      let sent = false;
      child.stdout.on("data", (data: Buffer) => {
        text += data.toString();
        if (!sent) child.kill(signal);
        sent = true;
      });
      const ended = await new Promise((resolve) => child.on("close", (code) => resolve(code)));
      expect(ended).toBe(status);
      expect(text).toBe(how === "catch" ? "catch\ngot 1\n" : `${how}\n`);
    });
  it("that ends by a real-time signal has its status", () => {
    expect(mimus([built("ends"), "rt"]).status).toBe(128 + 37);
  });

  const sysroot = "/usr/riscv64-linux-gnu";
  for (const [name, ...options] of [
    ["start"],
    ["start-fixed", "-L", sysroot],
    ["start-dynamic", "-L", sysroot],
  ] as const)
    it(`${name} finds at its start what it finds under QEMU`, () => {
      const program = built(name);
      const args = ["a b", "", "ü"];
      const env = { TEST_A: "1", TEST_B: "two words" };
      const expected = spawn(
        QEMU,
        [...options, "-E", "TEST_C=3", "-U", "TEST_A", "-0", "other", program, ...args],
        env,
      );
      const got = mimus([...options, "-E", "TEST_C=3", "-U", "TEST_A", "-0", "other", program, ...args], env);
      const lines = (text: string): string[] => text.split("\n").filter((line) => !line.startsWith("env "));
      expect(lines(got.stdout)).toEqual(lines(expected.stdout));
      const environment = (text: string): string[] =>
        text
          .split("\n")
          .filter((line) => line.startsWith("env "))
          .toSorted();
      expect(environment(got.stdout)).toEqual(environment(expected.stdout));
      expect(got.status).toBe(0);
    });
});

describe("the command", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "mimus-user-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Uint8Array, mode = 0o755): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode });
    return path;
  };

  it("says 127 when there is no such program, and 126 when it can't be run", () => {
    expect(mimus([join(folder, "nothing")])).toMatchObject({
      status: 127,
      stderr: expect.stringMatching(/^mimus riscv64: .*nothing: No such file or directory\n$/) as string,
    });
    expect(mimus([folder]).status).toBe(126);
    expect(mimus([file("text", "hello")])).toMatchObject({
      status: 126,
      stderr: expect.stringMatching(/not an ELF program\n$/) as string,
    });
    expect(mimus([process.execPath])).toMatchObject({
      status: 126,
      stderr: expect.stringMatching(/64-bit, not for riscv64\n$/) as string,
    });
    expect(mimus([file("cut", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1))]).status).toBe(126);
  });

  it("names an option that it does not know, and what an option lacks", () => {
    expect(mimus(["-nonsense", "x"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("-nonsense") as string,
    });
    expect(mimus(["-E", "novalue", "x"]).stderr).toContain("expected NAME=VALUE");
    expect(mimus(["-L"]).stderr).toContain("expected path");
    expect(mimus(["-cpu", "nothing", "x"]).stderr).toMatch(/unknown CPU model 'nothing'.*rv64/);
    expect(mimus(["-g", "1234", "x"]).stderr).toContain("not there yet");
    expect(mimus(["-d", "nonsense", "x"]).stderr).toContain("no such item");
    expect(mimus([]).stderr).toContain("no program given");
  });

  it("answers -h, -version and -cpu help", () => {
    expect(mimus(["-h"])).toMatchObject({ status: 0, stdout: expect.stringContaining("-strace") as string });
    expect(mimus(["-version"]).stdout).toMatch(/^mimus-riscv64 version \d/);
    expect(mimus(["-cpu", "help"]).stdout).toContain("rv64");
  });
});
