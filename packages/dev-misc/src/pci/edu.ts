import { pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u64 } from "@mimus/qom";
import { z } from "zod";
import { Edu } from "./edu-chip.ts";

/** An educational device: PCI id 1234:11e8. */
export const edu: DeviceType = defineDevice({
  name: "edu",
  parent: pciDevice,
  summary: "educational device",
  props: z.strictObject({
    dma_mask: u64.default(2 ** 28 - 1).describe("address bits that its DMA can use; one less than a power of two"),
  }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    if (!Number.isInteger(Math.log2(p.dma_mask + 1))) throw new Error("dma_mask must be one less than a power of two");
    const f = new PciFunction(
      dev,
      {
        vendor: 0x1234,
        device: 0x11e8,
        revision: 0x10,
        class: 0x00ff00,
        pin: 1,
        subsystemVendor: 0x1af4,
        subsystem: 0x1100,
      },
      { multifunction: p.multifunction },
    );
    const timer = dev.timer(() => chip.expire());
    const chip: Edu = new Edu({
      now: () => dev.now(),
      arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline)),
      irq: (level, raised) => {
        if (f.msi?.enabled !== true) f.setIntx(level);
        else if (raised) f.msi.notify(0);
      },
      dma: dev.dma,
      mask: p.dma_mask,
      guestError: (message) => dev.guestError(message),
    });
    f.addMsi({ vectors: 1, wide: true, masks: false });
    f.addBar(0, dev.region("edu-mmio", chip, { size: 0x10_0000 }), { kind: "mem32" });
    dev.stateful(chip, "edu");
    f.seal();
    return chip;
  },
});
