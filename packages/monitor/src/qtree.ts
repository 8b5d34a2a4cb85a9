import { type Bus, Device } from "@mimus/machine-core";
import { describeProps, type PropertyHelp, type QomObject } from "@mimus/qom";

import type { MachineControl } from "./control.ts";

/** A bus that has something to say about the devices on it: where a PCI function is, and its BARs. */
interface Describes {
  describe(device: Device): readonly string[];
}

const hex = (n: number): string => n.toString(16).padStart(16, "0");

/** `info qtree`: devices under their buses, the newest first, with their lines, properties and registers. */
export function qtree(machine: MachineControl): string {
  const devices: Device[] = [];
  const collect = (object: QomObject): void => {
    if (object instanceof Device) devices.push(object);
    for (const [, child] of object.children()) collect(child);
  };
  collect(machine.root);
  const lines: string[] = ["bus: main-system-bus", "  type System"];
  const show = (device: Device, indent: string): void => {
    lines.push(`${indent}dev: ${device.type.name}, id "${device.id}"`);
    for (const line of about(machine, device)) lines.push(`${indent}  ${line}`);
    for (const bus of device.buses) showBus(bus, `${indent}  `);
  };
  const showBus = (bus: Bus, indent: string): void => {
    lines.push(`${indent}bus: ${bus.name}`, `${indent}  type ${bus.type}`);
    for (const child of bus.children.toReversed()) show(child, `${indent}  `);
  };
  for (const device of devices.toReversed())
    if (device.parentBus === undefined && device.type.class["bus"] === "sysbus") show(device, "  ");
  return `${lines.join("\n")}\n`;
}

function* about(machine: MachineControl, device: Device): Generator<string> {
  const names = new Set([...device.inputs.keys(), ...device.outputs.keys()]);
  for (const name of names) {
    const inputs = device.inputs.get(name)?.count;
    const outputs = device.outputs.get(name)?.length;
    if (inputs !== undefined) yield `gpio-in "${name}" ${inputs}`;
    if (outputs !== undefined) yield `gpio-out "${name}" ${outputs}`;
  }
  const properties = new Map(describeProps(device.type).map((p) => [p.name, p]));
  for (const [name, value] of Object.entries(device.values))
    if (value !== undefined) yield `${name} = ${valueText(value, properties.get(name))}`;
    else if (properties.get(name)?.type === "str") yield `${name} = ""`;
  for (const region of device.regions)
    for (const { base, size } of machine.memory.flat.filter((range) => range.region === region))
      if (device.parentBus === undefined) yield `mmio ${hex(base)}/${hex(size)}`;
  const describes = device.parentBus?.impl as Partial<Describes> | undefined;
  if (typeof describes?.describe === "function") yield* describes.describe(device);
}

/** A value as QEMU prints such a property. */
function valueText(value: unknown, property: PropertyHelp | undefined): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return `${value} (0x${BigInt.asUintN(64, value).toString(16)})`;
  if (typeof value === "number") {
    if (property?.format === "pci-address")
      return `${(value >> 3).toString(16).padStart(2, "0")}.${(value & 7).toString(16)}`;
    if (property?.type === "size") return `${value} (${sizeText(value)})`;
    const bits = value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value);
    return `${value} (0x${bits.toString(16)})`;
  }
  return JSON.stringify(value);
}

function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [n, unit] = [bytes, 0];
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${Number(n.toPrecision(3))} ${units[unit]}`;
}
