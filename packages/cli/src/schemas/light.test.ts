import { describe, expect, it, vi } from "vitest";
import { z as zod } from "zod";

import { makers } from "./light.ts";

// From its sources the command has no zod.js beside it.
vi.mock("node:module", () => ({ createRequire: () => () => ({ ...zod }) }));

type Z = typeof zod;
const light = makers as unknown as Z;

const onOff = (z: Z): unknown =>
  z.union([z.boolean(), z.string()]).transform((v, ctx) => {
    if (typeof v === "boolean") return v;
    if (v === "on" || v === "off") return v === "on";
    ctx.issues.push({ code: "custom", input: v, message: "expected on or off" });
    return zod.NEVER;
  });

const SCHEMAS: Readonly<Record<string, (z: Z) => unknown>> = {
  string: (z) => z.string(),
  "string of a pattern": (z) =>
    z
      .string()
      .regex(/^[a-z]+$/, "letters")
      .max(5),
  "string or nothing": (z) => z.string().min(1).optional(),
  int: (z) => z.int().min(1).max(9),
  number: (z) => z.number().min(0),
  "whole number": (z) => z.number().int().default(7),
  "on or off": onOff,
  "on or off, off": (z) => (onOff(z) as ReturnType<Z["string"]>).default("off"),
  enum: (z) => z.enum(["a", "on", "x"]).default("a"),
  "enum without a member": (z) => z.enum(["a", "on", "x"]).exclude(["x"]).optional(),
  literal: (z) => z.union([z.literal("auto"), z.boolean()]).default("auto"),
  anything: (z) => z.unknown().optional(),
  nullable: (z) => z.string().nullable(),
  "default that is optional": (z) => z.string().default("d").optional(),
  list: (z) => z.array(z.string()).default(["a"]),
  record: (z) => z.record(z.string(), z.array(z.string().min(1))).default({}),
  refined: (z) => z.string().refine((v) => v.length % 2 === 1, "odd"),
  preprocessed: (z) => z.preprocess((v) => (v === "off" ? "ignore" : v), z.enum(["ignore", "on"])).default("ignore"),
  object: (z) => z.object({ a: z.string().optional(), b: z.int().default(3) }),
  strict: (z) => z.strictObject({ a: z.string().optional(), b: z.int().default(3) }),
  loose: (z) => z.looseObject({ a: z.string(), b: z.unknown().optional() }),
  larger: (z) => z.object({ a: z.string() }).extend({ b: z.int().optional() }),
  "larger, strict": (z) => z.object({ a: z.string() }).safeExtend({ b: z.int().optional() }).strict(),
  nested: (z) =>
    z.strictObject({ a: z.strictObject({ b: z.boolean().default(false) }).prefault({}), c: z.string().optional() }),
  dates: (z) => z.date().optional(),
  "of parts": (z) =>
    z.discriminatedUnion("a", [z.object({ a: z.literal("on"), b: z.int() }), z.object({ a: z.literal("x") })]),
};

const SCALARS: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    false,
    0,
    1,
    7.5,
    10,
    Number.NaN,
    Infinity,
    2 ** 53,
    "",
    "a",
    "on",
    "off",
    "auto",
    "x",
    "ignore",
  ],
  ...["d", "ab", "abcdef", "A", [], ["a"], ["a", 1], [""], new Date(0), () => 1, Symbol.iterator, 5n],
];
const VALUES: readonly unknown[] = [
  ...SCALARS,
  {},
  Object.create({ a: "x" }) as unknown,
  new Map([["a", "x"]]),
  JSON.parse('{"__proto__": {"a": "x"}, "a": "on"}') as unknown,
  ...SCALARS.flatMap((v) => [
    { a: v },
    { a: "x", b: v },
    { a: "on", b: v },
    { b: v },
    { a: { b: v } },
    { a: "x", c: v },
  ]),
];

interface Parsed {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: { readonly issues: unknown };
}

describe("schemas without zod answer as zod does", () => {
  it.each(Object.keys(SCHEMAS))("%s", (name) => {
    const [theirs, ours] = [zod, light].map((z) => SCHEMAS[name]?.(z) as { safeParse(v: unknown): Parsed });
    for (const value of VALUES) {
      const [a, b] = [theirs?.safeParse(value), ours?.safeParse(value)];
      expect([b?.success, b?.error?.issues]).toEqual([a?.success, a?.error?.issues]);
      expect(b?.data).toStrictEqual(a?.data);
      if (typeof a?.data === "object" && a.data !== null)
        expect(Object.keys(b?.data as object)).toEqual(Object.keys(a.data));
    }
  });
});

it("a default is not shared between parses", () => {
  const schema = light.strictObject({ list: light.array(light.string()).default([]) });
  (schema.parse({}) as { list: string[] }).list.push("x");
  expect(schema.parse({})).toEqual({ list: [] });
});

it("the real schema has what was declared: descriptions, members, its kind", () => {
  const schema = light.strictObject({ a: light.string().optional().describe("an a") });
  expect(schema instanceof zod.ZodObject).toBe(true);
  expect(schema.shape.a.description).toBe("an a");
  expect(zod.toJSONSchema(schema)).toEqual(
    zod.toJSONSchema(zod.strictObject({ a: zod.string().optional().describe("an a") })),
  );
  expect(zod.object({ inner: schema }).safeParse({ inner: { a: "x" } }).success).toBe(true);
});
