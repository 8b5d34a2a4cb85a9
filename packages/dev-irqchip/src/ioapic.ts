import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u8 } from "@mimus/qom";
import { z } from "zod";
import { ApicBus } from "./apic/bus.ts";
import { IoApic, IOAPIC_PINS } from "./ioapic-chip.ts";

/** The I/O APIC: input "gsi" 0..23, one region for FEC00000h. */
export const ioapic: DeviceType = defineDevice({
  name: "ioapic",
  parent: "sysbus-device",
  summary: "I/O APIC",
  userCreatable: false,
  props: z.strictObject({
    version: u8
      .refine((v) => v === 0x11 || v === 0x20, "must be 0x11 or 0x20")
      .default(0x20)
      .describe("0x11, or 0x20 with an EOI register"),
  }),
  realize(p, dev) {
    const bus = ApicBus.of(dev);
    const chip = new IoApic(bus, p.version);
    dev.input("gsi", IOAPIC_PINS, (n, level) => chip.input(n, level));
    dev.region("ioapic", chip, { size: 0x1000, minAccess: 4, reentrant: true });
    bus.listeners.push(chip);
    dev.onUnrealize(() => void bus.listeners.splice(bus.listeners.indexOf(chip), 1));
    dev.stateful(chip);
    return chip;
  },
});
