import { describe, expect, test } from "vitest";
import { openPmp, RAM, SmallHart } from "../../tests/small-hart.ts";
import { cacheBlock } from "./cache-block.ts";
import { sfenceVma } from "./fence.ts";

const U = 0, S = 1; // prettier-ignore

describe("sfence.vma", () => {
  const ALL = 0x12000073, ONE = 0x12050073; // prettier-ignore
  test("flushes everything, or one page", () => {
    const h = new SmallHart();
    sfenceVma(h.hart, ALL, 0, 0);
    sfenceVma(h.hart, ONE, 0x5000, 0x12);
    expect(h.take()).toEqual(["flush 111", "page 12:5000"]);
  });
  test("is illegal in U, and in S under TVM", () => {
    const h = new SmallHart();
    h.hart.setPriv(U);
    sfenceVma(h.hart, ALL, 0, 0);
    expect(h.fault()).toBe(2);
    h.hart.setPriv(S);
    sfenceVma(h.hart, ALL, 0, 0);
    expect(h.fault()).toBeUndefined();
    h.setCsr(0x300, 1n << 20n);
    sfenceVma(h.hart, ALL, 0, 0);
    expect(h.fault()).toBe(2);
  });
});

describe("cache-block operations", () => {
  const CLEAN = 0x0010_200f, INVAL = 0x0000_200f; // prettier-ignore
  const make = (): SmallHart => {
    const h = new SmallHart(64, { zicbom: "on", zicboz: "on" });
    openPmp(h);
    return h;
  };
  test("need their bit of menvcfg below M, and of senvcfg in U", () => {
    const h = make();
    cacheBlock(h.hart, CLEAN, RAM | 0, 0);
    expect(h.fault()).toBeUndefined();
    h.hart.setPriv(S);
    cacheBlock(h.hart, CLEAN, RAM | 0, 0);
    expect(h.fault()).toBe(2);
    h.setCsr(0x30a, 0x40n);
    cacheBlock(h.hart, CLEAN, RAM | 0, 0);
    expect(h.fault()).toBeUndefined();
    cacheBlock(h.hart, INVAL, RAM | 0, 0);
    expect(h.fault()).toBe(2);
    h.hart.setPriv(U);
    cacheBlock(h.hart, CLEAN, RAM | 0, 0);
    expect(h.fault()).toBe(2);
    h.setCsr(0x10a, 0x40n);
    cacheBlock(h.hart, CLEAN, RAM | 0, 0);
    expect(h.fault()).toBeUndefined();
  });
  test("fault as stores do", () => {
    const h = make();
    h.setCsr(0x180, (8n << 60n) | (BigInt(RAM) >> 12n));
    h.setCsr(0x30a, 0x40n);
    h.hart.setPriv(S);
    cacheBlock(h.hart, CLEAN, 0x1000, 0);
    expect(h.fault()).toBe(15);
  });
});
