import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import { PCI_BUS } from "./bus.ts";

/** "06.0", "6", "1f.7" (hexadecimal slot, function), or slot * 8 + function as a number; -1 = the next free slot. */
const address: z.ZodType<number, number | string> = z
  .union([z.number(), z.string()])
  .transform((value, ctx) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= -1 && value < 256) return value;
    const m = /^(?:0x)?([0-9a-f]{1,2})(?:\.(?:0x)?([0-7]))?$/i.exec(String(value));
    const slot = m ? Number.parseInt(m[1]!, 16) : 32;
    if (m && slot < 32) return (slot << 3) | Number(m[2] ?? 0);
    if (String(value) === "-1") return -1;
    ctx.issues.push({
      code: "custom",
      input: value,
      message: "expected a slot 0..1f and optional function 0..7, such as 06.0",
    });
    return z.NEVER;
  })
  .meta({ type: "int32" });

/** The root of all PCI devices. */
export const pciDevice: DeviceType = defineDevice({
  name: "pci-device",
  abstract: true,
  summary: "any PCI device",
  bus: PCI_BUS,
  props: z.strictObject({
    addr: address.default(-1).describe("slot and optional function number, example: 06.0 or 06"),
    multifunction: onOff.default(false).describe("more functions may follow in this slot"),
    romfile: z.string().optional().describe("accepted; no option ROM is loaded"),
    romsize: u32.default(0xffffffff).describe("accepted"),
    rombar: u32.default(1).describe("accepted"),
    "acpi-index": u32.default(0).describe("accepted"),
    failover_pair_id: z.string().optional().describe("accepted"),
    "x-pcie-lnksta-dllla": onOff.default(true).describe("accepted"),
    "x-pcie-extcap-init": onOff.default(true).describe("accepted"),
  }),
});

/** What a PCI device's `realize` finds of these among its properties. */
export interface PciProps {
  readonly addr: number;
  readonly multifunction: boolean;
}
