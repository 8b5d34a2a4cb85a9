import { expect, it } from "vitest";
import { z } from "zod";
import { describeProps, helpText, propsJsonSchema } from "./describe.ts";
import { hex, onOff, onOffAuto, parseNumber, parseSize, size, u8 } from "./props.ts";
import { Registry } from "./registry.ts";
import { parseProps } from "./schema.ts";

it("reads numbers and sizes as QEMU writes them", () => {
  expect(["12", "0x1F", "-3", "", "1e3", "0x", "99999999999999999"].map(parseNumber)).toEqual([
    12,
    31,
    -3,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(["512", "1k", "1.5M", "2G", "0x10", "1T", "-1", "1X", "M"].map(parseSize)).toEqual([
    512,
    1024,
    1572864,
    2 ** 31,
    16,
    2 ** 40,
    undefined,
    undefined,
    undefined,
  ]);
});

it("coerces by schema", () => {
  expect(size.parse("64K")).toBe(65536);
  expect(size.parse(5)).toBe(5);
  expect(onOff.parse("yes")).toBe(true);
  expect(onOffAuto.parse(true)).toBe("on");
  expect(hex.parse("ff")).toBe(255);
  expect(() => u8.parse("256")).toThrow(/0..255/);
  expect(() => size.parse(1.5)).toThrow(/such as/);
});

const types = [
  {
    name: "base",
    kind: "device",
    abstract: true,
    props: z.strictObject({ addr: z.string().optional().describe("place"), n: z.int().default(1) }),
  },
  {
    name: "leaf",
    kind: "device",
    parent: "base",
    props: z
      .strictObject({
        n: z.int().min(0).max(3).default(2),
        flag: z.boolean(),
        mode: z.enum(["a", "b"]).default("a").describe("how"),
        mem: size.default(4096),
        drive: z.string().optional().meta({ link: "drive" }),
        opts: z.strictObject({ depth: z.int() }).optional(),
      })
      .refine((p) => p.n !== 3 || p.flag, "n=3 needs flag=on"),
  },
];
const leaf = new Registry().use({ name: "t", types }).require("leaf");

it("merges inherited properties and converts option text", () => {
  expect(parseProps(leaf, { n: "0x3", flag: "on", mem: "1M", addr: "2", opts: { depth: "5" } })).toEqual({
    n: 3,
    flag: true,
    mode: "a",
    mem: 1 << 20,
    addr: "2",
    opts: { depth: 5 },
  });
  const wrong = (raw: Record<string, unknown>): string => {
    try {
      return JSON.stringify(parseProps(leaf, raw, "leaf 'x'"));
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(wrong({ flag: true, n: 3 })).not.toMatch(/needs/);
  expect(wrong({ flag: false, n: 3 })).toBe("leaf 'x': n=3 needs flag=on");
  expect(wrong({ n: 1 })).toMatch(/leaf 'x' needs property 'flag'/);
  expect(wrong({ flag: "maybe" })).toMatch(/'flag' is 'maybe'; expected on or off/);
  expect(wrong({ flag: true, mod: "a" })).toBe("leaf 'x' has no property 'mod'; did you mean 'mode'?");
  expect(wrong({ flag: true, constructor: 1 })).toMatch(/no property 'constructor'/);
});

it("describes properties without an instance", () => {
  expect(describeProps(leaf).map((p) => `${p.name}:${p.type}${p.required ? "!" : ""}`)).toEqual([
    "n:int (0..3)",
    "flag:bool!",
    "mode:a|b",
    "mem:size",
    "drive:str",
    "opts:object",
    "addr:str",
  ]);
  expect(helpText(leaf)).toContain("  mode=<a|b>             - how (default: a)");
  expect(helpText(leaf)).toContain("  drive=<str>            - ID of a drive");
  const schema = propsJsonSchema(leaf) as { properties: Record<string, { default?: unknown }>; required?: string[] };
  expect(schema.required).toEqual(["flag"]);
  expect(schema.properties["mode"]!.default).toBe("a");
});
