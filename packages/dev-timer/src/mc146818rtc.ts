import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { i32, u16, u8 } from "@mimus/qom";
import { z } from "zod";
import { Rtc } from "./rtc.ts";

/** The real-time clock of a PC. Output "irq" goes to the bus's line; a board may connect it elsewhere. */
export const mc146818Rtc: DeviceType = defineDevice({
  name: "mc146818rtc",
  parent: isaDevice,
  summary: "MC146818 real-time clock and CMOS memory",
  userCreatable: false,
  props: z.strictObject({
    base_year: i32.default(0).describe("year that 0 stands for"),
    iobase: u16.default(0x70).describe("first port"),
    irq: u8
      .refine((n) => n < 16, "must be 0 to 15")
      .default(8)
      .describe("interrupt line"),
    lost_tick_policy: z
      .enum(["discard", "slew"])
      .default("discard")
      .describe("what becomes of periodic interrupts that come too late"),
    "x-offset": z.coerce.number().default(0).describe("guest time minus host time at start, ns (-rtc base)"),
  }),
  realize(p, dev) {
    const isa = isaBusOf(dev);
    const irq = dev.irq("irq");
    irq.connect(isa.irq(p.irq));
    const timer = dev.timer(() => rtc.expire(), "host");
    const rtc: Rtc = new Rtc(
      { baseYear: p.base_year, slew: p.lost_tick_policy === "slew" },
      {
        now: () => dev.now("host"),
        irq: (level) => irq.set(level),
        arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline)),
      },
    );
    rtc.setOffset(p["x-offset"]);
    isa.io.add(p.iobase, dev.region("rtc", rtc, { size: 2, maxAccess: 1 }));
    dev.stateful(rtc);
    return rtc;
  },
});
