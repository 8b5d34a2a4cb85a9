import type { PciBus } from "./bus.ts";
import type { PciFunction } from "./function.ts";
import { BRIDGE, REG } from "./spec.ts";

/** Names of classes. Source: PCI Local Bus Specification 3.0, appendix D; words as QEMU 7.2's monitor has them. */
const CLASSES: Readonly<Record<number, string>> = {
  0x0001: "VGA controller",
  0x0100: "SCSI controller",
  0x0101: "IDE controller",
  0x0102: "Floppy controller",
  0x0103: "IPI controller",
  0x0104: "RAID controller",
  0x0106: "SATA controller",
  0x0107: "SAS controller",
  0x0180: "Storage controller",
  0x0200: "Ethernet controller",
  0x0201: "Token Ring controller",
  0x0202: "FDDI controller",
  0x0203: "ATM controller",
  0x0280: "Network controller",
  0x0300: "VGA controller",
  0x0301: "XGA controller",
  0x0302: "3D controller",
  0x0380: "Display controller",
  0x0400: "Video controller",
  0x0401: "Audio controller",
  0x0402: "Phone",
  0x0403: "Audio controller",
  0x0480: "Multimedia controller",
  0x0500: "RAM controller",
  0x0501: "Flash controller",
  0x0580: "Memory controller",
  0x0600: "Host bridge",
  0x0601: "ISA bridge",
  0x0602: "EISA bridge",
  0x0603: "MC bridge",
  0x0604: "PCI bridge",
  0x0605: "PCMCIA bridge",
  0x0606: "NUBUS bridge",
  0x0607: "CARDBUS bridge",
  0x0608: "RACEWAY bridge",
  0x0680: "Bridge",
  0x0700: "Serial port",
  0x0701: "Parallel port",
  0x0800: "Interrupt controller",
  0x0801: "DMA controller",
  0x0802: "Timer",
  0x0803: "RTC",
  0x0900: "Keyboard",
  0x0901: "Pen",
  0x0902: "Mouse",
  0x0a00: "Dock station",
  0x0b00: "i386 cpu",
  0x0c00: "Firewire controller",
  0x0c01: "Access bus controller",
  0x0c02: "SSA controller",
  0x0c03: "USB controller",
  0x0c04: "Fibre channel controller",
  0x0c05: "SMBus",
};

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");
const ones = "f".repeat(16);

/** Where a BAR is and its last byte; of one that is decoded nowhere, as a 64-bit number that is all ones, and that plus the size. */
function place(at: number | undefined, size: number, digits: number): [at: string, end: string] {
  return at === undefined ? [ones, hex(size - 2, digits)] : [hex(at, digits), hex(at + size - 1, digits)];
}

function classOf(f: PciFunction): number {
  return f.config.read(REG.CLASS + 1, 2);
}

/** What `info qtree` says about a function. */
export function functionLines(f: PciFunction): string[] {
  const name = CLASSES[classOf(f)] ?? `Class ${hex(classOf(f), 4)}`;
  const c = (at: number): string => hex(f.config.read(at, 2), 4);
  const address = `00:${hex(f.slot, 2)}.${hex(f.devfn & 7, 1)}`;
  const lines = [
    `class ${name}, addr ${address}, pci id ${c(REG.VENDOR)}:${c(REG.DEVICE)} (sub ${c(REG.SUBSYSTEM_VENDOR)}:${c(REG.SUBSYSTEM)})`,
  ];
  for (const { index, kind, size, at } of f.bars()) {
    const start = at === undefined ? ones : hex(at, 1);
    const end = at === undefined ? hex(size - 2, 1) : hex(at + size - 1, 1);
    lines.push(`bar ${index}: ${kind === "io" ? "i/o" : "mem"} at 0x${start} [0x${end}]`);
  }
  return lines;
}

/** The functions of a bus and of those behind its bridges: what `info pci` prints. `number`: of this bus. */
export function pciText(bus: PciBus, number = 0): string {
  let text = "";
  const functions = [...bus.functions.values()].toSorted((a, b) => a.devfn - b.devfn);
  for (const f of functions) text += functionText(f, number);
  for (const { bridge } of functions) if (bridge !== undefined) text += pciText(bridge.bus, bridge.secondary);
  return text;
}

function functionText(f: PciFunction, bus: number): string {
  const c = (at: number): string => hex(f.config.read(at, 2), 4);
  const byte = (at: number): number => f.config.read(at, 1);
  const code = classOf(f);
  const pad = (n: number): string => String(n).padStart(3);
  let text = `  Bus ${String(bus).padStart(2)}, device ${pad(f.slot)}, function ${f.devfn & 7}:\n`;
  text += `    ${CLASSES[code] ?? `Class ${String(code).padStart(4, "0")}`}: PCI device ${c(REG.VENDOR)}:${c(REG.DEVICE)}\n`;
  if (f.bridge === undefined && f.config.read(REG.SUBSYSTEM_VENDOR, 2) !== 0)
    text += `      PCI subsystem ${c(REG.SUBSYSTEM_VENDOR)}:${c(REG.SUBSYSTEM)}\n`;
  const pin = byte(REG.PIN);
  if (pin !== 0) text += `      IRQ ${byte(REG.LINE)}, pin ${String.fromCharCode(64 + pin)}\n`;
  if (f.bridge !== undefined) text += bridgeText(f);
  for (const { index, kind, prefetch, size, at } of f.bars()) {
    const [from, to] = place(at, size, kind === "io" ? 4 : 8);
    if (kind === "io") text += `      BAR${index}: I/O at 0x${from} [0x${to}].\n`;
    else {
      const bits = kind === "mem64" ? 64 : 32;
      text += `      BAR${index}: ${bits} bit${prefetch ? " prefetchable" : ""} memory at 0x${from} [0x${to}].\n`;
    }
  }
  return `${text}      id "${f.id}"\n`;
}

function bridgeText(f: PciFunction): string {
  const r = (at: number): number => f.config.read(at, 2);
  const range = (base: number, end: number, digits: number): string =>
    `[0x${hex(base, digits)}, 0x${hex(end, digits)}]`;
  const byte = (at: number): number => f.config.read(at, 1);
  return (
    `      BUS ${byte(BRIDGE.PRIMARY)}.\n` +
    `      secondary bus ${byte(BRIDGE.SECONDARY)}.\n` +
    `      subordinate bus ${byte(BRIDGE.SUBORDINATE)}.\n` +
    `      IO range ${range((byte(BRIDGE.IO_BASE) & 0xf0) << 8, ((byte(BRIDGE.IO_LIMIT) & 0xf0) << 8) | 0xfff, 4)}\n` +
    `      memory range ${range((r(BRIDGE.MEMORY_BASE) & 0xfff0) * 65536, (r(BRIDGE.MEMORY_LIMIT) & 0xfff0) * 65536 + 0xfffff, 8)}\n` +
    `      prefetchable memory range ${range(wide(f, BRIDGE.PREFETCH_BASE, BRIDGE.PREFETCH_BASE_HIGH), wide(f, BRIDGE.PREFETCH_LIMIT, BRIDGE.PREFETCH_LIMIT_HIGH) + 0xfffff, 8)}\n`
  );
}

function wide(f: PciFunction, low: number, high: number): number {
  return (f.config.read(low, 2) & 0xfff0) * 65536 + f.config.read(high, 4) * 2 ** 32;
}
