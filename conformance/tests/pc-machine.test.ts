/** The PC boards beside QEMU's: what monitors show of them. */
import { spawnSync } from "node:child_process";

import { existsSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { oracle, runMimus } from "../lib/mimus.ts";

const COMMANDS = "info qtree\ninfo mtree\ninfo pci\nquit\n";

function qemu(machine: string, ...more: string[]): string {
  const args = ["-M", machine, "-m", "256", "-display", "none", "-monitor", "stdio", "-S", ...more];
  return spawnSync("qemu-system-x86_64", args, { encoding: "latin1", input: COMMANDS, timeout: 30_000 }).stdout;
}

function mimus(machine: string, ...more: string[]): string {
  const args = ["system-x86_64", "-M", machine, "-m", "256", "-display", "none", "-monitor", "stdio", "-S", ...more];
  return runMimus(args, { input: COMMANDS, timeoutMs: 30_000 }).stdout;
}

/** The lines of one address space: first and last address, and name. */
function ranges(text: string, space: string): string[] {
  const after = text.split(`address-space: ${space}`)[1] ?? "";
  const lines = after.split(/\r?\n/).slice(1);
  const end = lines.findIndex((line) => line.trim() === "");
  return lines.slice(0, end).flatMap((line) => {
    const match = /^\s+([\da-f]{16})-([\da-f]{16}) \(prio [^)]*\): (?:alias )?(\S+)/.exec(line);
    return match === null ? [] : [`${match[1]}-${match[2]} ${match[3]}`];
  });
}

/** Device types below a machine's buses, with what of their properties names places. */
function devices(text: string): string[] {
  const out: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const type = /^\s+dev: ([^,]+), id/.exec(line)?.[1];
    if (type !== undefined) out.push(type);
    const place = /^\s+(iobase|irq|addr|master|elcr_addr|base|dma|kbd-irq|mouse-irq|index) = (\S+)/.exec(line);
    if (place !== null && out.length > 0) out[out.length - 1] += ` ${place[1]}=${place[2]}`;
  }
  return out.toSorted();
}

/** Functions of `info pci`. */
const functions = (text: string): string[] =>
  [...text.matchAll(/Bus +(\d+), device +(\d+), function (\d+):\r?\n +[^:\r\n]*: PCI device ([\da-f:]+)/g)].map((m) =>
    m.slice(1).join(" "),
  );

/** The disk controller comes with a package of its own. */
const disks = false;
/** What a virtual machine of the host's kernel needs, and parts that are not modelled. */
const LEFT_OUT =
  /kvmvapic|vmport|vmmouse|unnamed|^.* acpi-(evt|cnt|tmr)$|rtc-index|pc-boot-memory|smram|^00100|apic$|cpu-memory/;

describe.skipIf(!oracle("qemu-system-x86_64"))(
  "a PC beside QEMU's (needs Debian's qemu-system-x86)",
  { timeout: 120_000 },
  () => {
    test.each([
      ["pc", ["-nodefaults"]],
      ["isapc", ["-nodefaults"]],
    ] as const)("%s %s has the same ports, memory and devices at the same places", (machine, options) => {
      const [theirs, ours] = [qemu(machine, ...options), mimus(machine, ...options)];
      const cut = (list: string[]): string[] =>
        list.filter((line) => !LEFT_OUT.test(line) && (disks || !/\bide\b|-ide\b/.test(line))).toSorted();
      expect(cut(ranges(ours, "I/O"))).toEqual(cut(ranges(theirs, "I/O")));
      expect(cut(ranges(ours, "memory"))).toEqual(cut(ranges(theirs, "memory")));
      expect(cut(devices(ours))).toEqual(cut(devices(theirs)));
      const known = functions(theirs).filter((line) => disks || !line.includes("8086:7010"));
      expect(functions(ours)).toEqual(known);
    });
  },
);
