import { describe, expect, it } from "vitest";
import { z } from "zod";

import { hartConfig, MODELS } from "../models.ts";
import { extensionProps, commonProps } from "../props.ts";
import { FRAMES } from "./frame.ts";
import { userTargets } from "./index.ts";
import { userConfig, userModels } from "./models.ts";

describe("-cpu in user mode", () => {
  it("makes the harts that machine mode makes", () => {
    for (const model of userModels(64)) {
      const schema = model.flexible ? commonProps.extend(extensionProps.shape) : commonProps;
      expect(userConfig(64, model.name)).toEqual(hartConfig(model, z.parse(schema, {}) as never, 0));
    }
  });
  it("turns extensions on and off, in every spelling", () => {
    expect(userConfig(64, "rv64,zba=off,-zbb,zicboz=on").ext).toMatchObject({
      zba: false,
      zbb: false,
      zicboz: true,
      zbs: true,
    });
    expect(userConfig(64, "rv64,Zicsr=off,f=off,d=off").ext.zicsr).toBe(false);
  });
  it("names what is wrong, and what would be right", () => {
    expect(() => userConfig(64, "nothing")).toThrow(/unknown CPU model 'nothing' for riscv64; there are: any, rv64/);
    expect(() => userConfig(64, "rv64,zzz=on")).toThrow(/no property 'zzz'.*zba/);
    expect(() => userConfig(64, "rv64,zba=maybe")).toThrow(/expected on or off/);
    expect(() => userConfig(64, "sifive-u54,zba=on")).toThrow(/no choice of extensions/);
    expect(() => userConfig(64, "rv64,f=off")).toThrow(/needs f/);
  });
  it("offers models that have atomics only: Linux programs need them", () => {
    for (const { letters } of MODELS.filter((m) => userModels(64).includes(m))) expect(letters ?? "a").toContain("a");
  });
});

describe("what the kernel is told", () => {
  it("the letters of the extensions are AT_HWCAP", () => {
    const letters = (bits: number): string =>
      [..."abcdefghijklmnopqrstuvwxyz"].filter((_, i) => bits & (1 << i)).join("");
    expect(letters(userTargets.riscv64().hwcap)).toBe("acdfim");
    expect(letters(userTargets.riscv64("rv64,d=off,f=off").hwcap)).toBe("acim");
  });
  it("programs that need what the CPU lacks are refused", () => {
    const { elf } = userTargets.riscv64("rv64,c=off,d=off,f=off");
    expect(elf.refuse(1)).toMatch(/compressed/);
    expect(elf.refuse(4)).toMatch(/floating-point/);
    expect(elf.refuse(8)).toMatch(/E base/);
    expect(userTargets.riscv64().elf.refuse(5)).toBeUndefined();
  });
});

describe("signal frames", () => {
  it("have the kernel's offsets", () => {
    // conformance/user/signals.c looks at the same places through the C library's ucontext_t.
    expect(FRAMES[64]).toEqual({
      siginfo: 0,
      ucontext: 128,
      stack: 144,
      mask: 168,
      regs: 304,
      fpregs: 560,
      size: 1088,
    });
  });
});
