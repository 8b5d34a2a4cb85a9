import { z } from "zod";
import { u32 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { MTimer } from "./mtimer.ts";

/** Machine timer of the RISC-V ACLINT; output line `n` of "mtip" is hart `n`'s timer interrupt. */
export const aclintMtimer: DeviceType = defineDevice({
  name: "riscv.aclint.mtimer",
  parent: "sysbus-device",
  summary: "RISC-V ACLINT machine timer",
  userCreatable: false,
  props: z.strictObject({
    "hartid-base": u32.default(0).describe("id of the first hart"),
    "num-harts": u32
      .refine((n) => n >= 1 && n <= 4095, "must be 1 to 4095")
      .default(1)
      .describe("number of harts"),
    "timecmp-base": u32.default(0).describe("offset of the first mtimecmp, bytes"),
    "time-base": u32.default(0x7ff8).describe("offset of mtime, bytes"),
    "aperture-size": u32.default(0x8000).describe("bytes of all registers"),
    "timebase-freq": u32
      .refine((n) => n >= 1, "must not be 0")
      .default(10_000_000)
      .describe("ticks per second"),
  }),
  realize(p, dev) {
    const harts = p["num-harts"];
    const lines = dev.irqs("mtip", harts);
    const { virtual } = dev.machine.clocks;
    const timers = lines.map((_, hart) => dev.timer(() => chip.expire(hart)));
    const chip: MTimer = new MTimer(
      { harts, frequency: p["timebase-freq"], timecmpBase: p["timecmp-base"], timeBase: p["time-base"] },
      {
        now: () => virtual.now(),
        soon: (deadline) => virtual.soon?.(deadline) ?? false,
        output: (hart, level) => lines[hart]?.set(level),
        arm: (hart, deadline) => (deadline === undefined ? timers[hart]?.cancel() : timers[hart]?.arm(deadline)),
        guestError: (message) => dev.guestError(message),
      },
    );
    dev.region("riscv.aclint.mtimer", chip, { size: p["aperture-size"], minAccess: 4, maxAccess: 4 });
    dev.stateful(chip);
    return chip;
  },
});
