import { z } from "zod";

/** Parses QEMU's number syntax: decimal or `0x` hexadecimal, optional minus; undefined when it is something else. */
export function parseNumber(text: string): number | undefined {
  const t = text.trim();
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(t)) return undefined;
  const negative = t.startsWith("-");
  const n = Number(t.replace(/^[+-]/, ""));
  if (!Number.isSafeInteger(n)) return undefined;
  return negative && n !== 0 ? -n : n;
}

const SUFFIX: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** Bytes of a size text such as `512`, `64K`, `1.5G`, `0x1000`; undefined when it is not one. Suffixes are powers of 1024; a fraction needs one. */
export function parseSize(text: string): number | undefined {
  const t = text.trim();
  const plain = parseNumber(t);
  if (plain !== undefined) return plain < 0 ? undefined : plain;
  const match = /^([0-9]+(?:\.[0-9]+(?=[kmgtp]))?)([bkmgtp]?)$/i.exec(t);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * SUFFIX[match[2]!.toLowerCase()]!;
  const rounded = Math.round(bytes);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** The boolean of `on`/`off`, `yes`/`no`, `true`/`false`, `y`/`n`; undefined when it is none of them. */
export function parseOnOff(text: string): boolean | undefined {
  if (text === "on" || text === "yes" || text === "true" || text === "y") return true;
  if (text === "off" || text === "no" || text === "false" || text === "n") return false;
  return undefined;
}

/** What a command line or JSON gives; one schema that all of these begin with. */
const numberOrText = z.union([z.number(), z.string()]);
const flagOrText = z.union([z.boolean(), z.string()]);

function number(
  type: string,
  min: number,
  max: number,
  parse: (text: string) => number | undefined,
  wanted: string,
): z.ZodType<number, number | string> {
  return numberOrText
    .transform((value, ctx) => {
      const n = typeof value === "number" ? value : parse(value);
      if (n !== undefined && Number.isInteger(n) && n >= min && n <= max) return n;
      ctx.issues.push({ code: "custom", input: value, message: `expected ${wanted}` });
      return z.NEVER;
    })
    .register(z.globalRegistry, { qomType: type });
}

/** Bytes: a number or a text with a suffix K, M, G, T (powers of 1024). */
export const size: z.ZodType<number, number | string> = number(
  "size",
  0,
  Number.MAX_SAFE_INTEGER,
  parseSize,
  "a size in bytes such as 65536, 64K, 512M or 1G",
);
/** 0..255, as a number or a decimal or hexadecimal text. */
export const u8: z.ZodType<number, number | string> = number("uint8", 0, 0xff, parseNumber, "an integer 0..255");
/** 0..65535. */
export const u16: z.ZodType<number, number | string> = number("uint16", 0, 0xffff, parseNumber, "an integer 0..65535");
/** 0..2^32-1. */
export const u32: z.ZodType<number, number | string> = number(
  "uint32",
  0,
  0xffffffff,
  parseNumber,
  "an integer 0..4294967295",
);
/** 0..2^53-1: a 64-bit property as far as numbers are exact. */
export const u64: z.ZodType<number, number | string> = number(
  "uint64",
  0,
  Number.MAX_SAFE_INTEGER,
  parseNumber,
  "an integer 0..2^53-1",
);
/** -2^31..2^31-1. */
export const i32: z.ZodType<number, number | string> = number(
  "int32",
  -0x80000000,
  0x7fffffff,
  parseNumber,
  "an integer -2147483648..2147483647",
);
/** A number written in hexadecimal, with or without `0x`; a JSON number is taken as it is. */
export const hex: z.ZodType<number, number | string> = number(
  "hex",
  0,
  Number.MAX_SAFE_INTEGER,
  (text) => (/^(0[xX])?[0-9a-fA-F]+$/.test(text) ? Number.parseInt(text, 16) : undefined),
  "a hexadecimal number",
);
/** The name that a user gives to a device, an object, a drive. */
export const identifier: z.ZodString = z
  .string()
  .regex(/^[a-z][\w.-]*$/i, "expected an identifier: letters, digits, '-', '.' and '_' behind a letter");
/** A boolean, or `on`/`off`, `yes`/`no`, `true`/`false`. */
export const onOff: z.ZodType<boolean, boolean | string> = flagOrText
  .transform((value, ctx) => {
    const flag = typeof value === "boolean" ? value : parseOnOff(value);
    if (flag !== undefined) return flag;
    ctx.issues.push({ code: "custom", input: value, message: "expected on or off" });
    return z.NEVER;
  })
  .register(z.globalRegistry, { qomType: "bool" });
/** `"on"`, `"off"` or `"auto"`; booleans are taken as on and off. */
export const onOffAuto: z.ZodType<"on" | "off" | "auto", boolean | string> = flagOrText
  .transform((value, ctx): "on" | "off" | "auto" => {
    if (value === "auto") return "auto";
    const flag = typeof value === "boolean" ? value : parseOnOff(value);
    if (flag !== undefined) return flag ? "on" : "off";
    ctx.issues.push({ code: "custom", input: value, message: "expected on, off or auto" });
    return z.NEVER;
  })
  .register(z.globalRegistry, { qomType: "OnOffAuto" });
