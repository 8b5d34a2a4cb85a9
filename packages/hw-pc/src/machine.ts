import { z } from "zod";
import { onOff, onOffAuto, size } from "@mimus/qom";
import { defineMachine } from "@mimus/machine-core";
import type { MachineType } from "@mimus/machine-core";
import { Board } from "./board.ts";
import { placeDrive } from "./drives.ts";
import { GIB, MIB } from "./memmap.ts";

const props = z.strictObject({
  acpi: onOffAuto.default("auto").describe("Enable ACPI"),
  hpet: onOff.default(true).describe("Enable/disable high precision event timer emulation"),
  pit: onOffAuto.default("auto").describe("Enable i8254 PIT"),
  pic: onOffAuto
    .refine((v) => v !== "off", "a PC without 8259s is not modelled")
    .default("auto")
    .describe("Enable i8259 PIC (only on)"),
  smm: onOffAuto.default("auto").describe("Enable SMM"),
  vmport: onOffAuto.default("auto").describe("Enable vmport (pc & q35)"),
  i8042: onOff.default(true).describe("Keyboard controller"),
  smbus: onOff.default(true).describe("Enable/disable system management bus"),
  graphics: onOff.default(true).describe("Set on/off to enable/disable graphics emulation"),
  usb: onOff
    .refine((v) => !v, "no USB controller is installed")
    .default(false)
    .describe("Set on/off to enable/disable usb (only off)"),
  "max-ram-below-4g": size
    .refine((n) => n <= 4 * GIB, "must be at most 4G")
    .default(0)
    .describe("Maximum ram below the 4G boundary (32bit boundary)"),
  "smbios-entry-point-type": z.enum(["32", "64"]).default("32").describe("SMBIOS Entry Point type [32, 64]"),
  "x-oem-id": z
    .string()
    .max(6)
    .default("BOCHS ")
    .describe("Override the default value of field OEMID in ACPI table header.The string may be up to 6 bytes in size"),
  "x-oem-table-id": z
    .string()
    .max(8)
    .default("BXPC    ")
    .describe(
      "Override the default value of field OEM Table ID in ACPI table header.The string may be up to 8 bytes in size",
    ),
  pflash0: z.string().optional().describe("block backend of the firmware flash").meta({ link: "drive" }),
  pflash1: z.string().optional().describe("block backend of the second flash").meta({ link: "drive" }),
});

type Auto = "on" | "off" | "auto";

/** The `-M` properties of a PC, parsed. */
export interface PcProps {
  readonly acpi: Auto;
  readonly hpet: boolean;
  readonly pit: Auto;
  readonly smm: Auto;
  readonly vmport: Auto;
  readonly i8042: boolean;
  readonly smbus: boolean;
  readonly graphics: boolean;
  readonly "max-ram-below-4g": number;
  readonly "smbios-entry-point-type": "32" | "64";
  readonly "x-oem-id": string;
  readonly "x-oem-table-id": string;
  readonly pflash0?: string | undefined;
  readonly pflash1?: string | undefined;
}

/** Parts of both boards: where their packages are missing, the board goes without them. */
const ISA_PARTS = [
  "apic",
  "cfi.pflash01",
  "hpet",
  "i8042",
  "i8257",
  "isa-fdc",
  "isa-parallel",
  "isa-pcspk",
  "isa-pit",
  "isa-serial",
  "mc146818rtc",
  "port92",
  "vmmouse",
  "vmport",
] as const;

/** Versioned names: every one is this board as it is today. */
const VERSIONS = [
  ..."7.1 7.0 6.2 6.1 6.0 5.2 5.1 5.0 4.2 4.1 4.0 3.1 3.0 2.12 2.11 2.10 2.9 2.8 2.7 2.6 2.5 2.4 2.3 2.2 2.1 2.0".split(
    " ",
  ),
  ..."1.7 1.6 1.5 1.4".split(" "),
];

const common = {
  defaultRam: 128 * MIB,
  maxCpus: 255,
  targets: ["x86_64", "i386"],
  ioPorts: true,
  props,
} as const;

const data = {
  /** CPU type by target, when the user names none. */
  defaultCpus: { x86_64: "qemu64", i386: "qemu32" },
  /** Bytes of machine memory besides RAM: BIOS, option ROMs. */
  memoryOverhead: 20 * MIB,
  defaultInterface: "ide",
  driveDevices: { virtio: ["virtio-blk-pci"] },
  placeDrive,
  defaultNic: ["e1000"],
  takesVga: true,
  defaultPorts: { serial: 1, parallel: 1 },
  defaultDrives: [
    { options: { if: "ide", index: "2", media: "cdrom" }, device: "ide-cd" },
    { options: { if: "floppy", index: "0" }, device: "floppy" },
  ],
} as const;

/**
 * The PC with the 440FX chipset.
 * Source: Intel 440FX PCIset (1996), 82371SB PIIX3 (1997) and 82371AB PIIX4 (1997) data sheets; QEMU 7.2, "i440fx PC".
 */
export const pcMachine: MachineType = defineMachine<PcProps>({
  ...common,
  name: "pc-i440fx-7.2",
  aliases: ["pc", ...VERSIONS.map((version) => `pc-i440fx-${version}`)],
  summary: "Standard PC (i440FX + PIIX, 1996)",
  isDefault: true,
  defaultCpu: "qemu64-x86_64-cpu",
  class: {
    ...data,
    firmware: { x86_64: "bios-256k.bin", i386: "bios-256k.bin" },
    requires: ["fw_cfg_io", "isa-i8259", "i440FX-pcihost", "PIIX3"],
    uses: [...ISA_PARTS, "ioapic", "piix3-ide", "PIIX4_PM", "VGA", "smbus-eeprom"],
  },
  init: (p, m) => new Board(p, m, true).build(),
});

/** The PC with an ISA bus alone. Source: IBM PC/AT Technical Reference (1985). */
export const isapcMachine: MachineType = defineMachine<PcProps>({
  ...common,
  name: "isapc",
  summary: "ISA-only PC",
  maxCpus: 1,
  defaultCpu: "486-x86_64-cpu",
  class: {
    ...data,
    defaultCpus: { x86_64: "486", i386: "486" },
    firmware: { x86_64: "bios.bin", i386: "bios.bin" },
    requires: ["fw_cfg_io", "isa-i8259", "isabus-bridge"],
    uses: [...ISA_PARTS, "isa-ide", "isa-vga"],
  },
  init: (p, m) => new Board(p, m, false).build(),
});
