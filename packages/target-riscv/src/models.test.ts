import { describe, expect, test } from "vitest";
import { isaString, type HartConfig } from "./config.ts";
import { RiscvError } from "./errors.ts";
import { hartConfig, MODELS } from "./models.ts";
import { commonProps, extensionProps } from "./props.ts";

const make = (name: string, xlen: 32 | 64, props: Record<string, unknown> = {}, index = 0): HartConfig => {
  const model = MODELS.find((m) => m.name === name && m.xlen === xlen)!;
  const schema = model.flexible ? commonProps.extend(extensionProps.shape) : commonProps;
  return hartConfig(model, schema.parse(props), index);
};

describe("ISA strings", () => {
  test.each([
    ["rv64", 64, {}, "rv64imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc"],
    ["rv32", 32, {}, "rv32imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc"],
    ["sifive-u54", 64, {}, "rv64imafdc_zicsr_zifencei"],
    ["sifive-e31", 32, {}, "rv32imac_zicsr_zifencei"],
    [
      "rv64",
      64,
      { zba: "off", zbb: "off", zbc: "off", zbs: "off", sstc: "off", Zihintpause: "off", zicboz: "on" },
      "rv64imafdc_zicboz_zicsr_zifencei",
    ],
    [
      "rv32",
      32,
      { e: "on", i: "off", f: "off", d: "off", a: "off" },
      "rv32emc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc",
    ],
    ["rv64", 64, { g: "on", c: "off", m: "off" }, "rv64imafd_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc"],
  ] as const)("%s RV%i %o", (name, xlen, props, expected) => {
    expect(isaString(make(name, xlen, props))).toBe(expected);
  });
  test("the short one", () => {
    expect(isaString(make("rv64", 64), true)).toBe("rv64imafdc");
  });
});

describe("properties", () => {
  test.each([
    [{ f: "off" }, /extension d needs f/],
    [{ Zicsr: "off" }, /extension f needs zicsr/],
    [{ u: "off" }, /extension s needs u/],
    [{ i: "off" }, /exactly one of the properties i and e/],
    [{ cboz_blocksize: 48 }, /cboz_blocksize=48 is not a power of two/],
  ])("%o is refused", (props, message) => {
    expect(() => make("rv64", 64, props)).toThrow(message);
    expect(() => make("rv64", 64, props)).toThrow(RiscvError);
  });
  test("an extension that is not there can only be off", () => {
    expect(() => make("rv64", 64, { v: "on" })).toThrow(/not modelled/);
    expect(make("rv64", 64, { h: "off" }).ext.s).toBe(true);
  });
  test("translation modes", () => {
    expect(make("rv64", 64).paging).toBe("sv57");
    expect(make("rv64", 64, { sv57: "off" }).paging).toBe("sv48");
    expect(make("rv64", 64, { sv48: "off" }).paging).toBe("sv39");
    expect(make("rv64", 64, { mmu: "off" }).paging).toBe("none");
    expect(make("rv32", 32).paging).toBe("sv32");
    expect(make("sifive-e51", 64).paging).toBe("none");
  });
  test("the hart id is the CPU's number unless given", () => {
    expect(make("rv64", 64, {}, 3).hartid).toBe(3);
    expect(make("rv64", 64, { hartid: "0x10" }, 3).hartid).toBe(16);
  });
  test("64-bit numbers become halves", () => {
    expect(make("rv64", 64, { resetvec: "0x123456789a" }).resetVector).toEqual([0x3456789a, 0x12]);
  });
  test("every one has a description", () => {
    for (const [name, schema] of Object.entries({ ...commonProps.shape, ...extensionProps.shape }))
      expect(schema.description ?? "", name).not.toBe("");
  });
});
