import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import { Hpet } from "./hpet-chip.ts";

/**
 * High precision event timers: outputs "sysbus-irq" 0..31 are lines of the I/O APIC. The interval timer and the clock come in by
 * input "legacy" 0 and 1 and leave by output "legacy", which the timers take over in legacy mode.
 */
export const hpet: DeviceType = defineDevice({
  name: "hpet",
  parent: "sysbus-device",
  summary: "high precision event timers",
  userCreatable: false,
  props: z.strictObject({
    timers: u8
      .refine((n) => n >= 3 && n <= 32, "must be 3 to 32")
      .default(3)
      .describe("number of timers"),
    msi: onOff.default(false).describe("timers can send messages"),
    "hpet-intcap": u32.default(0).describe("lines that timers may be routed to, a bit each"),
    "hpet-offset-saved": onOff.default(true).describe("accepted"),
  }),
  realize(p, dev) {
    const clock = dev.machine.clocks.virtual;
    const lines = dev.irqs("sysbus-irq", 32);
    const legacy = dev.irqs("legacy", 2);
    const timers = Array.from({ length: p.timers }, (_, n) => dev.timer(() => chip.expire(n)));
    const chip: Hpet = new Hpet(
      { timers: p.timers, messages: p.msi, routes: p["hpet-intcap"] },
      {
        now: () => {
          clock.exact?.();
          return clock.now();
        },
        arm: (n, deadline) => (deadline === undefined ? timers[n]!.cancel() : timers[n]!.arm(deadline)),
        line: (n, level) => lines[n]!.set(level),
        legacy: (n, level) => legacy[n]!.set(level),
        message: (address, data) => dev.dma.write(address, 4, data),
      },
    );
    dev.input("legacy", 2, (n, level) => chip.input(n, level));
    dev.region("hpet", chip, { size: 0x400, minAccess: 4, reentrant: true });
    dev.stateful(chip);
    dev.onLoaded(() => chip.loaded());
    return chip;
  },
});
