import { concat, le } from "../bytes.ts";
import { AcpiError } from "../errors.ts";
import type { Aml } from "./encode.ts";
import { nameString, OP, op, packaged } from "./encode.ts";

/** An integer in its shortest form, 0..2^53. Source: ACPI 6.4, 20.2.3 "Data objects encoding". */
export function integer(value: number): Aml {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new AcpiError("bad-value", `${value} is no AML integer: expected 0 to 2^53`);
  if (value <= 1) return Uint8Array.of(value === 0 ? OP.zero : OP.one);
  const [prefix, size] =
    value < 2 ** 8 ? [0x0a, 1] : value < 2 ** 16 ? [0x0b, 2] : value < 2 ** 32 ? [0x0c, 4] : [0x0e, 8];
  return concat([Uint8Array.of(prefix), le(size, value)]);
}

/** All bits set. */
export const ones: Aml = Uint8Array.of(OP.ones);

/** ASCII text. */
export function string(text: string): Aml {
  if (!/^[\x20-\x7e]*$/.test(text))
    throw new AcpiError("bad-value", `'${text}' is no AML string: expected printable ASCII`);
  return concat([Uint8Array.of(0x0d), Uint8Array.from(`${text}\0`, (c) => c.charCodeAt(0))]);
}

/** A buffer with the given contents. */
export function buffer(bytes: Uint8Array): Aml {
  return packaged(0x11, integer(bytes.length), bytes);
}

/** A package of values; numbers and texts stand for themselves, names as `ref`. */
export function pkg(...elements: readonly (Aml | number | string)[]): Aml {
  return packaged(0x12, Uint8Array.of(elements.length), ...elements.map(value));
}

/** A value as an operand: numbers and texts stand for themselves. */
export function value(v: Aml | number | string): Aml {
  return typeof v === "number" ? integer(v) : typeof v === "string" ? string(v) : v;
}

/** The object of that name. */
export const ref: (name: string) => Aml = nameString;

/** A compressed identification such as `PNP0A03`. Source: ACPI 6.4, 19.6.37 "EISAID". */
export function eisaId(text: string): Aml {
  if (!/^[A-Z]{3}[0-9A-F]{4}$/.test(text))
    throw new AcpiError(
      "bad-value",
      `'${text}' is no EISA identification: expected three letters and four hexadecimal digits`,
    );
  const letter = (i: number): number => (text.charCodeAt(i) - 0x40) & 31;
  const digits = Number.parseInt(text.slice(3), 16);
  const high = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  return concat([Uint8Array.of(0x0c, high >>> 8, high & 0xff, digits >>> 8, digits & 0xff)]);
}

/** Does nothing. */
export const noop: Aml = op(0xa3);
