import type { Device, MachineBuilder, MemoryRegion } from "@mimus/machine-core";
import type { BootMemory } from "./boot/device.ts";
import { addKernel, kernelImage, ROM_FILE } from "./boot/kernel.ts";
import { setBootOrder, setEquipment, setMemory } from "./cmos.ts";
import type { CmosMemory } from "./cmos.ts";
import { addConfigItems } from "./config.ts";
import type { ConfigStore } from "./config.ts";
import { addProcessors, apicIdOf } from "./cpus.ts";
import type { Processor } from "./cpus.ts";
import { LINE } from "./cpus.ts";
import { addCards } from "./devices/cards.ts";
import { addHostBridge, addIde, addIsaBridge, addPowerManagement } from "./devices/i440fx.ts";
import { addInterrupts } from "./devices/interrupts.ts";
import type { BoardIsaBus } from "./devices/interrupts.ts";
import { installed } from "./devices/place.ts";
import { addBoardPorts } from "./devices/ports.ts";
import { addIsaParts } from "./devices/superio.ts";
import { BoardError } from "./errors.ts";
import type { PcProps } from "./machine.ts";
import { splitRam } from "./memmap.ts";
import type { RamSplit } from "./memmap.ts";
import { addRam, addRoms } from "./memory.ts";
import type { PcRam } from "./memory.ts";
import { addAcpi, addSmbios } from "./tables.ts";

/** Wires one PC. */
export class Board {
  readonly #p: PcProps;
  readonly #m: MachineBuilder;
  readonly #pci: boolean;
  readonly #split: RamSplit;
  #processors: readonly Processor[] = [];

  constructor(p: PcProps, m: MachineBuilder, pci: boolean) {
    this.#p = p;
    this.#m = m;
    this.#pci = pci;
    this.#split = splitRam(m.options.ramSize, p["max-ram-below-4g"]);
  }

  build(): void {
    const m = this.#m;
    this.#processors = addProcessors(m);
    const ram = addRam(m, this.#split);
    const config = this.#configDevice();
    const host = this.#pci ? addHostBridge(m, ram.region, this.#processors) : undefined;
    this.#roms(host?.pciMemory ?? m.system.root);
    const isa = this.#pci ? addIsaBridge(m) : this.#isaBus();
    if (installed(m, "i8257"))
      for (const [base, page, shift] of [
        [0, 0x80, 0],
        [0xc0, 0x88, 1],
      ])
        m.createDevice("i8257", { base, "page-base": page, dshift: shift }, { bus: isa.name, realize: true });
    const interrupts = addInterrupts(m, isa, this.#processors, host?.device.path);
    addCards(m, this.#pci, isa.name);
    addBoardPorts(m, isa.bus, this.#processors);
    const { cmos, floppy } = addIsaParts(m, isa, interrupts, this.#processors, {
      hpet: this.#pci && this.#p.hpet,
      pit: this.#p.pit !== "off",
      i8042: this.#p.i8042,
      vmport: this.#p.vmport !== "off",
    });
    if (this.#pci) addIde(m);
    if (cmos !== undefined) this.#cmos(cmos);
    // The drives come after the board.
    floppy?.context.onReset("exit", () => {
      const { cmosTypes } = floppy.impl as { readonly cmosTypes: readonly [number, number] };
      if (cmos !== undefined) setEquipment(cmos, cmosTypes);
    });
    const acpi = this.#pci && this.#p.acpi !== "off";
    if (acpi)
      addPowerManagement(m, {
        sci: isa.bus.irq(9),
        smi: this.#p.smm === "off" ? undefined : (level) => this.#processors[0]?.cpu.setIrq(LINE.smi, level),
      });
    this.#config(config, ram);
  }

  #configDevice(): ConfigStore {
    const device = this.#m.createDevice("fw_cfg_io", {}, { name: "fw_cfg", parentPath: "/machine", realize: true });
    return device.impl as ConfigStore;
  }

  #roms(into: MemoryRegion): void {
    const { bios } = this.#m.options;
    const image = bios instanceof Uint8Array ? bios : undefined;
    const roms = addRoms(this.#m, into, image, !this.#pci);
    const device = this.#m.createDevice("pc-boot-memory", {}, { realize: true });
    (device.impl as BootMemory).install = () => roms.install();
  }

  /** The bus of a PC without PCI. */
  #isaBus(): { bus: BoardIsaBus; name: string } {
    const device: Device = this.#m.createDevice("isabus-bridge", {}, { realize: true });
    return { bus: device.impl as BoardIsaBus, name: "isa.0" };
  }

  #cmos(cmos: CmosMemory): void {
    const { options } = this.#m;
    setMemory(cmos, this.#split, options.cpus);
    setEquipment(cmos, [0, 0]);
    try {
      setBootOrder(cmos, options.bootOnce ?? options.bootOrder ?? "cad");
    } catch (error) {
      throw new BoardError("bad-option", `-boot: ${(error as Error).message}`);
    }
  }

  #config(config: ConfigStore, _ram: PcRam): void {
    const { options } = this.#m;
    const t = options.topology;
    const last = t === undefined ? options.cpus - 1 : apicIdOf(t.maxCpus - 1, t);
    const shared = { split: this.#split, processors: this.#processors };
    const hpet = this.#pci && this.#p.hpet;
    addConfigItems(config, options, {
      ram: this.#split,
      processors: this.#processors,
      apicIdLimit: last + 1,
      hpet,
      disableS3: false,
      graphics: this.#p.graphics && options.nographic !== true,
    });
    if (options.kernel !== undefined) {
      const { kernel, initrd, append } = options;
      addKernel(config, kernelImage({ kernel, initrd, append, lowRam: this.#split.below }));
      config.addFile({ name: "bootorder", bytes: bootOrder([`/rom@genroms/${ROM_FILE}`]) });
    }
    const { name, summary } = this.#pci ? PC : ISAPC;
    addSmbios(config, this.#m, this.#p, { ...shared, machine: name, summary });
    if (this.#pci && this.#p.acpi !== "off") addAcpi(config, this.#m, this.#p, { ...shared, hpet });
  }
}

/** Paths of what firmware boots from, first choice first. */
function bootOrder(paths: readonly string[]): Uint8Array {
  return Uint8Array.from(`${paths.join("\n")}\0`, (c) => c.charCodeAt(0));
}

/** Names that SMBIOS tells. */
const PC = { name: "pc-i440fx-7.2", summary: "Standard PC (i440FX + PIIX, 1996)" } as const;
const ISAPC = { name: "isapc", summary: "ISA-only PC" } as const;
