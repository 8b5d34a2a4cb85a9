/** The chips of a PC: nonsense in all registers, and the same answers as QEMU's. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, test } from "vitest";
import { oracle } from "../lib/mimus.ts";

const run = (script: string, ...args: string[]): string =>
  execFileSync(
    process.execPath,
    ["--conditions=@mimus/source", fileURLToPath(new URL(`../qtest/${script}`, import.meta.url)), ...args],
    { encoding: "utf8", timeout: 200_000 },
  );

test("every device survives nonsense", () => {
  const lines = run("random-registers.ts", "--ops", "500").trim().split("\n");
  expect(lines.length).toBeGreaterThan(25);
  expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([]);
}, 200_000);

describe.runIf(oracle("qemu-system-x86_64"))("beside QEMU", () => {
  it("registers hold the same (needs qemu-system-x86)", () => {
    const lines = run("compare.ts", "--rounds", "1", "--ops", "1000").trim().split("\n");
    expect(lines.every((line) => line.includes(": 1 of 1 rounds"))).toBe(true);
  }, 200_000);

  it("PCI devices say the same of themselves (needs qemu-system-x86)", () => {
    const lines = run("compare-pci.ts", "virtio-blk-pci,drive=n0", "virtio-net-pci,disable-modern=on", "edu")
      .trim()
      .split("\n");
    expect(lines.filter((line) => !line.endsWith(": equal"))).toEqual([]);
  }, 200_000);
});
