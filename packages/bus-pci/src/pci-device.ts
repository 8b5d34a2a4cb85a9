import type { DeviceContext, DeviceType, FirmwareFiles } from "@mimus/machine-core";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import { onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import { PCI_BUS } from "./bus.ts";
import type { PciFunction } from "./function.ts";

/** Bytes of the largest option ROM that a register can show. */
const MOST_ROM = 0x100_0000;

/** "06.0", "6", "1f.7" (hexadecimal slot, function), or slot * 8 + function as a number; -1 = the next free slot. */
const address: z.ZodType<number, number | string> = z
  .union([z.number(), z.string()])
  .transform((value, ctx) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= -1 && value < 256) return value;
    const m = /^(?:0x)?([0-9a-f]{1,2})(?:\.(?:0x)?([0-7]))?$/i.exec(String(value));
    const slot = m ? Number.parseInt(m[1]!, 16) : 32;
    if (m && slot < 32) return (slot << 3) | Number(m[2] ?? 0);
    ctx.issues.push({
      code: "custom",
      input: value,
      message: "expected a slot 0..1f and optional function 0..7, such as 06.0",
    });
    return z.NEVER;
  })
  .meta({ qomType: "int32", format: "pci-address" });

/** The root of all PCI devices. */
export const pciDevice: DeviceType = defineDevice({
  name: "pci-device",
  abstract: true,
  summary: "any PCI device",
  bus: PCI_BUS,
  props: z.strictObject({
    addr: address.default(-1).describe("slot and optional function number, example: 06.0 or 06"),
    multifunction: onOff.default(false).describe("more functions may follow in this slot"),
    romfile: z.string().optional().describe("file of the option ROM; empty for none"),
    romsize: u32.default(0xffffffff).describe("accepted"),
    rombar: u32.default(1).describe("0: the guest does not see the option ROM"),
    "acpi-index": u32.default(0).describe("accepted"),
    failover_pair_id: z
      .string()
      .optional()
      .refine((id) => id === undefined, "there is no failover to another network card")
      .describe("not there: refused"),
    "x-pcie-lnksta-dllla": onOff.default(true).describe("accepted"),
    "x-pcie-extcap-init": onOff.default(true).describe("accepted"),
  }),
});

/** What a PCI device's `realize` finds of these among its properties. */
export interface PciProps {
  readonly addr: number;
  readonly multifunction: boolean;
  readonly romfile?: string | undefined;
  readonly rombar: number;
}

/** Where the machine keeps its `FirmwareFiles`, among its back ends. */
export const FIRMWARE_FILES: { readonly kind: string; readonly id: string } = { kind: "firmware", id: "files" };

/** Gives a function its option ROM: the user's `romfile`, or the type's own; a missing file of the type's own is no error. */
export function addOptionRom(f: PciFunction, dev: DeviceContext, props: PciProps, standard?: string): void {
  const name = props.romfile ?? standard ?? "";
  if (name === "" || props.rombar === 0) return;
  const files = dev.machine.backend(FIRMWARE_FILES.kind, FIRMWARE_FILES.id) as FirmwareFiles | undefined;
  const bytes = files?.read(name);
  if (bytes === undefined || bytes.length === 0) {
    if (props.romfile !== undefined) throw new Error(`romfile: there is no file '${name}'`);
    return;
  }
  if (bytes.length > MOST_ROM)
    throw new Error(`romfile: '${name}' has ${bytes.length} bytes; an option ROM has at most 16 MiB`);
  const size = Math.max(0x800, 2 ** Math.ceil(Math.log2(bytes.length)));
  const { memory } = dev.machine;
  const label = `${dev.path}/rom`;
  // Machine memory is never given back: a device that comes again at its place takes its old one.
  const block = memory.blocks.find((b) => b.name === label && b.size === size) ?? memory.ram(label, size);
  block.bytes.fill(0);
  block.bytes.set(bytes);
  block.dirty.mark(0, size);
  dev.decided({ romfile: name, romsize: size });
  f.addRom(MemoryRegion.rom(label, block));
}
