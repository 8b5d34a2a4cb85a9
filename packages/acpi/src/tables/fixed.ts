import { ascii, concat, le } from "../bytes.ts";
import type { Oem } from "./header.ts";
import { table } from "./header.ts";

/** Bits of the fixed feature flags. Source: ACPI 6.4, table 5-34 "FADT features". */
export const FADT_FLAG = {
  wbinvd: 0x1,
  c1: 0x4,
  sleepButton: 0x20,
  rtcS4: 0x80,
  usePlatformClock: 0x8000,
  forceApicPhysical: 0x80000,
} as const;

/** Fixed hardware, as the first revision of the table describes it. Ports and lengths in bytes. */
export interface FixedHardware {
  readonly sci: number;
  readonly smiCommand: number;
  readonly enable: number;
  readonly disable: number;
  readonly pm1Event: number;
  readonly pm1Control: number;
  readonly timer: number;
  readonly gpe0: number;
  readonly gpe0Length: number;
  /** Index of the century in the clock's memory; 0: none. */
  readonly century: number;
  readonly flags: number;
}

/** Where the firmware's loader puts the addresses of FACS and DSDT in the table of {@link fadt}. */
export const FADT_POINTERS: { readonly facs: number; readonly dsdt: number } = { facs: 36, dsdt: 40 };

/** The table of fixed hardware, revision 1. Source: ACPI 1.0b, 5.2.5 "Fixed ACPI description table". */
export function fadt(oem: Oem, h: FixedHardware): Uint8Array {
  const u16 = (v: number): Uint8Array => le(2, v);
  const u32 = (v: number): Uint8Array => le(4, v);
  return table(
    "FACP",
    1,
    oem,
    u32(0), // FACS and DSDT: linked by the loader
    u32(0),
    Uint8Array.of(1, 0), // interrupt model: dual 8259; no preferred profile
    u16(h.sci),
    u32(h.smiCommand),
    Uint8Array.of(h.enable, h.disable, 0, 0),
    u32(h.pm1Event),
    u32(0),
    u32(h.pm1Control),
    u32(0),
    u32(0),
    u32(h.timer),
    u32(h.gpe0),
    u32(0),
    Uint8Array.of(4, 2, 0, 4, h.gpe0Length, 0, 0, 0),
    u16(0xfff), // no C2, no C3
    u16(0xfff),
    u16(0),
    u16(0),
    Uint8Array.of(0, 0, 0, 0, h.century),
    u16(0),
    Uint8Array.of(0),
    u32(h.flags),
  );
}

/** The structure that firmware and operating system share, 64 bytes on a boundary of 64. Source: ACPI 1.0b, 5.2.6. */
export function facs(): Uint8Array {
  return concat([ascii("FACS", 4), le(4, 64), new Uint8Array(56)]);
}
