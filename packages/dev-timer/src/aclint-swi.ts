import { z } from "zod";
import { u32 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { SoftwareInterrupts } from "./swi.ts";

/** Software interrupt unit of the RISC-V ACLINT; output line `n` of "swi" goes to hart `n`. */
export const aclintSwi: DeviceType = defineDevice({
  name: "riscv.aclint.swi",
  parent: "sysbus-device",
  summary: "RISC-V ACLINT software interrupts",
  userCreatable: false,
  props: z.strictObject({
    "hartid-base": u32.default(0).describe("id of the first hart"),
    "num-harts": u32
      .refine((n) => n >= 1 && n <= 4095, "must be 1 to 4095")
      .default(1)
      .describe("number of harts"),
    sswi: u32.default(0).describe("0: machine level (mswi), 1: supervisor level (sswi)"),
  }),
  realize(p, dev) {
    const lines = dev.irqs("swi", p["num-harts"]);
    const supervisor = p.sswi !== 0;
    const chip = new SoftwareInterrupts(p["num-harts"], supervisor, (hart, level) => {
      if (supervisor) lines[hart]?.pulse();
      else lines[hart]?.set(level);
    });
    dev.region("riscv.aclint.swi", chip, { size: 0x4000, minAccess: 4, maxAccess: 4 });
    dev.stateful(chip);
    return chip;
  },
});
