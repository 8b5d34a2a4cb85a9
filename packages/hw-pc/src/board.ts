import type { Device, MachineBuilder, MemoryRegion } from "@mimus/machine-core";
import type { BootMemory } from "./boot/device.ts";
import { addKernel, kernelImage, refuseDeviceTree, ROM_FILE } from "./boot/kernel.ts";
import { bootOrderFile, bootPaths } from "./bootorder.ts";
import { setBootOrder, setDisks, setEquipment, setMemory } from "./cmos.ts";
import type { CmosMemory, DiskGeometry } from "./cmos.ts";
import { addConfigItems } from "./config.ts";
import type { ConfigStore } from "./config.ts";
import { addProcessors, apicIdOf, interruptAll } from "./cpus.ts";
import type { Processor } from "./cpus.ts";
import { LINE } from "./cpus.ts";
import { addCards, isaCardRom } from "./devices/cards.ts";
import { addHostBridge, addIde, addIsaIde, addIsaBridge, addPowerManagement } from "./devices/i440fx.ts";
import { addInterrupts } from "./devices/interrupts.ts";
import type { BoardIsaBus } from "./devices/interrupts.ts";
import { installed } from "./devices/place.ts";
import { addBoardPorts } from "./devices/ports.ts";
import { addIsaParts } from "./devices/superio.ts";
import { BoardError } from "./errors.ts";
import type { PcProps } from "./machine.ts";
import { splitRam } from "./memmap.ts";
import type { RamSplit } from "./memmap.ts";
import { addFlashRoms, addRam, addRoms } from "./memory.ts";
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
    refuseDeviceTree(m.options.dtb);
    this.#processors = addProcessors(m);
    const ram = addRam(m, this.#split);
    const config = this.#configDevice();
    const host = this.#pci ? addHostBridge(m, ram.region, this.#processors) : undefined;
    const boot = this.#roms(host?.pciMemory ?? m.system.root);
    const isa = this.#pci ? addIsaBridge(m) : this.#isaBus();
    if (installed(m, "i8257"))
      for (const [base, page, shift] of [
        [0, 0x80, 0],
        [0xc0, 0x88, 1],
      ])
        m.createDevice("i8257", { base, "page-base": page, dshift: shift }, { bus: isa.name, realize: true });
    const interrupts = addInterrupts(m, isa, this.#processors, host?.device.path);
    addCards(m, this.#pci, isa.name);
    const cardRom = isaCardRom(m, isa.name);
    if (cardRom !== undefined) config.addFile(cardRom);
    addBoardPorts(m, isa.bus, this.#processors);
    const { cmos, floppy } = addIsaParts(m, isa, interrupts, this.#processors, {
      hpet: this.#pci && this.#p.hpet,
      pit: this.#p.pit !== "off",
      i8042: this.#p.i8042,
      vmport: this.#p.vmport !== "off",
    });
    if (this.#pci) addIde(m);
    else addIsaIde(m, isa.name);
    if (cmos !== undefined) this.#cmos(cmos);
    boot.started = () => this.#started(config, cmos, floppy);
    const acpi = this.#pci && this.#p.acpi !== "off";
    if (acpi)
      addPowerManagement(m, {
        sci: isa.bus.irq(9),
        smi: this.#p.smm === "off" ? undefined : (level) => this.#processors[0]?.cpu.setIrq(LINE.smi, level),
        cmos,
      });
    m.on("nmi-request", () => interruptAll(this.#processors));
    this.#config(config, ram);
  }

  #configDevice(): ConfigStore {
    const device = this.#m.createDevice("fw_cfg_io", {}, { name: "fw_cfg", parentPath: "/machine", realize: true });
    return device.impl as ConfigStore;
  }

  #roms(into: MemoryRegion): BootMemory {
    const { bios } = this.#m.options;
    const image = bios instanceof Uint8Array ? bios : undefined;
    const flash = [this.#p.pflash0, this.#p.pflash1];
    if (!this.#pci && flash.some((drive) => drive !== undefined))
      throw new BoardError("bad-option", "machine type does not support if=pflash");
    const roms = flash.some((drive) => drive !== undefined)
      ? addFlashRoms(this.#m, into, flash)
      : addRoms(this.#m, into, image, !this.#pci);
    const device = this.#m.createDevice("pc-boot-memory", {}, { realize: true });
    const boot = device.impl as BootMemory;
    boot.install = () => roms.install();
    return boot;
  }

  /** What users added after the board was wired: drives for the CMOS memory, and the boot order. */
  #started(config: ConfigStore, cmos: CmosMemory | undefined, floppy: Device | undefined): void {
    const devices = this.#m.buses().flatMap((bus) => bus.children);
    const paths = bootPaths(devices);
    if (this.#m.options.kernel !== undefined) paths.unshift(`/rom@genroms/${ROM_FILE}`);
    config.addFile({ name: "bootorder", bytes: bootOrderFile(paths, this.#m.options.bootStrict === true) });
    if (cmos === undefined) return;
    const types = (floppy?.impl as { readonly cmosTypes?: readonly [number, number] } | undefined)?.cmosTypes;
    setEquipment(cmos, types ?? [0, 0]);
    setDisks(cmos, disksOf(devices));
  }

  /** The bus of a PC without PCI. */
  #isaBus(): { bus: BoardIsaBus; name: string } {
    const device: Device = this.#m.createDevice("isabus-bridge", {}, { realize: true });
    return { bus: device.impl as BoardIsaBus, name: "isa.0" };
  }

  #cmos(cmos: CmosMemory): void {
    const { options } = this.#m;
    setMemory(cmos, this.#split, options.cpus);
    try {
      setBootOrder(cmos, options.bootOnce ?? options.bootOrder ?? "cad", options.anyFloppy !== true);
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
    }
    const { name, summary } = this.#pci ? PC : ISAPC;
    addSmbios(config, this.#m, this.#p, { ...shared, machine: name, summary });
    if (this.#pci && this.#p.acpi !== "off") addAcpi(config, this.#m, this.#p, { ...shared, hpet });
  }
}

/** The disks of the four places of the two IDE channels. */
function disksOf(devices: readonly Device[]): (DiskGeometry | undefined)[] {
  return ["ide.0", "ide.1"].flatMap((bus) =>
    [0, 1].map((unit) => {
      const disk = devices.find(
        (d) => d.type.name === "ide-hd" && d.parentBus?.name === bus && d.values["unit"] === unit,
      );
      if (disk === undefined) return undefined;
      const { cyls, heads, secs } = disk.values;
      return { cylinders: Number(cyls), heads: Number(heads), sectors: Number(secs) };
    }),
  );
}

/** Names that SMBIOS tells. */
const PC = { name: "pc-i440fx-7.2", summary: "Standard PC (i440FX + PIIX, 1996)" } as const;
const ISAPC = { name: "isapc", summary: "ISA-only PC" } as const;
