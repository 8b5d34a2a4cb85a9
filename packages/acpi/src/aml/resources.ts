import { concat, le } from "../bytes.ts";
import type { Aml } from "./encode.ts";
import { buffer } from "./data.ts";

/** One resource descriptor. Source of the encodings: ACPI 6.4, 6.4 "Resource data types for ACPI". */
export type Resource = Uint8Array;

/** A buffer of descriptors, for `_CRS` and `_PRS`. */
export function resources(...list: readonly Resource[]): Aml {
  // The checksum after the end tag may be 0: it is not checked then.
  return buffer(concat([...list, Uint8Array.of(0x79, 0)]));
}

/** Ports at a fixed place or a range of places; `decode16`: all 16 address lines count. */
export function io(
  min: number,
  length: number,
  { max = min, align = 1, decode16 = true }: { max?: number; align?: number; decode16?: boolean } = {},
): Resource {
  return concat([Uint8Array.of(0x47, decode16 ? 1 : 0), le(2, min), le(2, max), Uint8Array.of(align, length)]);
}

/** ISA interrupt lines, edge-triggered and active high. */
export function irq(...lines: readonly number[]): Resource {
  return concat([Uint8Array.of(0x22), le(2, mask(lines))]);
}

/** ISA DMA channels for bytes, no bus master. */
export function dma(...channels: readonly number[]): Resource {
  return Uint8Array.of(0x2a, mask(channels), 0);
}

const mask = (bits: readonly number[]): number => bits.reduce((all, bit) => all | (1 << bit), 0);

/** Interrupts by global number. */
export function interrupt(
  numbers: readonly number[],
  {
    level = true,
    activeLow = false,
    shared = true,
    consumer = true,
  }: { level?: boolean; activeLow?: boolean; shared?: boolean; consumer?: boolean } = {},
): Resource {
  const flags = (consumer ? 1 : 0) | (level ? 0 : 2) | (activeLow ? 4 : 0) | (shared ? 8 : 0);
  return concat([
    Uint8Array.of(0x89),
    le(2, 2 + 4 * numbers.length),
    Uint8Array.of(flags, numbers.length),
    ...numbers.map((n) => le(4, n)),
  ]);
}

/** Memory at a fixed place below 4 GiB. */
export function memory32Fixed(base: number, size: number, writable = true): Resource {
  return concat([Uint8Array.of(0x86), le(2, 9), Uint8Array.of(writable ? 1 : 0), le(4, base), le(4, size)]);
}

/** Kinds of address space descriptors. */
const TYPE = { memory: 0, io: 1, bus: 2 } as const;
/** Minimum and maximum are fixed, decoding is positive, the device is the producer. */
const FIXED_PRODUCER = 0x0c;

/** A window that a bridge passes on: bus numbers, ports or memory, first and last inclusive. */
export function window(
  kind: "memory" | "io" | "bus",
  size: 2 | 4 | 8,
  first: number,
  last: number,
  { cacheable = false }: { cacheable?: boolean } = {},
): Resource {
  const tag = { 2: 0x88, 4: 0x87, 8: 0x8a }[size];
  // Memory: read and write, cacheable or not. Ports: the whole range.
  const specific = kind === "memory" ? (cacheable ? 2 : 0) | 1 : kind === "io" ? 3 : 0;
  const numbers = [0, first, last, 0, last - first + 1].map((n) => le(size, n));
  return concat([
    Uint8Array.of(tag),
    le(2, 3 + 5 * size),
    Uint8Array.of(TYPE[kind], FIXED_PRODUCER, specific),
    ...numbers,
  ]);
}
