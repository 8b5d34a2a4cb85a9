/** What options answer to `help`: programs read some of it. */
import { Registry } from "@mimus/qom";
import x86 from "@mimus/target-x86";
import { expect, it } from "vitest";

import { answerHelp } from "./help.ts";

const registry = new Registry();
registry.use(x86);
const help = async (name: string, target = "x86_64"): Promise<string[]> =>
  ((await answerHelp([{ name, value: "help" }], registry, target)) ?? "").split("\n");

it("CPUs by name, in QEMU's columns", async () => {
  const lines = await help("cpu");
  expect(lines.slice(0, 4)).toEqual([
    "Available CPUs:",
    "x86 486                   (alias configured by machine type)",
    "x86 486-v1",
    "x86 Broadwell             (alias configured by machine type)",
  ]);
  expect(lines.slice(-5, -3).map((line) => line.slice(0, 8))).toEqual(["x86 max ", "x86 base"]);
  expect((await help("cpu", "i386")).some((line) => line.startsWith("x86 pentium3 "))).toBe(true);
});

it("cards and displays", async () => {
  expect(await help("vga")).toEqual([
    "none                 no graphic card",
    "std                  standard VGA (default)",
    "",
  ]);
  const [title, ...displays] = await help("display");
  expect(title).toBe("Available display backend types:");
  expect(displays.map((line) => line.split(" ")[0])).toEqual(["none", "curses", "web", ""]);
});

it("character devices, each with its options", async () => {
  const options = await answerHelp([{ name: "chardev", value: "ringbuf,help" }], registry, "x86_64");
  expect(options?.split("\n")).toContain("  size=<uint32>          - bytes, a power of two (default: 65536)");
  expect(options).not.toContain("<transform>");
  await expect(answerHelp([{ name: "chardev", value: "sokcet,help" }], registry, "x86_64")).rejects.toThrow(
    "-chardev sokcet,help: no such back end; there are: null, stdio",
  );
  await expect(answerHelp([{ name: "cpu", value: "pentiun,help" }], registry, "x86_64")).rejects.toThrow(
    "-cpu pentiun,help: no such model; did you mean 'pentium'",
  );
});

it("formats, also where a format is asked for", async () => {
  expect(await answerHelp([{ name: "drive", value: "format=help" }], registry, "x86_64")).toMatch(/^Block drivers:\n/);
  expect(await answerHelp([{ name: "nic", value: "help" }], registry, "x86_64")).toBe(
    "No network back end is installed.\n",
  );
});
