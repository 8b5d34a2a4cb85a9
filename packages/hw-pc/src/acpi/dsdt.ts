import {
  type Aml,
  device,
  eisaId,
  io,
  memory32Fixed,
  name,
  operationRegion,
  pkg,
  resources,
  scope,
  string,
  table,
  window,
} from "@mimus/acpi";
import type { Oem } from "@mimus/acpi";
import { HPET_BASE, IOAPIC_BASE } from "../memmap.ts";
import type { IsaDevices } from "./isa.ts";
import { isaDevices } from "./isa.ts";
import { links, routingTable } from "./routing.ts";

/** What the machine has that its tables describe. */
export interface AcpiMachine {
  readonly isa: IsaDevices;
  readonly hpet: boolean;
  /** Processor numbers by APIC id. */
  readonly apicIds: readonly number[];
  /** First address of PCI memory below 4 GiB, and the window above RAM, if there is one. */
  readonly pciHole: number;
  readonly pciHole64: { readonly base: number; readonly size: number } | undefined;
  readonly disableS3: boolean;
  readonly disableS4: boolean;
}

/** Sleep types of the PIIX4's control register. Source: 82371AB data sheet (1997), 7.2.3 "PMCNTRL"; QEMU's values. */
const SLEEP = { s3: 1, s4: 2, s5: 0 } as const;
/** Ports of the firmware configuration device. */
const FW_CFG = { base: 0x510, size: 12 } as const;
const VGA_MEMORY = { first: 0xa0000, last: 0xbffff } as const;

/** The table of the machine's devices, and how they are driven. Source: ACPI 6.4, 5.2.11.1. */
export function dsdt(oem: Oem, m: AcpiMachine): Uint8Array {
  return table(
    "DSDT",
    1,
    oem,
    scope("\\_SB", device("PCI0", ...hostBridge(m)), processors(m.apicIds)),
    scope("\\_SB.PCI0", device("ISA", name("_ADR", 0x0001_0000), operationRegion("P40C", "pciConfig", 0x60, 4))),
    scope("\\_SB.PCI0.ISA", isaDevices(m.isa)),
    scope("\\_SB", links()),
    scope("\\_SB.PCI0", routingTable()),
    ...(m.hpet ? [scope("\\_SB", hpet())] : []),
    scope("\\_SB.PCI0", fwCfg()),
    ...sleepStates(m),
  );
}

function hostBridge(m: AcpiMachine): Aml[] {
  const above = m.pciHole64;
  return [
    name("_HID", eisaId("PNP0A03")),
    name("_UID", 0),
    name(
      "_CRS",
      resources(
        window("bus", 2, 0, 0xff),
        io(0xcf8, 8, { align: 1 }),
        window("io", 2, 0, 0xcf7),
        window("io", 2, 0xd00, 0xffff),
        window("memory", 4, VGA_MEMORY.first, VGA_MEMORY.last, { cacheable: true }),
        window("memory", 4, m.pciHole, IOAPIC_BASE - 1),
        ...(above === undefined
          ? []
          : [window("memory", 8, above.base, above.base + above.size - 1, { cacheable: true })]),
      ),
    ),
    // Ports that belong to no device of the bus: power management events.
    device(
      "GPE0",
      name("_HID", string("PNP0A06")),
      name("_UID", string("GPE0 resources")),
      name("_STA", 0x0b),
      name("_CRS", resources(io(0xafe0, 4))),
    ),
  ];
}

function hpet(): Aml {
  return device(
    "HPET",
    name("_HID", eisaId("PNP0103")),
    name("_UID", 0),
    name("_STA", 0x0f),
    name("_CRS", resources(memory32Fixed(HPET_BASE, 0x400, false))),
  );
}

function fwCfg(): Aml {
  return device(
    "FWCF",
    name("_HID", string("QEMU0002")),
    name("_STA", 0x0b),
    name("_CRS", resources(io(FW_CFG.base, FW_CFG.size))),
  );
}

/** The processors as devices: their numbers are those of the table of interrupt controllers. */
function processors(apicIds: readonly number[]): Aml {
  return device(
    "CPUS",
    name("_HID", string("ACPI0010")),
    name("_CID", eisaId("PNP0A05")),
    ...apicIds.map((_, i) =>
      device(
        `C${i.toString(16).toUpperCase().padStart(3, "0")}`,
        name("_HID", string("ACPI0007")),
        name("_UID", i),
        name("_STA", 0x0f),
      ),
    ),
  );
}

function sleepStates(m: AcpiMachine): Aml[] {
  const state = (n: number, type: number): Aml => name(`\\_S${n}`, pkg(type, type, 0, 0));
  return [
    ...(m.disableS3 ? [] : [state(3, SLEEP.s3)]),
    ...(m.disableS4 ? [] : [state(4, SLEEP.s4)]),
    state(5, SLEEP.s5),
  ];
}
