import { z } from "zod";
import { size } from "@mimus/qom";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import type { DeviceType, RamBlock } from "@mimus/machine-core";

/** The boot memory of the board as its builder fills it. */
export interface BootMemory {
  readonly rom: RamBlock;
  /** Called at every reset: puts the images in place. */
  install: () => void;
}

/** The mask ROM with the reset program, and what is copied into RAM at reset. */
export const virtBoot: DeviceType = defineDevice({
  name: "riscv.virt.boot",
  parent: "sysbus-device",
  summary: "reset program and boot images of the virt board",
  userCreatable: false,
  props: z.strictObject({ size: size.describe("bytes of the mask ROM") }),
  realize(p, dev) {
    const rom = dev.machine.memory.ram("riscv_virt_board.mrom", p.size);
    dev.addRegion(MemoryRegion.rom("riscv_virt_board.mrom", rom));
    const impl: BootMemory = { rom, install: () => {} };
    dev.onReset("enter", () => {
      impl.install();
      rom.dirty.mark(0, p.size);
    });
    return impl;
  },
});
