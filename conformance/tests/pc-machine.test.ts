/** The PC boards beside QEMU's: what monitors show of them. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { oracle, startMimus } from "../lib/mimus.ts";

const COMMANDS = ["info qtree", "info mtree", "info pci", "info registers"];
const MINUTE = 60_000;

afterEach(() => Console.killAll());

/** What a monitor answers to all commands. It is waited for each: QEMU throws away what it has not written when it ends. */
async function ask(console: Console): Promise<string> {
  for (const command of COMMANDS) {
    await console.waitFor(/\((?:qemu|mimus)\) /, MINUTE);
    await console.type(`${command}\n`);
  }
  await console.waitFor(/\((?:qemu|mimus)\) (?!.*\n)/, MINUTE);
  await console.type("quit\n");
  await console.exit(MINUTE);
  return console.log;
}

const args = (machine: string, more: readonly string[]): string[] => [
  ...["-M", machine, "-m", "256", "-display", "none", "-monitor", "stdio", "-S"],
  ...more,
];
const qemu = (machine: string, ...more: string[]): Promise<string> =>
  ask(new Console("qemu-system-x86_64", args(machine, more)));
const mimus = (machine: string, ...more: string[]): Promise<string> =>
  ask(startMimus(["system-x86_64", ...args(machine, more)]));

/** The lines of one address space: first and last address, and name. */
function ranges(text: string, space: string): string[] {
  const after = text.split(`address-space: ${space}`)[1] ?? "";
  const lines = after.split(/\r?\n/).slice(1);
  const end = lines.findIndex((line) => line.trim() === "");
  return lines.slice(0, end).flatMap((line) => {
    const match = /^\s+([\da-f]{16})-([\da-f]{16}) \(prio [^)]*\): (?:alias )?(\S+)/.exec(line);
    return match === null ? [] : [`${match[1]}-${match[2]} ${match[3]!.replace(/^ide\d(-control)?$/, "ide")}`];
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

/** What `info registers` shows: from the first register to the last one. */
const registers = (text: string): string[] =>
  (/EAX=[\s\S]*XMM07=[^\r\n]*/.exec(text)?.[0] ?? "").split(/\r?\n/).map((line) => line.trimEnd());

const directory = mkdtempSync(join(tmpdir(), "mimus-flash-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** `-drive` with a flash of so many bytes. */
function flash(name: string, size: number): string[] {
  const path = join(directory, name);
  writeFileSync(path, new Uint8Array(size));
  return ["-drive", `if=pflash,format=raw,file=${path}`];
}

/** The disk controller comes with a package of its own. */
const disks = existsSync(join(import.meta.dirname, "../../packages/dev-ide/src/index.ts"));
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
      ["pc", ["-nodefaults", "-cpu", "pentium3", ...flash("bios", 0x40000), ...flash("vars", 0x21000)]],
    ] as const)("%s %j has the same ports, memory and devices at the same places", async (machine, options) => {
      const [theirs, ours] = [await qemu(machine, ...options), await mimus(machine, ...options)];
      const cut = (list: string[]): string[] =>
        list.filter((line) => !LEFT_OUT.test(line) && (disks || !/\bide\b|-ide\b/.test(line))).toSorted();
      expect(cut(ranges(ours, "I/O"))).toEqual(cut(ranges(theirs, "I/O")));
      expect(cut(ranges(ours, "memory"))).toEqual(cut(ranges(theirs, "memory")));
      expect(cut(devices(ours))).toEqual(cut(devices(theirs)));
      const known = functions(theirs).filter((line) => disks || !line.includes("8086:7010"));
      expect(functions(ours)).toEqual(known);
      expect(registers(ours)).toEqual(registers(theirs));
      expect(registers(ours).length).toBeGreaterThan(20);
    });
  },
);
