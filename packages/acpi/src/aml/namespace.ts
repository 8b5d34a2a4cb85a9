import { concat, le } from "../bytes.ts";
import type { Aml } from "./encode.ts";
import { nameSeg, nameString, op, packaged, pkgLength } from "./encode.ts";
import { integer, value } from "./data.ts";

/** Source of these encodings: ACPI 6.4, 20.2.5 "Term objects encoding". */

/** Opens an existing scope. */
export const scope = (path: string, ...body: readonly Aml[]): Aml => packaged(0x10, nameString(path), ...body);

/** A device. */
export const device = (name: string, ...body: readonly Aml[]): Aml => packaged(0x5b82, nameString(name), ...body);

/** A named value. */
export const name = (path: string, v: Aml | number | string): Aml => op(0x08, nameString(path), value(v));

/** A method with 0..7 arguments. */
export function method(path: string, args: number, serialized: boolean, ...body: readonly Aml[]): Aml {
  return packaged(0x14, nameString(path), Uint8Array.of((args & 7) | (serialized ? 8 : 0)), ...body);
}

/** Kinds of address spaces of operation regions. */
export const SPACE = { memory: 0, io: 1, pciConfig: 2 } as const;

/** A range of an address space, in bytes. */
export function operationRegion(path: string, space: keyof typeof SPACE, base: number, size: number): Aml {
  return op(0x5b80, nameString(path), Uint8Array.of(SPACE[space]), integer(base), integer(size));
}

/** How a field is accessed, and what happens to bits beside it. */
export interface FieldAccess {
  readonly width: "any" | "byte" | "word" | "dword";
  readonly lock?: boolean;
  readonly update?: "preserve" | "ones" | "zeros";
}

/** Units of a region by name and width in bits; a name of "" leaves bits out. */
export function field(
  region: string,
  access: FieldAccess,
  units: readonly (readonly [name: string, bits: number])[],
): Aml {
  const width = { any: 0, byte: 1, word: 2, dword: 3 }[access.width];
  const update = { preserve: 0, ones: 1, zeros: 2 }[access.update ?? "preserve"];
  const flags = width | (access.lock === true ? 0x10 : 0) | (update << 5);
  const list = units.map(([unit, bits]) =>
    concat([unit === "" ? Uint8Array.of(0) : nameSeg(unit), pkgLength(bits, false)]),
  );
  return packaged(0x5b81, nameString(region), Uint8Array.of(flags), ...list);
}

/** A mutex. */
export const mutex = (path: string, level = 0): Aml => op(0x5b01, nameString(path), Uint8Array.of(level));

/** A 32-bit field of a buffer, at a byte offset. */
export const createDWordField = (buffer: Aml, offset: number, fieldName: string): Aml =>
  op(0x8a, buffer, integer(offset), nameString(fieldName));

/** A processor as older tables declare it: its register block is `length` bytes at port `block`. */
export const processor = (path: string, id: number, block = 0, length = 0, ...body: readonly Aml[]): Aml =>
  packaged(0x5b83, nameString(path), Uint8Array.of(id), le(4, block), Uint8Array.of(length), ...body);
