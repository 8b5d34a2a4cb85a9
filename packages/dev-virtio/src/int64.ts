import { z } from "zod";

/** A count up to 2^63-1 of which only "more than ever happens" matters above 2^53: larger values are taken as 2^53-1. */
export const int64: z.ZodType<number, number | string> = z
  .union([z.number(), z.string()])
  .transform((value, ctx) => {
    const text = String(value).trim();
    if (/^(?:\d+|0x[\da-f]+)$/i.test(text) && BigInt(text) < 2n ** 63n)
      return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
    ctx.issues.push({ code: "custom", input: value, message: "expected an integer 0..2^63-1" });
    return z.NEVER;
  })
  .meta({ qomType: "uint64" });
