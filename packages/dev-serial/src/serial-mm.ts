import { z } from "zod";
import { onOff, u32, u8 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { wireUart } from "./wire.ts";

/** A 16550A serial port in memory space. */
export const serialMm: DeviceType = defineDevice({
  name: "serial-mm",
  parent: "sysbus-device",
  summary: "16550A serial port in memory space",
  userCreatable: false,
  props: z.strictObject({
    chardev: z.string().optional().describe("ID of a chardev to use as a backend").meta({ link: "chardev" }),
    regshift: u8.default(0).describe("log2 of the register stride, bytes"),
    baudbase: u32.default(115200).describe("kept, not timed"),
    endianness: u8.default(0).describe("byte order of the registers; they are bytes, so any order reads the same"),
    wakeup: onOff.default(false).describe("accepted; nothing suspends"),
  }),
  realize({ chardev, regshift }, dev) {
    const irq = dev.irq("sysbus-irq");
    const uart = wireUart(dev, chardev, (level) => irq.set(level));
    dev.region("serial", uart, { size: 8, shift: regshift });
    return uart;
  },
});
