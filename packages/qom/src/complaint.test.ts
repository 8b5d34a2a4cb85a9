import { expect, it } from "vitest";
import { z } from "zod";
import { complaint } from "./complaint.ts";
import { u8 } from "./props.ts";

it.each<[z.ZodType, unknown, string]>([
  [z.number(), undefined, "it is missing"],
  [z.coerce.number(), "many", "expected a number"],
  [z.number(), "many", "expected a number"],
  [z.int(), 1.5, "expected a whole number"],
  [z.boolean(), "maybe", "expected on or off"],
  [z.string(), 7, "expected a text"],
  [z.int().min(1), 0, "expected a number, at least 1"],
  [z.int().max(9), 10, "expected a number, at most 9"],
  [z.number().gt(1), 1, "expected a number, more than 1"],
  [z.string().max(2), "abc", "expected a text whose length is at most 2"],
  [z.array(z.number()).min(1), [], "expected a list whose length is at least 1"],
  [z.number().multipleOf(512), 100, "expected a multiple of 512"],
  [z.enum(["on", "off", "auto"]), "no", "expected 'on', 'off' or 'auto'"],
  [z.literal("pci"), "isa", "expected 'pci'"],
  [z.union([z.boolean(), z.literal("auto")]), "x", "expected on or off or 'auto'"],
  [z.string().min(1, "expected the name of a format"), "", "expected the name of a format"],
  [u8, "lots", "expected an integer 0..255"],
])("%#: a wrong value is told in plain words", (schema, value, words) => {
  expect(schema.safeParse(value).error?.issues.map(complaint)).toEqual([words]);
});
