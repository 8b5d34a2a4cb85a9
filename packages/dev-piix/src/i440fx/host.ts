import type { PciUpstream } from "@mimus/bus-pci";
import { PciBus } from "@mimus/bus-pci";
import type { AddressSpace } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import { ShadowMemory } from "./pam.ts";

/** The SMRAM control register and its bits. */
export const SMRAM = 0x72;
const OPEN = 0x40;
const LOCK = 0x10;
const ENABLE = 0x08;

/** Address of what CPUs in system management mode find at 0: no guest can name it. */
export const SMRAM_VIEW: number = 2 ** 52 + 2 ** 40;

const VIDEO = 0xa_0000;
const VIDEO_SIZE = 0x2_0000;

/** The host bridge between the processors, memory and PCI bus 0. Source: Intel 82441FX data sheet (290549-001). */
export class I440FxHost implements PciUpstream {
  /** What PCI devices and ROMs are mapped into; the board shows it below everything else. */
  readonly pciMemory: MemoryRegion = MemoryRegion.container("pci", 2 ** 52);
  /** Memory as CPUs in system management mode see it: A0000h..BFFFFh, at {@link smramAt}. */
  readonly smram: MemoryRegion = MemoryRegion.container("smram", 2 ** 32);
  readonly smramAt: number = SMRAM_VIEW;
  readonly bus: PciBus;
  /** Takes the level of PIRQ line 0..3: the ISA bridge routes it. */
  onPirq: ((line: number, level: boolean) => void) | undefined;
  readonly #counts: number[] = [0, 0, 0, 0];
  #shadow: ShadowMemory | undefined;
  #closed: MemoryRegion | undefined;
  #smramLow: MemoryRegion | undefined;
  #config: Uint8Array | undefined;

  constructor(dma: AddressSpace, io: MemoryRegion) {
    this.bus = new PciBus({ dma, memory: this.pciMemory, io, express: false, root: true, upstream: this });
  }

  /** Slot 1 has its pin A on line A, slot 2 on line B, and so on. Functions share lines. */
  setIrq(slot: number, pin: number, level: boolean): void {
    const n = (pin + slot + 3) & 3;
    const before = this.#counts[n]!;
    const count = Math.max(0, before + (level ? 1 : -1));
    this.#counts[n] = count;
    if (before > 0 !== count > 0) this.onPirq?.(n, count > 0);
  }

  pirq(n: number): boolean {
    return (this.#counts[n] ?? 0) > 0;
  }

  /** Gives it the memory below 1 MiB: `ram` is all of it from address 0, `system` what processors see. */
  attachRam(ram: MemoryRegion, system: MemoryRegion): void {
    this.#shadow = new ShadowMemory(this.pciMemory, ram, system);
    this.#closed = MemoryRegion.alias("smram-region", this.pciMemory, VIDEO, VIDEO_SIZE);
    system.add(VIDEO, this.#closed, 1);
    this.#smramLow = MemoryRegion.alias("smram-low", ram, VIDEO, VIDEO_SIZE);
    this.smram.add(VIDEO, this.#smramLow, 1);
    this.smram.add(VIDEO, MemoryRegion.alias("smram-pci", this.pciMemory, VIDEO, VIDEO_SIZE));
    if (this.smram.parent === undefined) system.add(SMRAM_VIEW, this.smram);
    if (this.#config !== undefined) this.update(this.#config);
  }

  /** Configuration space has changed: the memory map follows. */
  update(config: Uint8Array): void {
    this.#config = config;
    this.#shadow?.update(config);
    const smram = config[SMRAM] ?? 0;
    this.#closed?.setEnabled((smram & OPEN) === 0);
    this.#smramLow?.setEnabled((smram & ENABLE) !== 0);
  }

  /** What a write of the SMRAM register leaves: once locked it is closed and does not change. */
  static smramAfter(before: number, written: number): number {
    const value = (before & LOCK) !== 0 ? before : (written & 0x78) | 0x02;
    return (value & LOCK) !== 0 ? value & ~OPEN : value;
  }
}
