import { describe, expect, it } from "vitest";
import { z as zod } from "zod";

import { quickZod, type Zod } from "./quick-schema.ts";

type Z = typeof zod;

/** Schemas of every kind that quick ones know, as packages combine them. */
const SCHEMAS: Readonly<Record<string, (z: Z) => zod.ZodType>> = {
  string: (z) => z.string(),
  "string with limits": (z) => z.string().min(1).max(3),
  "string with a pattern": (z) => z.string().regex(/^[a-z]+$/g, "letters"),
  number: (z) => z.number(),
  "number with limits": (z) => z.number().int().min(-1).max(7),
  int: (z) => z.int().min(0),
  boolean: (z) => z.boolean(),
  unknown: (z) => z.unknown(),
  never: (z) => z.never(),
  literal: (z) => z.literal("a"),
  literals: (z) => z.literal(["a", 1]),
  enum: (z) => z.enum(["a", "on"]),
  "enum of an object": (z) => z.enum({ A: "a", B: "on" }),
  array: (z) => z.array(z.string()).min(1),
  "array of defaults": (z) => z.array(z.string().default("x")),
  record: (z) => z.record(z.string(), z.number()),
  union: (z) => z.union([z.number(), z.string().min(2)]),
  "union of objects": (z) => z.union([z.strictObject({ a: z.string() }), z.looseObject({ a: z.int() })]),
  "optional in a union": (z) => z.union([z.string().optional(), z.number()]).optional(),
  nullable: (z) => z.string().nullable(),
  "nullable default": (z) => z.string().default("d").nullable(),
  "default optional": (z) => z.strictObject({ a: z.string().default("d").optional() }),
  "optional default": (z) => z.strictObject({ a: z.string().optional().default("d") }),
  "strict object": (z) =>
    z.strictObject({ a: z.string(), b: z.number().optional(), c: z.boolean().default(true), d: z.unknown() }),
  "loose object": (z) => z.looseObject({ a: z.string().optional(), n: z.int().default(3) }),
  "object that drops": (z) => z.object({ a: z.string().optional() }),
  "made strict": (z) => z.looseObject({ a: z.string().optional() }).strict(),
  "strict made strict": (z) => z.strictObject({ a: z.string().optional() }).strict(),
  "nothing inside": (z) => z.strictObject({ a: z.unknown(), b: z.unknown().optional() }),
  prefault: (z) => z.strictObject({ a: z.strictObject({ b: z.string().default("x") }).prefault({}) }),
  "default of an object": (z) => z.looseObject({ a: z.string() }).default({ a: "q" }),
  refine: (z) => z.strictObject({ a: z.string().optional() }).refine((v) => v.a !== "on", "not on"),
  transform: (z) =>
    z.union([z.boolean(), z.string()]).transform((value, ctx) => {
      if (value === "on" || value === true) return true;
      ctx.issues.push({ code: "custom", input: value, message: "expected on" });
      return z.NEVER;
    }),
  "transform, then optional": (z) => z.strictObject({ a: z.string().transform(Number).optional() }),
  preprocess: (z) => z.preprocess((v) => (v === "on" ? "a" : v), z.enum(["a", "b"])),
  "preprocess inside": (z) => z.strictObject({ a: z.preprocess((v) => v ?? "a", z.string()) }),
  "preprocess with a default": (z) => z.strictObject({ a: z.preprocess((v) => v, z.string()).default("p") }),
  described: (z) => z.string().optional().describe("words").meta({ title: "t" }).register(z.globalRegistry, { id: "" }),
  "a method that only zod has": (z) => z.strictObject({ a: z.string() }).partial().extend({ b: z.number() }),
};

const VALUES: readonly unknown[] = [
  ...[undefined, null, true, "", "a", "on", "abcd", "7", 0, 1, -1, 1.5, 2 ** 60, NaN, Infinity, 3n, [], {}],
  ...[["a"], ["a", 1], [undefined], { a: "a" }, { a: 1 }, { a: undefined }, { a: null }, { a: "on" }, { b: 2 }],
  ...[{ a: "a", b: 1 }, { a: "a", b: "x" }, { a: "a", x: 1 }, { a: "a", c: false, d: 1 }, { a: { b: "y" } }, { n: 9 }],
  ...[
    { a: "a", d: undefined },
    { a: "a", d: 1, b: undefined },
    { a: { z: 1 } },
    new Date(0),
    Object.create({ a: "a" }),
  ],
  ...[JSON.parse('{"__proto__": 1, "a": "a"}'), { [Symbol("s")]: 1 }, new Map([["a", 1]])],
];

describe("quick schemas", () => {
  it.each(Object.keys(SCHEMAS))("%s: give what zod gives", (name) => {
    const make = SCHEMAS[name]!;
    const [quick, whole] = [make(quickZod(() => zod as unknown as Zod) as unknown as Z), make(zod)];
    for (const value of VALUES) {
      const [ours, theirs] = [quick.safeParse(value), whole.safeParse(value)];
      expect(ours.success, String(value)).toBe(theirs.success);
      expect(ours.data, String(value)).toStrictEqual(theirs.data);
      expect(ours.error?.issues).toEqual(theirs.error?.issues);
      if (theirs.success) expect(quick.parse(value)).toStrictEqual(theirs.data);
      else expect(() => quick.parse(value)).toThrow(theirs.error.message);
    }
  });

  it("take what is right without zod", () => {
    const z = quickZod(() => {
      throw new Error("loaded");
    }) as unknown as Z;
    const flag = z.union([z.boolean(), z.string()]).transform((v) => v === true || v === "on");
    const options = z.strictObject({
      name: z
        .string()
        .regex(/^[a-z]/)
        .optional()
        .describe("a name"),
      mode: z.preprocess((v) => v, z.enum(["a", "b"])).default("b"),
      cache: z.strictObject({ direct: flag.default(false) }).prefault({}),
    });
    expect(options.strict().parse({ name: "x" })).toEqual({ name: "x", mode: "b", cache: { direct: false } });
    expect(Object.keys(options.shape)).toEqual(["name", "mode", "cache"]);
    expect(() => options.parse({ other: 1 })).toThrow("loaded");
  });

  it("are schemas of zod to all else", () => {
    const z = quickZod(() => zod as unknown as Zod) as unknown as Z;
    const inner = z.strictObject({ a: z.string().default("q") });
    expect(zod.strictObject({ inner }).parse({ inner: {} })).toEqual({ inner: { a: "q" } });
    expect(inner instanceof zod.ZodObject).toBe(true);
    expect(inner.def.type).toBe("object");
    expect(z.toJSONSchema(inner, { io: "input" })).toEqual(
      zod.toJSONSchema(zod.strictObject({ a: zod.string().default("q") }), { io: "input" }),
    );
    expect(z.string().meta({ title: "t" }).meta()).toEqual({ title: "t" });
    const registered = z.number().register(z.globalRegistry, { title: "n" });
    expect(registered.meta()).toEqual({ title: "n" });
  });
});
