import type { AddressSpace, BusHooks, Device, MemoryRegion } from "@mimus/machine-core";
import type { PciFunction } from "./function.ts";
import { functionLines, pciText } from "./info.ts";

/** Type of the buses that PCI devices plug into. */
export const PCI_BUS = "PCI";

/** What a bus needs from what is above it: the host bridge or another bridge. */
export interface PciUpstream {
  /** Interrupt pin 0..3 of a device in slot `slot` of the bus below. */
  setIrq(slot: number, pin: number, level: boolean): void;
}

/** One PCI bus: 32 slots of 8 functions, a memory space and an I/O space. */
export class PciBus implements BusHooks {
  readonly dma: AddressSpace;
  /** What BARs are mapped into; addresses are those of the PCI bus. */
  readonly memory: MemoryRegion;
  /** What I/O BARs are mapped into. */
  readonly io: MemoryRegion;
  /** PCI Express, so that functions have 4096 bytes of configuration space. */
  readonly express: boolean;
  /** True for a bus that hangs on a host bridge. */
  readonly root: boolean;
  /** Where interrupts and messages of its functions go. */
  readonly upstream: PciUpstream;
  /** Slots that devices may take: a root port has one. */
  readonly slots: number;
  /** By slot * 8 + function. */
  readonly functions: Map<number, PciFunction> = new Map();
  readonly #reserved: Map<Device, number> = new Map();
  readonly #firstSlot: number;

  constructor(opts: {
    dma: AddressSpace;
    memory: MemoryRegion;
    io: MemoryRegion;
    express: boolean;
    root: boolean;
    upstream: PciUpstream;
    slots?: number;
    firstSlot?: number;
  }) {
    this.dma = opts.dma;
    this.memory = opts.memory;
    this.io = opts.io;
    this.express = opts.express;
    this.root = opts.root;
    this.upstream = opts.upstream;
    this.slots = opts.slots ?? 32;
    this.#firstSlot = opts.firstSlot ?? 0;
  }

  /** What the monitor may ask about. */
  readonly inspect: Readonly<Record<string, () => string>> = { pci: () => (this.root ? pciText(this) : "") };

  /** What the monitor's `info qtree` says about a device here. */
  describe(device: Device): readonly string[] {
    const f = this.functions.get(this.#reserved.get(device) ?? -1);
    return f === undefined ? [] : functionLines(f);
  }

  get full(): boolean {
    return this.#freeSlot() === undefined;
  }

  /** Gives a device its slot and function, from `addr` or the first free slot. @throws for a place that is taken */
  plug(device: Device, props: Readonly<Record<string, unknown>>): void {
    const addr = props["addr"];
    if (typeof addr !== "number" || addr < 0) {
      const slot = this.#freeSlot();
      if (slot === undefined) throw new Error(`no free slot for ${device.label} on this PCI bus`);
      this.#reserved.set(device, slot << 3);
      device.decide({ addr: slot << 3 });
      return;
    }
    const holder = [...this.#reserved].find(([, devfn]) => devfn === addr)?.[0];
    const where = `${(addr >> 3).toString(16)}.${addr & 7}`;
    if (holder) throw new Error(`PCI address ${where} is already used by ${holder.label}; give another 'addr'`);
    if (addr >> 3 >= this.slots)
      throw new Error(`PCI address ${where}: this bus has ${this.slots} slot${this.slots > 1 ? "s" : ""}`);
    const first = [...this.#reserved].find(([, devfn]) => devfn === (addr & ~7))?.[0];
    if ((addr & 7) !== 0 && first && this.functions.get(addr & ~7)?.multifunction === false)
      throw new Error(`PCI address ${where}: function 0, ${first.label}, is not multifunction=on`);
    this.#reserved.set(device, addr);
  }

  unplug(device: Device): void {
    const devfn = this.#reserved.get(device);
    if (devfn !== undefined) this.functions.delete(devfn);
    this.#reserved.delete(device);
  }

  /** Slot * 8 + function that `plug` gave to the device at this path. */
  devfnOf(path: string): number {
    for (const [device, devfn] of this.#reserved) if (device.path === path) return devfn;
    throw new Error(`${path} has no place on its PCI bus`);
  }

  /** The function that answers configuration accesses for bus number `bus`, when this bus has number `number`. */
  find(number: number, bus: number, devfn: number): PciFunction | undefined {
    if (bus === number) return this.functions.get(devfn);
    for (const f of this.functions.values()) {
      const { bridge } = f;
      if (!bridge || bus < bridge.secondary || bus > bridge.subordinate || bridge.secondary === 0) continue;
      return bridge.bus.find(bridge.secondary, bus, devfn);
    }
    return undefined;
  }

  #freeSlot(): number | undefined {
    const taken = new Set([...this.#reserved.values()].map((devfn) => devfn >> 3));
    for (let slot = this.#firstSlot; slot < this.slots; slot++) if (!taken.has(slot)) return slot;
    return undefined;
  }
}
