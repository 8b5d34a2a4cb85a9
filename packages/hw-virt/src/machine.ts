import { z } from "zod";
import { onOff, u8 } from "@mimus/qom";
import { defineMachine, MemoryRegion } from "@mimus/machine-core";
import type { MachineBuilder, MachineType } from "@mimus/machine-core";
import { BoardError, BootImages, fdtAddress, loadFirmware, loadInitrd, loadKernel, resetRom } from "./boot/index.ts";
import type { BootMemory } from "./boot/index.ts";
import { addConfigItems, addKernelItems } from "./config.ts";
import {
  addConfig,
  addFlash,
  addInterruptControllers,
  addPcie,
  addPlatformBus,
  addSerialAndClock,
  addTest,
  addVirtio,
  type ConfigStore,
} from "./devices.ts";
import { buildFdt } from "./fdt.ts";
import { FdtError, FdtNode, readFdt, writeFdt } from "./fdt/index.ts";
import { fdtHart, hartOf } from "./hart.ts";
import type { BoardHart } from "./hart.ts";
import { MAX_HARTS, MEMMAP, MIB } from "./memmap.ts";
import type { MemoryWindow } from "./memmap.ts";

const props = z.strictObject({
  aclint: onOff.default(false).describe("Set on/off to enable/disable emulating ACLINT devices"),
  aia: z
    .enum(["none"], { error: "only none is modelled" })
    .default("none")
    .describe("Set type of AIA interrupt controller. Valid values are none"),
  "aia-guests": u8
    .refine((n) => n <= 7, "must be 0 to 7")
    .default(0)
    .describe("Set number of guest MMIO pages for AIA IMSIC. Valid value should be between 0 and 7."),
  "dt-compatible": z.string().optional().describe('Overrides the "compatible" property of the dt root node'),
  pflash0: z
    .string()
    .optional()
    .describe("block backend of the first flash bank (reset starts there)")
    .meta({ link: "drive" }),
  pflash1: z
    .string()
    .optional()
    .describe("block backend of the second flash bank (S-mode firmware)")
    .meta({ link: "drive" }),
});
type VirtProps = z.infer<typeof props>;

/**
 * The RISC-V "virt" board.
 * Source: QEMU 7.2 documentation, "virt Generic Virtual Platform"; devices as the device tree names them.
 */
export const virtMachine: MachineType = defineMachine<VirtProps>({
  name: "virt",
  summary: "RISC-V VirtIO board",
  defaultCpu: "rv64-riscv-cpu",
  defaultRam: 128 * MIB,
  maxCpus: MAX_HARTS,
  targets: ["riscv64", "riscv32"],
  props,
  class: {
    /** CPU type by target, when the user names none. */
    defaultCpus: { riscv32: "rv32-riscv-cpu", riscv64: "rv64-riscv-cpu" },
    /** Firmware file by target for `-bios default`. */
    firmware: {
      riscv32: "opensbi-riscv32-generic-fw_dynamic.bin",
      riscv64: "opensbi-riscv64-generic-fw_dynamic.bin",
    },
    /** Bytes of machine memory besides RAM: flash and ROM. */
    memoryOverhead: MEMMAP.flash.size + MIB,
    /** Device types of the board: loaded before it is wired. */
    requires: [
      "riscv.aclint.swi",
      "riscv.aclint.mtimer",
      "riscv.sifive.plic",
      "riscv.sifive.test",
      "serial-mm",
      "goldfish_rtc",
      "fw_cfg_mem",
      "cfi.pflash01",
      "gpex-pcihost",
      "gpex-root",
      "virtio-mmio",
    ],
    /** Interface of drives that name none, and what device a drive then becomes. */
    defaultInterface: "virtio",
    driveDevices: { virtio: ["virtio-blk-pci", "virtio-blk-device"] },
    /** Network card of `-nic`. */
    defaultNic: ["virtio-net-device", "virtio-net-pci"],
  },
  init: (p, m) => new Board(p, m).build(),
});

/** What only other boards have. @throws BoardError */
function refuseOtherBoards({ smbios, acpiTables, topology }: MachineBuilder["options"]): void {
  const option = smbios !== undefined ? "-smbios" : acpiTables !== undefined ? "-acpitable" : undefined;
  if (option !== undefined) throw new BoardError("bad-option", `${option}: machine virt has no such tables`);
  if (topology !== undefined && topology.dies > 1)
    throw new BoardError("bad-option", `-smp dies=${topology.dies}: the processors of machine virt have no dies`);
}

/** Wires one board. */
class Board {
  readonly #p: VirtProps;
  readonly #m: MachineBuilder;
  readonly #ram: MemoryWindow;
  #harts: BoardHart[] = [];
  #xlen: 32 | 64 = 64;

  constructor(p: VirtProps, m: MachineBuilder) {
    this.#p = p;
    this.#m = m;
    this.#ram = { base: MEMMAP.dram.base, size: m.options.ramSize };
  }

  build(): void {
    const m = this.#m;
    const { options } = m;
    refuseOtherBoards(options);
    const block = m.memory.ram("riscv_virt_board.ram", this.#ram.size);
    m.system.root.add(this.#ram.base, MemoryRegion.ram("riscv_virt_board.ram", block));

    const cpus = Array.from({ length: options.cpus }, (_, i) => m.createCpu(options.cpuType, options.cpuProps, i));
    this.#harts = cpus.map(hartOf);
    this.#xlen = this.#harts[0]?.config.xlen ?? 64;
    if (this.#xlen === 32 && this.#ram.size > 10 * 1024 * MIB) {
      throw new BoardError("bad-option", "a 32-bit virt machine has at most 10 GiB of RAM (-m)");
    }
    const plic = addInterruptControllers(m, cpus, this.#p.aclint);
    // Devices without a name are numbered as they come: this order gives QEMU's paths.
    addTest(m);
    addVirtio(m, plic);
    addPcie(m, plic, this.#xlen);
    addPlatformBus(m, plic);
    addSerialAndClock(m, plic, this.#serial());
    const config = addConfig(m);
    addConfigItems(config, options);
    addFlash(m, [this.#p.pflash0, this.#p.pflash1]);
    const bootDevice = m.createDevice("riscv.virt.boot", { size: MEMMAP.mrom.size }, { realize: true });
    for (const region of bootDevice.regions) m.system.root.add(MEMMAP.mrom.base, region);
    this.#boot(
      bootDevice.impl as BootMemory,
      block.bytes,
      (offset, length) => block.dirty.mark(offset, length),
      config,
    );
  }

  /** The first serial port's back end under a name that the device can link to. */
  #serial(): string | undefined {
    const backend = this.#m.options.serials[0];
    if (backend === undefined) return undefined;
    this.#m.registerBackend("chardev", "serial0", backend);
    return "serial0";
  }

  /** Loads everything, writes the device tree, and leaves the memory ready for any number of resets. */
  #boot(
    boot: BootMemory,
    ram: Uint8Array,
    written: (offset: number, length: number) => void,
    config: ConfigStore,
  ): void {
    const { options } = this.#m;
    const images = new BootImages(this.#ram);
    const firmware = options.bios instanceof Uint8Array ? options.bios : undefined;
    const firmwareEnd = firmware === undefined ? this.#ram.base : loadFirmware(images, firmware, this.#xlen, this.#ram);
    let next = 0;
    let initrd: MemoryWindow | undefined;
    if (this.#p.pflash1 !== undefined) {
      // Firmware in the second flash bank loads the kernel itself, through the configuration device.
      next = MEMMAP.flash.base + MEMMAP.flash.size / 2;
      addKernelItems(config, options.kernel, options.initrd, options.append);
    } else if (options.kernel !== undefined) {
      next = loadKernel(images, options.kernel, this.#xlen, firmwareEnd);
      if (options.initrd !== undefined) initrd = loadInitrd(images, options.initrd, next, this.#ram);
    } else if (options.initrd !== undefined) {
      throw new BoardError("bad-option", "-initrd needs a kernel: give one with -kernel");
    }
    const start = this.#p.pflash0 === undefined ? this.#ram.base : MEMMAP.flash.base;
    const tree = this.#tree(initrd);
    const blob = writeFdt(tree);
    const fdt = fdtAddress(blob.length, this.#ram);
    images.add("device tree", fdt, blob);
    this.#m.registerBackend("fdt", "machine", blob);
    const rom = resetRom({ xlen: this.#xlen, start, fdt, next });
    boot.install = () => {
      boot.rom.bytes.fill(0);
      boot.rom.bytes.set(rom);
      images.install(ram, written);
    };
  }

  /** The user's device tree with the boot arguments, or the generated one. */
  #tree(initrd: MemoryWindow | undefined): FdtNode {
    const { options } = this.#m;
    const append = options.append;
    if (options.dtb !== undefined) {
      const root = userTree(options.dtb);
      const chosen = root.find("chosen") ?? root.child("chosen");
      if (initrd !== undefined) {
        chosen.set("linux,initrd-end", [initrd.base + initrd.size]).set("linux,initrd-start", [initrd.base]);
      }
      if (append !== undefined && append !== "") chosen.set("bootargs", append);
      return root;
    }
    const rngSeed = new Uint8Array(32);
    this.#m.random(rngSeed);
    const compatible = this.#p["dt-compatible"];
    return buildFdt({
      xlen: this.#xlen,
      ramSize: this.#ram.size,
      harts: this.#harts.map(fdtHart),
      aclint: this.#p.aclint,
      rngSeed,
      pmuCounters: this.#harts[0]?.config.pmuCounters ?? 0,
      ...(compatible === undefined ? {} : { compatible }),
      ...(append === undefined ? {} : { bootargs: append }),
      ...(initrd === undefined ? {} : { initrd }),
    });
  }
}

/** The device tree of `-dtb`. @throws BoardError */
function userTree(blob: Uint8Array): FdtNode {
  try {
    return readFdt(blob);
  } catch (error) {
    if (!(error instanceof FdtError)) throw error;
    throw new BoardError("bad-image", `-dtb: ${error.message} (byte ${error.at})`, error.at);
  }
}
