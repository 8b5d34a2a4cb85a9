import { type Aml, device, dma, eisaId, io, irq, method, name, resources, returns, string, terms } from "@mimus/acpi";

/** Which ISA devices the tables are to name. */
export interface IsaDevices {
  readonly i8042: boolean;
  readonly rtc: boolean;
  readonly floppy: boolean;
  /** Numbers of the serial ports, from 0. */
  readonly serials: readonly number[];
  readonly parallels: readonly number[];
  readonly pvpanic: boolean;
}

/** Present, decoding, shown, working. */
const PRESENT = 0x0f;
const COM = [
  [0x3f8, 4],
  [0x2f8, 3],
  [0x3e8, 4],
  [0x2e8, 3],
] as const;
const LPT = [
  [0x378, 7],
  [0x278, 5],
  [0x3bc, 5],
] as const;

const present = (): Aml => name("_STA", PRESENT);

/** The devices of the ISA bus, with the ports and lines that they have on every PC. */
export function isaDevices(d: IsaDevices): Aml {
  return terms(
    ...(d.i8042
      ? [
          device(
            "KBD",
            name("_HID", eisaId("PNP0303")),
            present(),
            name("_CRS", resources(io(0x60, 1, { align: 1 }), io(0x64, 1, { align: 1 }), irq(1))),
          ),
          device("MOU", name("_HID", eisaId("PNP0F13")), present(), name("_CRS", resources(irq(12)))),
        ]
      : []),
    ...(d.rtc
      ? [device("RTC", name("_HID", eisaId("PNP0B00")), name("_CRS", resources(io(0x70, 8, { align: 1 }), irq(8))))]
      : []),
    ...(d.floppy
      ? [
          device(
            "FDC0",
            name("_HID", eisaId("PNP0700")),
            method("_STA", 0, false, returns(PRESENT)),
            name("_CRS", resources(io(0x3f2, 4, { align: 0 }), io(0x3f7, 1, { align: 0 }), irq(6), dma(2))),
          ),
        ]
      : []),
    ...d.parallels.map((n) =>
      device(
        `LPT${n + 1}`,
        name("_HID", eisaId("PNP0400")),
        name("_UID", n + 1),
        present(),
        name("_CRS", resources(io(LPT[n]![0], 8, { align: 4 }), irq(LPT[n]![1]))),
      ),
    ),
    ...d.serials.map((n) =>
      device(
        `COM${n + 1}`,
        name("_HID", eisaId("PNP0501")),
        name("_UID", n + 1),
        present(),
        name("_CRS", resources(io(COM[n]![0], 8, { align: 0 }), irq(COM[n]![1]))),
      ),
    ),
    ...(d.pvpanic
      ? [device("PEVT", name("_HID", string("QEMU0001")), present(), name("_CRS", resources(io(0x505, 1))))]
      : []),
  );
}
