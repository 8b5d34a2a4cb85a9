import type { PciBus } from "@mimus/bus-pci";
import type { CpuObject, Device, Registers } from "@mimus/machine-core";

/** Registers of ACPI hot-plug of PCI slots; offsets in bytes. Source: QEMU documentation, docs/specs/acpi_pci_hotplug. */
const REG = { UP: 0, DOWN: 4, EJECT: 8, REMOVABLE: 12, SELECT: 16 } as const;

/** Lets firmware's tables see which slots of bus 0 have changed, and eject what is in them. */
export class PciHotplug implements Registers {
  readonly #bus: PciBus;
  readonly #devices: () => readonly Device[];
  /** Slots with news, a bit each: devices that came, devices that are asked to leave. */
  #up = 0;
  #down = 0;
  #select = 0;

  /** @param devices what is plugged into the bus now */
  constructor(bus: PciBus, devices: () => readonly Device[]) {
    this.#bus = bus;
    this.#devices = devices;
  }

  /** A device came into a slot. */
  plugged(slot: number): void {
    this.#up |= 1 << slot;
  }

  /** The device in a slot is asked to leave. */
  requestUnplug(slot: number): void {
    this.#down |= 1 << slot;
  }

  read(offset: number, _size: number): number {
    if (this.#select !== 0) return 0;
    switch (offset) {
      case REG.UP: {
        const up = this.#up;
        this.#up = 0;
        return up >>> 0;
      }
      case REG.DOWN:
        return this.#down >>> 0;
      case REG.REMOVABLE:
        return 0xffff_ffff;
      case REG.SELECT:
        return this.#select;
      default:
        return 0;
    }
  }

  write(offset: number, _size: number, value: number): void {
    if (offset === REG.SELECT) this.#select = value;
    if (offset !== REG.EJECT || this.#select !== 0) return;
    for (let slot = 0; slot < 32; slot++) {
      const bit = 1 << slot;
      if ((value & this.#down & bit) === 0) continue;
      this.#down &= ~bit;
      this.#eject(slot);
    }
  }

  reset(): void {
    this.#up = this.#down = this.#select = 0;
  }

  #eject(slot: number): void {
    const functions = new Set([...this.#bus.functions.values()].filter((f) => f.slot === slot).map((f) => f.devfn));
    for (const device of this.#devices()) {
      if (!functions.has(this.#bus.devfnOf(device.path))) continue;
      device.unrealize();
      device.unparent();
    }
  }
}

/** A bit for each CPU that is there, by APIC id. Source: QEMU documentation, docs/specs/acpi_cpu_hotplug, legacy interface. */
export function cpuPresence(cpus: () => readonly CpuObject[]): Registers {
  return {
    read(offset) {
      let byte = 0;
      for (const cpu of cpus()) {
        const id = Number((cpu.values as Readonly<Record<string, unknown>>)["apic-id"] ?? cpu.index);
        if (id >> 3 === offset) byte |= 1 << (id & 7);
      }
      return byte;
    },
    write() {},
  };
}
