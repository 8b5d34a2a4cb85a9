import type { AddressSpace, IrqLine, Registers } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import type { PciUpstream } from "./bus.ts";
import { PciBus } from "./bus.ts";

/** The root of a PCI hierarchy: spaces, four interrupt lines, and configuration accesses by address (ECAM). */
export class PciHost implements PciUpstream, Registers {
  /** The PCI memory space, of which a board shows windows. */
  readonly memory: MemoryRegion = MemoryRegion.container("pci-memory", 2 ** 52);
  /** The PCI I/O space. */
  readonly io: MemoryRegion = MemoryRegion.container("pci-io", 0x10000);
  /** Bus 0. */
  readonly bus: PciBus;
  readonly #lines: readonly IrqLine[];
  /** How many functions pull each line: they share. Follows from the functions' states, so it is not saved. */
  readonly #counts: number[] = [0, 0, 0, 0];

  constructor(dma: AddressSpace, lines: readonly IrqLine[], express: boolean) {
    this.#lines = lines;
    this.bus = new PciBus({ dma, memory: this.memory, io: this.io, express, root: true, upstream: this });
  }

  /** Swizzle: the line of a pin depends on the slot. Source: PCI-to-PCI Bridge 1.2, table 9-1. */
  setIrq(slot: number, pin: number, level: boolean): void {
    const n = (slot + pin) % 4;
    this.#counts[n] = Math.max(0, this.#counts[n]! + (level ? 1 : -1));
    this.#lines[n]?.set(this.#counts[n]! > 0);
  }

  /** ECAM: bus in bits 20 up, device and function in 12..19, register below. Source: PCI Express Base 4.0, 7.2.2. */
  read(offset: number, size: number): number {
    const f = this.bus.find(0, (offset >> 20) & 0xff, (offset >> 12) & 0xff);
    return f ? f.config.read(offset & 0xfff, size) : 2 ** (8 * size) - 1;
  }

  write(offset: number, size: number, value: number): void {
    this.bus.find(0, (offset >> 20) & 0xff, (offset >> 12) & 0xff)?.config.write(offset & 0xfff, size, value);
  }
}
