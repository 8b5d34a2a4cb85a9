import { z } from "zod";
import { onOff } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { GoldfishRtc } from "./goldfish.ts";

/** Goldfish real-time clock on the host clock. */
export const goldfishRtc: DeviceType = defineDevice({
  name: "goldfish_rtc",
  parent: "sysbus-device",
  summary: "Goldfish real-time clock",
  userCreatable: false,
  props: z.strictObject({
    "big-endian": onOff.default(false).describe("byte order of the registers"),
    "x-offset": z.coerce.number().default(0).describe("guest time minus host time at start, ns (-rtc base)"),
  }),
  realize(p, dev) {
    const irq = dev.irq("sysbus-irq");
    const timer = dev.timer(() => chip.expire(), "host");
    const chip: GoldfishRtc = new GoldfishRtc({
      now: () => dev.now("host") + p["x-offset"],
      irq: (level) => irq.set(level),
      arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline - p["x-offset"])),
    });
    dev.region("goldfish_rtc", chip, {
      size: 0x24,
      minAccess: 4,
      maxAccess: 4,
      endian: p["big-endian"] ? "big" : "little",
    });
    dev.stateful(chip);
    return chip;
  },
});
