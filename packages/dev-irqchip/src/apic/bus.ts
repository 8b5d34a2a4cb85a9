import type { DeviceContext, Registers } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import type { LocalApicChip } from "./local-apic.ts";
import { ALL, BASE_ADDRESS, MODE } from "./spec.ts";

/** What hears the end of level-triggered interrupts: an I/O APIC. */
export interface EoiListener {
  eoi(vector: number): void;
}

const MSI_SIZE = 0x10_0000;
const KIND = "apic-bus";
const ID = "apics";

/**
 * Connects local APICs, I/O APICs and devices with message signalled interrupts. Messages are writes to the megabyte at FEE00000h.
 * Source: Intel SDM vol. 3 (325384-080), 11.6 and 11.11.
 */
export class ApicBus implements Registers {
  readonly apics: LocalApicChip[] = [];
  readonly listeners: EoiListener[] = [];

  /** The machine's bus, made and mapped when the first one asks. */
  static of(dev: DeviceContext): ApicBus {
    const { machine } = dev;
    if (machine.backendIds(KIND).includes(ID)) return machine.backend(KIND, ID) as ApicBus;
    const bus = new ApicBus();
    machine.registerBackend(KIND, ID, bus);
    const region = MemoryRegion.mmio({ name: "apic-msi", size: MSI_SIZE, minAccess: 4, reentrant: true }, bus);
    machine.system.root.add(BASE_ADDRESS, region, 4096);
    return bus;
  }

  add(apic: LocalApicChip): void {
    this.apics.push(apic);
  }

  remove(apic: LocalApicChip): void {
    const at = this.apics.indexOf(apic);
    if (at >= 0) this.apics.splice(at, 1);
  }

  /** A message: `dest` is an id or, when `logical`, a set; FFFFFFFFh is everybody. */
  deliver(dest: number, logical: boolean, mode: number, vector: number, level: boolean): void {
    const { apics } = this;
    if (mode === MODE.LOWEST) {
      let best: LocalApicChip | undefined;
      for (let i = 0; i < apics.length; i++) {
        const apic = apics[i]!;
        if (apic.matches(dest, logical) && (best === undefined || apic.ppr < best.ppr)) best = apic;
      }
      best?.accept(MODE.FIXED, vector, level);
      return;
    }
    for (let i = 0; i < apics.length; i++) {
      const apic = apics[i]!;
      if (apic.matches(dest, logical)) apic.accept(mode, vector, level);
    }
  }

  /** To every one that is on, but for `except`. */
  deliverAll(mode: number, vector: number, except: LocalApicChip | undefined): void {
    for (const apic of this.apics) if (apic.enabled && apic !== except) apic.accept(mode, vector, false);
  }

  /** A message signalled interrupt. `address` is the offset in the window, `data` what is written there. */
  message(address: number, data: number): void {
    const dest = (address >> 12) & 0xff;
    this.deliver(dest === 0xff ? ALL : dest, (address & 4) !== 0, (data >> 8) & 7, data & 0xff, (data & 0x8000) !== 0);
  }

  /** A local APIC ended a level-triggered interrupt. */
  eoi(vector: number): void {
    for (let i = 0; i < this.listeners.length; i++) this.listeners[i]!.eoi(vector);
  }

  read(_offset: number, _size: number): number {
    return 0xffff_ffff;
  }

  write(offset: number, _size: number, value: number): void {
    this.message(offset, value);
  }
}
