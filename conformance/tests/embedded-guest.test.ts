/** The embedded guest through the command line: every command of its prompt, and `pnpm start` where there is nothing else. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Console } from "../lib/console.ts";
import { ask, bootEmbedded, powerOff, PROMPT } from "../lib/embedded-guest.ts";
import { runMimus } from "../lib/mimus.ts";

const folder = mkdtempSync(join(tmpdir(), "mimus-guest-"));
afterAll(() => rmSync(folder, { recursive: true }));

afterEach(() => Console.killAll());

function disk(name: string): string {
  const bytes = new Uint8Array(2 ** 20);
  bytes.set(new TextEncoder().encode("second sector"), 512);
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe.each([
  ["riscv64", "interp"],
  ["riscv64", "wasm"],
  ["riscv32", "interp"],
  ["riscv32", "wasm"],
])("%s, %s", (target, backend) => {
  const wide = target === "riscv64";
  const word = (value: number): string => `0x${value.toString(16).padStart(wide ? 16 : 8, "0")}`;

  it("answers every command", { timeout: 120_000 }, async () => {
    const modern = backend === "wasm" ? ["-global", "virtio-mmio.force-legacy=false"] : [];
    const image = disk(`${target}-${backend}.img`);
    const drive = ["-drive", `if=none,id=d,format=raw,file=${image}`, "-device", "virtio-blk-device,drive=d"];
    const console = await bootEmbedded(target, "-accel", `tcg,backend=${backend}`, ...modern, ...drive);
    expect(console.log).toContain(`RV${wide ? 64 : 32}`);
    const help = await ask(console, "help");
    for (const name of [
      "devices",
      "timer",
      "memory",
      "peek",
      "poke",
      "block",
      "fill",
      "life",
      "cpu",
      "reboot",
      "poweroff",
    ])
      expect(help).toContain(`  ${name} `);

    const devices = await ask(console, "devices");
    expect(devices).toContain("serial@10000000  0x10000000 size 0x00000100\n");
    expect(devices).toContain("memory@80000000  0x80000000 size 0x04000000\n");
    expect(devices).toContain(`flash@20000000  0x20000000 size 0x02000000  0x22000000 size 0x02000000\n`);

    const cpu = await ask(console, "cpu");
    expect(cpu).toMatch(new RegExp(`^misa      RV${wide ? 64 : 32}acdfi?m`));
    expect(cpu).toContain(`mhartid   ${word(0)}\n`);

    const memory = await ask(console, "memory");
    expect(memory).toMatch(/^memory 64 MiB at 0x80000000\nwalking ones over 65536 bytes at 0x[0-9a-f]+: ok\n$/);
    expect(await ask(console, "poke 0x80100000 0xdeadbeef")).toBe("");
    expect(await ask(console, "peek 0x80100000")).toBe(`${word(0x8010_0000)}: 0xdeadbeef\n`);
    expect(await ask(console, "peek 2148532224")).toBe(`${word(0x8010_0000)}: 0xdeadbeef\n`);
    expect(await ask(console, "peek 0")).toMatch(/^exception 5 \(no memory there\) at pc 0x[0-9a-f]+, value 0x0+\n$/);
    expect(await ask(console, "peek")).toMatch(/^peek ADDRESS/);
    expect(await ask(console, "poke 0x80100001 1")).toMatch(/^poke ADDRESS VALUE/);

    expect(await ask(console, "block")).toMatch(
      new RegExp(
        `^virtio block device at 0x[0-9a-f]+, transport version ${modern.length > 0 ? 2 : 1}, 2048 sectors\n$`,
      ),
    );
    expect(await ask(console, "block 1")).toMatch(
      /^0000 73 65 63 6f 6e 64 [0-9a-f ]+ {2}second sector\.\.\.\n(.+\n){31}$/,
    );
    expect(await ask(console, "fill 2047 0x41")).toBe("");
    expect(await ask(console, "block 2047")).toMatch(/^0000( 41){16} {2}A{16}\n/);
    expect(await ask(console, "block 2048")).toBe("the device refused: status 1\n");
    expect(await ask(console, "block x")).toMatch(/^block \[SECTOR\]/);

    expect(await ask(console, "frobnicate\bX\x7f")).toMatch(/^frobnicat: there is no such command/);
    await console.type("half a line\x03");
    await console.waitFor(PROMPT, 60_000);
    expect(await powerOff(console)).toBe(0);
  });

  it("timer, life and reboot", { timeout: 120_000 }, async () => {
    const console = await bootEmbedded(target, "-accel", `tcg,backend=${backend}`);
    expect(await ask(console, "block")).toMatch(/^there is no block device/);
    const timer = await ask(console, "timer");
    const times = [...timer.matchAll(/ (\d+\.\d{3}) s/g)].map((m) => Number(m[1]));
    expect(timer).toMatch(/^time .* timebase 10000000 Hz\ntick 1 at .*\ntick 2 at .*\ntick 3 at /);
    expect(times[3]! - times[0]!).toBeGreaterThan(2.9);

    const life = await ask(console, "life");
    expect(life).toContain("generation 20\n");
    // A glider comes back after four generations, one cell down and to the right.
    const at = (generation: number): string[] => life.split("\x1b[H")[generation + 1]!.split("\n").slice(0, 8);
    const glider = (rows: string[], from: number): string[] => rows.map((row) => row.slice(from, from + 8));
    expect(glider(at(4).slice(1, 7), 3)).toEqual(glider(at(0).slice(0, 6), 2));
    await console.type("life\r");
    await console.waitFor("generation 1", 60_000);
    await console.type("q");
    await console.waitFor(PROMPT, 60_000);

    await console.type("reboot\r");
    await console.waitFor("Mimus embedded guest", 60_000);
    await console.waitFor(PROMPT, 60_000);
    expect(await powerOff(console)).toBe(0);
  });
});

it("more harts sleep", { timeout: 120_000 }, async () => {
  const console = await bootEmbedded("riscv64", "-smp", "3");
  expect(await ask(console, "devices")).toMatch(/cpu@2 {2}0x00000002\n/);
  expect(await powerOff(console)).toBe(0);
});

it("wants no firmware", { timeout: 120_000 }, () => {
  const result = runMimus(["system-riscv64", "-M", "virt", "-nographic", "-kernel", "embedded"]);
  expect(result).toMatchObject({
    status: 1,
    stderr: "mimus: -kernel embedded: this guest runs without firmware: add -bios none\n",
  });
});

it("`pnpm start` falls back to it where Debian's packages cannot be had", { timeout: 120_000 }, async () => {
  const root = join(import.meta.dirname, "../..");
  const running = new Console(process.execPath, [join(root, "tools/start.ts")], {
    env: {
      ...process.env,
      MIMUS_FROM_SOURCE: "1",
      DEBIAN_MIRROR: "http://127.0.0.1:9/debian",
      MIMUS_GUESTS: join(folder, "none"),
      XDG_CACHE_HOME: join(folder, "cache"),
    },
  });
  await running.waitFor("booting the embedded guest instead", 60_000);
  await running.waitFor(PROMPT, 60_000);
  expect(running.log).toMatch(/^start: (apt-get update for \w+ failed|there is no apt-get).*$/m);
  expect(await powerOff(running)).toBe(0);
});
