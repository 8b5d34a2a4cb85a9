import { z } from "zod";
import { pciDevice, PciFunction } from "@mimus/bus-pci";
import type { PciProps } from "@mimus/bus-pci";
import { onOff, u32, u8 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { wireUart } from "./wire.ts";

/** A serial port on PCI: class communication controller, 16550-compatible, its registers in an I/O BAR. */
export const pciSerial: DeviceType = defineDevice({
  name: "pci-serial",
  parent: pciDevice,
  summary: "16550A serial port on PCI",
  props: z.strictObject({
    chardev: z.string().optional().describe("ID of a chardev to use as a backend").meta({ link: "chardev" }),
    prog_if: u8.default(2).describe("programming interface in the class code: 2 is a 16550"),
    baudbase: u32.default(115200).describe("kept, not timed"),
    wakeup: onOff.default(false).describe("accepted; nothing suspends"),
  }),
  realize(props, dev) {
    const p = props as typeof props & PciProps;
    const f = new PciFunction(
      dev,
      {
        vendor: 0x1b36,
        device: 0x0002,
        class: 0x070000 | p.prog_if,
        revision: 1,
        subsystemVendor: 0x1af4,
        subsystem: 0x1100,
        pin: 1,
      },
      { multifunction: p.multifunction },
    );
    const uart = wireUart(dev, p.chardev, (level) => f.setIntx(level));
    const region = dev.region("serial", uart, { size: 8, maxAccess: 1 });
    f.addBar(0, region, { kind: "io" });
    f.seal();
    return uart;
  },
});
