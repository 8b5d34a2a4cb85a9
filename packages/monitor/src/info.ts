import { type Bus, Device } from "@mimus/machine-core";
import type { QomObject } from "@mimus/qom";

import type { MachineControl } from "./control.ts";
import { mice } from "./input.ts";

interface Info {
  readonly name: string;
  readonly help: string;
  show(machine: MachineControl): string;
}

const hex = (n: number): string => n.toString(16).padStart(16, "0");

/** The `info` commands. */
export const INFO: readonly Info[] = [
  { name: "version", help: "show the version", show: (m) => `${m.version}\n` },
  { name: "name", help: "show the name of the machine", show: (m) => (m.name === "" ? "" : `${m.name}\n`) },
  { name: "uuid", help: "show the identity of the machine", show: (m) => `${m.uuid}\n` },
  { name: "mice", help: "show which mouse hears", show: mice },
  { name: "status", help: "show the current state of the machine", show: (m) => `VM status: ${m.status()}\n` },
  {
    name: "cpus",
    help: "show the processors",
    show: (m) =>
      m
        .cpus()
        .map((c) => `${c.index === 0 ? "*" : " "} CPU #${c.index}: pc=0x${c.pc}${c.halted ? " (halted)" : ""}\n`)
        .join(""),
  },
  {
    name: "registers",
    help: "show the processors' registers",
    show: (m) =>
      m
        .cpus()
        .map((c) => `CPU#${c.index}\n${c.registers()}\n`)
        .join(""),
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
    show: (m) =>
      m
        .blocks()
        .map((line) => `${line}\n`)
        .join(""),
  },
  { name: "mtree", help: "show the memory map", show: mtree },
  { name: "qtree", help: "show the devices by the bus they are on", show: qtree },
  { name: "qom-tree", help: "show the composition tree", show: (m) => qomTree(m.root, "", 0) },
  { name: "jit", help: "show the translator's counters", show: (m) => m.jit() },
];

function mtree(machine: MachineControl): string {
  const lines = machine.memory.flat.map((range) => {
    const kind = range.ramOffset < 0 ? "i/o" : range.readonly ? "rom" : "ram";
    return `  ${hex(range.base)}-${hex(range.base + range.size - 1)} (${kind}): ${range.region.name}\n`;
  });
  return `address-space: memory\n${lines.join("")}`;
}

function qomTree(object: QomObject, name: string, depth: number): string {
  const own = `${" ".repeat(depth * 2)}/${name} (${object.type.name})\n`;
  let children = "";
  for (const [childName, child] of object.children()) children += qomTree(child, childName, depth + 1);
  return own + children;
}

/** Devices under their buses, where their registers are, and the values of their properties. */
function qtree(machine: MachineControl): string {
  const devices: Device[] = [];
  const collect = (object: QomObject): void => {
    if (object instanceof Device) devices.push(object);
    for (const [, child] of object.children()) collect(child);
  };
  collect(machine.root);
  const lines: string[] = ["bus: main-system-bus"];
  const show = (device: Device, indent: string): void => {
    lines.push(`${indent}dev: ${device.type.name}, id "${device.id}"`);
    for (const [name, value] of Object.entries(device.values))
      if (value !== undefined) lines.push(`${indent}  ${name} = ${JSON.stringify(value)}`);
    for (const region of device.regions)
      for (const { base, size } of machine.memory.flat.filter((range) => range.region === region))
        lines.push(`${indent}  mmio ${hex(base)}/${hex(size)}`);
    for (const bus of device.buses) showBus(bus, `${indent}  `);
  };
  const showBus = (bus: Bus, indent: string): void => {
    lines.push(`${indent}bus: ${bus.name}`, `${indent}  type ${bus.type}`);
    for (const child of bus.children) show(child, `${indent}  `);
  };
  for (const device of devices)
    if (device.parentBus === undefined && device.type.class["bus"] === "sysbus") show(device, "  ");
  return `${lines.join("\n")}\n`;
}
