import { acpiFiles, FADT_FLAG, facs, fadt, hpetTable, madt, madtEntry, MPS_INTI, waet } from "@mimus/acpi";
import type { AcpiFiles, Oem } from "@mimus/acpi";
import { APIC_BASE, HPET_BASE, IOAPIC_BASE } from "../memmap.ts";
import type { AcpiMachine } from "./dsdt.ts";
import { dsdt } from "./dsdt.ts";

/** Where firmware puts PIIX4's registers, and what is at fixed ports. Source: SeaBIOS, "Power management"; `info mtree` of QEMU 7.2. */
const PM = { base: 0x600, gpe0: 0xafe0, smiCommand: 0xb2, enable: 0xf1, disable: 0xf0 } as const;
/** ISA lines that PCI interrupts share: level-triggered, active high. */
const PCI_LINES = [5, 9, 10, 11];
const HPET_ID = 0x8086a201;
/** Above this many processors logical destinations do not name every one. */
const LOGICAL_MAX = 8;

/** The ACPI tables of a PC with PCI, as files for its firmware. `extra` are the user's own tables. */
export function pcTables(oem: Oem, m: AcpiMachine, extra: readonly Uint8Array[]): AcpiFiles {
  return acpiFiles(oem, {
    facs: facs(),
    dsdt: dsdt(oem, m),
    fadt: fadt(oem, {
      sci: 9,
      smiCommand: PM.smiCommand,
      enable: PM.enable,
      disable: PM.disable,
      pm1Event: PM.base,
      pm1Control: PM.base + 4,
      timer: PM.base + 8,
      gpe0: PM.gpe0,
      gpe0Length: 4,
      century: 0x32,
      flags:
        FADT_FLAG.wbinvd |
        FADT_FLAG.c1 |
        FADT_FLAG.sleepButton |
        FADT_FLAG.rtcS4 |
        FADT_FLAG.usePlatformClock |
        (m.apicIds.length > LOGICAL_MAX ? FADT_FLAG.forceApicPhysical : 0),
    }),
    others: [
      madt(oem, APIC_BASE, [
        ...m.apicIds.map((id, i) => (id < 255 ? madtEntry.localApic(i, id, true) : madtEntry.x2apic(i, id, true))),
        madtEntry.ioApic(0, IOAPIC_BASE, 0),
        madtEntry.override(0, 2, MPS_INTI.bus),
        ...PCI_LINES.map((line) => madtEntry.override(line, line, MPS_INTI.activeHighLevel)),
        madtEntry.localNmi(0xff, MPS_INTI.bus, 1),
      ]),
      ...(m.hpet ? [hpetTable(oem, HPET_ID, HPET_BASE)] : []),
      waet(oem),
      ...extra,
    ],
  });
}
