import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import { i32, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import { DmaController } from "./dma-controller.ts";

/** Page registers of a controller, from its base on: the ones that exist. */
const PAGES: readonly (readonly [offset: number, size: number])[] = [
  [1, 3],
  [7, 1],
];

/** One of the pair of DMA controllers: channels 0..3, or with `dshift` 1 the channels 4..7, which move words. */
export const i8257: DeviceType = defineDevice({
  name: "i8257",
  parent: isaDevice,
  summary: "8237 DMA controller",
  userCreatable: false,
  props: z.strictObject({
    base: u32.default(0).describe("first port"),
    "page-base": u32.default(0x80).describe("first port of the page registers"),
    "pageh-base": i32.default(-1).describe("accepted: there are no high page registers"),
    dshift: u8
      .refine((n) => n <= 1, "must be 0 or 1")
      .default(0)
      .describe("log2 of the bytes of a transfer"),
  }),
  realize(p, dev) {
    const isa = isaBusOf(dev);
    const chip = new DmaController(p.dshift, dev.dma);
    const ports = { maxAccess: 1, shift: p.dshift, size: 8 } as const;
    isa.io.add(p.base, dev.region("dma-chan", chip.addresses, ports));
    isa.io.add(p.base + (8 << p.dshift), dev.region("dma-cont", chip.control, ports));
    const pages = MemoryRegion.mmio({ name: "dma-page", size: 8, maxAccess: 1 }, chip.pages);
    for (const [offset, size] of PAGES) {
      const alias = MemoryRegion.alias("dma-page", pages, offset, size);
      dev.addRegion(alias);
      isa.io.add(p["page-base"] + offset, alias);
    }
    isa.addDmaController(p.dshift > 0, chip);
    dev.onUnrealize(() => isa.addDmaController(p.dshift > 0, undefined));
    dev.stateful(chip);
    return chip;
  },
});
