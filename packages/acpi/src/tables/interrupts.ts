import { concat, le } from "../bytes.ts";
import type { Oem } from "./header.ts";
import { table } from "./header.ts";

/** Polarity and trigger mode of an interrupt: as the bus has it, or active high and level-triggered. Source: ACPI 6.4, table 5-26. */
export const MPS_INTI = { bus: 0, activeHighLevel: 0x0d } as const;

/** An entry of the table of interrupt controllers. Source: ACPI 6.4, 5.2.12.2 and on. */
export const madtEntry = {
  localApic: (processorId: number, apicId: number, enabled: boolean): Uint8Array =>
    concat([Uint8Array.of(0, 8, processorId, apicId), le(4, enabled ? 1 : 0)]),
  x2apic: (processorUid: number, apicId: number, enabled: boolean): Uint8Array =>
    concat([Uint8Array.of(9, 16, 0, 0), le(4, apicId), le(4, enabled ? 1 : 0), le(4, processorUid)]),
  ioApic: (id: number, address: number, firstInterrupt: number): Uint8Array =>
    concat([Uint8Array.of(1, 12, id, 0), le(4, address), le(4, firstInterrupt)]),
  /** ISA interrupt `source` is global interrupt `to`. */
  override: (source: number, to: number, flags: number): Uint8Array =>
    concat([Uint8Array.of(2, 10, 0, source), le(4, to), le(2, flags)]),
  /** NMI at LINT `lint` of a processor; 255: of every one. */
  localNmi: (processorId: number, flags: number, lint: number): Uint8Array =>
    concat([Uint8Array.of(4, 6, processorId), le(2, flags), Uint8Array.of(lint)]),
} as const;

/** Interrupt controllers and processors; the machine has two 8259s besides. Source: ACPI 6.4, 5.2.12. */
export function madt(oem: Oem, localApic: number, entries: readonly Uint8Array[]): Uint8Array {
  return table("APIC", 1, oem, le(4, localApic), le(4, 1), ...entries);
}
