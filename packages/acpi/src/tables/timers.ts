import { le } from "../bytes.ts";
import type { Oem } from "./header.ts";
import { table } from "./header.ts";

/** The event timer in memory. Source: IA-PC HPET specification 1.0a, 3.2.4 "The ACPI 2.0 HPET description table". */
export function hpetTable(oem: Oem, blockId: number, address: number): Uint8Array {
  return table(
    "HPET",
    1,
    oem,
    le(4, blockId),
    Uint8Array.of(0, 0, 0, 0),
    le(8, address),
    Uint8Array.of(0),
    le(2, 0),
    Uint8Array.of(0),
  );
}

/** What emulated devices do better than real ones: one read of the PM timer is enough. Source: Microsoft WAET specification 1.0. */
export function waet(oem: Oem): Uint8Array {
  return table("WAET", 1, oem, le(4, 2));
}
