import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { u32 } from "@mimus/qom";
import { z } from "zod";
import { addConsole, videoMemory, vramBytes, wireVga } from "./wire.ts";

/** Where the whole video memory is, on a bus that has no other way to say it. Source: Bochs VBE Display API, "VBE_DISPI_LFB_PHYSICAL_ADDRESS". */
const FRAMEBUFFER = 0xe000_0000;

/** The VGA for machines without PCI. */
export const isaVga: DeviceType = defineDevice({
  name: "isa-vga",
  parent: isaDevice,
  summary: "VGA with VESA BIOS extensions on ISA",
  props: z.strictObject({ vgamem_mb: u32.default(8).describe("MiB of video memory") }),
  realize({ vgamem_mb }, dev) {
    const isa = isaBusOf(dev);
    const block = videoMemory(dev, vramBytes(vgamem_mb));
    const vga = wireVga(dev, block, isa);
    const vram = MemoryRegion.ram("vga.vram", block);
    dev.addRegion(vram);
    isa.memory.add(FRAMEBUFFER, vram, 1);
    vga.attach(addConsole(dev, dev.id === "" ? "vga" : dev.id));
    vga.reset();
    return vga;
  },
});
