import { concat } from "../bytes.ts";
import { AcpiError } from "../errors.ts";

/** A piece of AML byte code: a term, an argument, a list of terms. */
export type Aml = Uint8Array;

/** Several terms as one. */
export const terms: (...parts: readonly Aml[]) => Aml = (...parts) => concat(parts);

/** Prefixes and opcodes that several files need. Source: ACPI 6.4, 20.3 "AML byte stream byte values". */
export const OP = {
  zero: 0x00,
  one: 0x01,
  ones: 0xff,
  root: 0x5c,
  parent: 0x5e,
  dual: 0x2e,
  multi: 0x2f,
  ext: 0x5b,
} as const;

/** An opcode followed by its operands. Opcodes above 255 are the two bytes of an extended one. */
export function op(code: number, ...operands: readonly Aml[]): Aml {
  const head = code > 0xff ? Uint8Array.of(code >>> 8, code & 0xff) : Uint8Array.of(code);
  return concat([head, ...operands]);
}

/** A package: opcode, length, contents. */
export function packaged(code: number, ...contents: readonly Aml[]): Aml {
  const body = concat(contents);
  return op(code, pkgLength(body.length), body);
}

/**
 * The length of a package with `size` bytes of contents; it counts its own bytes too.
 * Source: ACPI 6.4, 20.2.4 "Package length encoding".
 */
export function pkgLength(size: number, self = true): Aml {
  for (const extra of [0, 1, 2, 3]) {
    const total = size + (self ? 1 + extra : 0);
    if (extra === 0) {
      if (total < 0x40) return Uint8Array.of(total);
    } else if (total < 2 ** (4 + 8 * extra)) {
      const bytes = [(extra << 6) | (total & 15)];
      for (let i = 0; i < extra; i++) bytes.push((total >>> (4 + 8 * i)) & 0xff);
      return Uint8Array.from(bytes);
    }
  }
  throw new AcpiError("too-large", `a package of ${size} bytes; AML has packages of up to 2^28 bytes`);
}

/** One segment of a name: four characters, filled up with `_`. Source: ACPI 6.4, 20.2.2 "Name objects encoding". */
export function nameSeg(text: string): Aml {
  if (!/^[A-Z_][A-Z_0-9]{0,3}$/.test(text))
    throw new AcpiError("bad-name", `'${text}' is no AML name: one to four of A-Z, 0-9 and _, the first one no digit`);
  return Uint8Array.from(text.padEnd(4, "_"), (c) => c.charCodeAt(0));
}

/** A name with a path: `\\_SB.PCI0.LNKA`, `^ISA`, `_CRS`. */
export function nameString(text: string): Aml {
  const match = /^(\\|\^*)(.*)$/.exec(text);
  const prefix = Uint8Array.from(match?.[1] ?? "", (c) => c.charCodeAt(0));
  const path = match?.[2] ?? "";
  const segments = path === "" ? [] : path.split(".").map(nameSeg);
  if (segments.length === 0) return concat([prefix, Uint8Array.of(OP.zero)]);
  const head = segments.length === 1 ? [] : segments.length === 2 ? [OP.dual] : [OP.multi, segments.length];
  return concat([prefix, Uint8Array.from(head), ...segments]);
}
