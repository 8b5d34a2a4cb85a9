import { z } from "zod";
import { u32 } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";
import { Plic } from "./plic.ts";

/** One context of a hart configuration: `"MS,M"` is hart 0 with machine and supervisor contexts and hart 1 with machine only. */
export interface PlicContext {
  readonly hart: number;
  readonly mode: "M" | "S" | "U" | "H";
}

/** Reads a hart configuration string into contexts, in the order of their registers. */
export function plicContexts(config: string): PlicContext[] {
  return config
    .split(",")
    .flatMap((modes, hart) => [...modes].map((mode) => ({ hart, mode: mode as PlicContext["mode"] })));
}

/** SiFive's platform-level interrupt controller; output line `n` of "context" belongs to context `n` of `hart-config`. */
export const sifivePlic: DeviceType = defineDevice({
  name: "riscv.sifive.plic",
  parent: "sysbus-device",
  summary: "RISC-V platform-level interrupt controller",
  userCreatable: false,
  props: z.strictObject({
    "hart-config": z
      .string()
      .regex(/^[MSUH]+(,[MSUH]+)*$/, "must list the modes of each hart, such as MS,MS")
      .describe("privilege modes with a context, hart by hart"),
    "hartid-base": u32.default(0).describe("id of the first hart"),
    "num-sources": u32
      .refine((n) => n >= 2 && n <= 1024, "must be 2 to 1024")
      .describe("source ids, including the reserved id 0"),
    "num-priorities": u32.default(7).describe("highest priority"),
    "priority-base": u32.default(4).describe("offset of the first source's priority, bytes"),
    "pending-base": u32.default(0x1000).describe("offset of the pending bits, bytes"),
    "enable-base": u32.default(0x2000).describe("offset of the first context's enable bits, bytes"),
    "enable-stride": u32.default(0x80).describe("bytes from one context's enable bits to the next"),
    "context-base": u32.default(0x200000).describe("offset of the first context's threshold and claim, bytes"),
    "context-stride": u32.default(0x1000).describe("bytes from one context to the next"),
    "aperture-size": u32.default(0x600000).describe("bytes of all registers"),
  }),
  realize(p, dev) {
    const contexts = plicContexts(p["hart-config"]);
    const lines = dev.irqs("context", contexts.length);
    const plic = new Plic(
      {
        sources: p["num-sources"],
        contexts: contexts.length,
        priorities: p["num-priorities"],
        priorityBase: p["priority-base"],
        pendingBase: p["pending-base"],
        enableBase: p["enable-base"],
        enableStride: p["enable-stride"],
        contextBase: p["context-base"],
        contextStride: p["context-stride"],
      },
      (context, level) => lines[context]?.set(level),
      (message) => dev.guestError(message),
    );
    dev.input("source", p["num-sources"], (n, level) => plic.input(n, level));
    dev.region("riscv.sifive.plic", plic, { size: p["aperture-size"], minAccess: 4, maxAccess: 4 });
    dev.stateful(plic);
    return plic;
  },
});
