import type { QomObject } from "@mimus/qom";

import { infoBlock, infoBlockJobs, infoBlockStats, infoSnapshots } from "./block/hmp-info.ts";
import type { CpuInfo, MachineControl } from "./control.ts";
import { mice } from "./input.ts";
import { mtree } from "./mtree.ts";
import { qtree } from "./qtree.ts";
import type { Session } from "./session.ts";

interface Info {
  readonly name: string;
  readonly help: string;
  show(machine: MachineControl, args: readonly string[], session: Session): string | Promise<string>;
}

/** What parts of the machine tell about themselves, by what it is about. */
const INSPECTED: Readonly<Record<string, string>> = {
  irq: "show the interrupts statistics",
  pic: "show PIC state",
  pci: "show PCI info",
  lapic: "show local apic state",
  mem: "show the active virtual memory mappings",
  tlb: "show virtual to physical memory mappings",
};

/** @throws Error when no part of the machine has anything to say */
function inspected(machine: MachineControl, topic: string): string {
  const texts = machine.inspect(topic);
  if (texts.length === 0) throw new Error(`info ${topic}: this machine has nothing of the kind`);
  return texts.join("");
}

/** The `info` commands. */
export const INFO: readonly Info[] = [
  { name: "version", help: "show the version", show: (m) => `${m.version}\n` },
  { name: "name", help: "show the name of the machine", show: (m) => (m.name === "" ? "" : `${m.name}\n`) },
  { name: "uuid", help: "show the identity of the machine", show: (m) => `${m.uuid}\n` },
  { name: "mice", help: "show which mouse hears", show: mice },
  { name: "status", help: "show the current state of the machine", show: (m) => `VM status: ${status(m.status())}\n` },
  {
    name: "cpus",
    help: "show the processors",
    show: (m, _args, session) =>
      m
        .cpus()
        .map(
          (c) => `${c.index === session.cpu ? "*" : " "} CPU #${c.index}: pc=0x${c.pc}${c.halted ? " (halted)" : ""}\n`,
        )
        .join(""),
  },
  {
    name: "registers",
    help: "show a processor's registers: [-a|number]",
    show: registers,
  },
  {
    name: "chardev",
    help: "show the character devices",
    show: (m) =>
      m
        .chardevs()
        .map((c) => `${c.id}: filename=${c.description}\n`)
        .join(""),
  },
  {
    name: "block",
    help: "show the drives",
    show: (m, args) =>
      m.block
        ? infoBlock(m.block, args)
        : m
            .blocks()
            .map((line) => `${line}\n`)
            .join(""),
  },
  { name: "blockstats", help: "show block device statistics", show: (m) => (m.block ? infoBlockStats(m.block) : "") },
  {
    name: "block-jobs",
    help: "show progress of ongoing block device operations",
    show: (m) => (m.block ? infoBlockJobs(m.block) : ""),
  },
  {
    name: "snapshots",
    help: "show the snapshots inside images",
    show: (m) => (m.block ? infoSnapshots(m.block) : "There is no snapshot available.\n"),
  },
  { name: "mtree", help: "show the memory map", show: mtree },
  { name: "qtree", help: "show the devices by the bus they are on", show: qtree },
  { name: "qom-tree", help: "show the composition tree", show: (m) => qomTree(m.root, "", 0) },
  ...["irq", "pic", "pci", "lapic", "mem", "tlb"].map((topic) => ({
    name: topic,
    help: INSPECTED[topic] ?? "",
    show: (m: MachineControl) => inspected(m, topic),
  })),
  { name: "jit", help: "show the translator's counters", show: (m) => m.jit() },
];

/** The monitor's processor, another one by its number, or `-a`: all. */
function registers(machine: MachineControl, [which]: readonly string[], session: Session): string {
  const cpus = machine.cpus();
  const text = (c: CpuInfo): string => `\nCPU#${c.index}\n${c.registers()}\n`;
  if (which === "-a") return cpus.map(text).join("");
  const found = cpus[which === undefined ? session.cpu : Number(which)];
  if (found === undefined) throw new Error(`CPU#${which ?? session.cpu} not available`);
  return text(found);
}

/** A machine that stands still is paused, and why. */
const status = (state: ReturnType<MachineControl["status"]>): string =>
  state === "running" || state === "paused" ? state : `paused (${state})`;

function qomTree(object: QomObject, name: string, depth: number): string {
  const own = `${" ".repeat(depth * 2)}/${name} (${object.type.name})\n`;
  let children = "";
  for (const [childName, child] of object.children()) children += qomTree(child, childName, depth + 1);
  return own + children;
}
