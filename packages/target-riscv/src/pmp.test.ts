import { describe, expect, test } from "vitest";
import { RAM, SmallHart } from "../tests/small-hart.ts";

const TOR = 0x08, NA4 = 0x10, NAPOT = 0x18, LOCK = 0x80, R = 1, W = 2, X = 4; // prettier-ignore
const S = 1, M = 3; // prettier-ignore

/** A hart with entries `[cfg, pmpaddr]` from 0 on. */
function withEntries(...entries: readonly (readonly [number, number])[]): SmallHart {
  const h = new SmallHart();
  entries.forEach(([, address], i) => h.setCsr(0x3b0 + i, BigInt(address)));
  let cfg = 0n;
  entries.forEach(([byte], i) => (cfg |= BigInt(byte) << BigInt(8 * i)));
  h.setCsr(0x3a0, cfg);
  return h;
}
const napot = (base: number, size: number): number => (base + size / 2) / 4 - 1;
const rights = (h: SmallHart, address: number, size: number, priv: number): number =>
  h.hart.pmp.permissions(address, size, priv);

describe("matching", () => {
  test("without a match M may do all, S and U nothing", () => {
    const h = withEntries();
    expect(rights(h, RAM, 4, M)).toBe(7);
    expect(rights(h, RAM, 4, S)).toBe(0);
  });
  test.each([
    ["TOR from 0", [[TOR | R, 0x1000 / 4]], 0, 0xfff, 0x1000],
    [
      "TOR between two",
      [
        [0, 0x1000 / 4],
        [TOR | R, 0x2000 / 4],
      ],
      0x1000,
      0x1fff,
      0x2000,
    ],
    ["NA4", [[NA4 | R, 0x1000 / 4]], 0x1000, 0x1003, 0x1004],
    ["NAPOT of 8 bytes", [[NAPOT | R, napot(0x1000, 8)]], 0x1000, 0x1007, 0x1008],
    ["NAPOT of 4 GiB", [[NAPOT | R, napot(2 ** 32, 2 ** 32)]], 2 ** 32, 2 ** 33 - 1, 2 ** 33],
  ] as const)("%s", (_name, entries, first, last, after) => {
    const h = withEntries(...(entries as unknown as [number, number][]));
    expect(rights(h, first, 1, S)).toBe(R);
    expect(rights(h, last, 1, S)).toBe(R);
    expect(rights(h, after, 1, S)).toBe(0);
    if (first > 0) expect(rights(h, first - 1, 1, S)).toBe(0);
  });
  test("an empty TOR range matches nothing", () => {
    const h = withEntries([0, 0x2000 / 4], [TOR | R, 0x1000 / 4]);
    expect(rights(h, 0x1800, 1, S)).toBe(0);
  });
  test("the lowest entry wins, also when it says no", () => {
    const h = withEntries([NAPOT, napot(0x1000, 0x1000)], [NAPOT | R | W | X, -1]);
    expect(rights(h, 0x1000, 4, S)).toBe(0);
    expect(rights(h, 0x2000, 4, S)).toBe(7);
  });
  test("an access that is only partly in the first match fails", () => {
    const h = withEntries([NA4 | R, 0x1000 / 4], [NAPOT | R, -1]);
    expect(rights(h, 0x0ffe, 4, S)).toBe(-1);
    expect(rights(h, 0x1000, 8, S)).toBe(-1);
    expect(rights(h, 0x1000, 4, S)).toBe(R);
  });
  test("the all-ones NAPOT entry covers everything", () => {
    const h = withEntries([NAPOT | 7, -1]);
    expect(rights(h, 0, 4096, S)).toBe(7);
    expect(rights(h, 2 ** 52 - 4096, 4096, S)).toBe(7);
  });
});

describe("locking", () => {
  test("a locked entry binds M-mode and keeps its registers", () => {
    const h = withEntries([LOCK | NAPOT | R, napot(0x1000, 0x1000)]);
    expect(rights(h, 0x1000, 4, M)).toBe(R);
    expect(rights(h, 0x3000, 4, M)).toBe(7);
    h.setCsr(0x3a0, 0n);
    h.setCsr(0x3b0, 0n);
    expect(h.csr(0x3a0)).toBe(BigInt(LOCK | NAPOT | R));
    expect(h.csr(0x3b0)).toBe(BigInt(napot(0x1000, 0x1000)));
  });
  test("a locked TOR entry keeps the address below it", () => {
    const h = withEntries([0, 0x400], [LOCK | TOR | R, 0x800]);
    h.setCsr(0x3b0, 0n);
    expect(h.csr(0x3b0)).toBe(0x400n);
  });
  test("an unlocked entry does not bind M-mode", () => {
    const h = withEntries([NAPOT, napot(0x1000, 0x1000)], [LOCK | NA4, 0x4000 / 4]);
    expect(rights(h, 0x1000, 4, M)).toBe(7);
  });
});

describe("registers", () => {
  test("W without R is reserved", () => {
    const h = withEntries([NAPOT | W | X, 0]);
    expect(h.csr(0x3a0)).toBe(BigInt(NAPOT | X));
  });
  test("pmpaddr holds 54 bits on RV64, 32 on RV32", () => {
    const wide = new SmallHart(64);
    wide.setCsr(0x3b5, -1n);
    expect(wide.csr(0x3b5)).toBe((1n << 54n) - 1n);
    const narrow = new SmallHart(32);
    narrow.setCsr(0x3b5, -1n);
    expect(narrow.csr(0x3b5)).toBe(0xffff_ffffn);
  });
  test("odd pmpcfg registers exist on RV32 only", () => {
    expect(new SmallHart(64).execute(2, 0x3a1, 0n, 0)).toBe("illegal");
    expect(new SmallHart(32).execute(2, 0x3a1, 0n, 0)).toBe(0n);
    expect(new SmallHart(64, { pmp: false }).execute(2, 0x3a0, 0n, 0)).toBe("illegal");
  });
  test("a change flushes, the same value does not", () => {
    const h = withEntries([NAPOT | R, 0]);
    h.take();
    h.setCsr(0x3a0, BigInt(NAPOT | R));
    expect(h.take()).toEqual([]);
    h.setCsr(0x3a0, BigInt(NAPOT | R | X));
    expect(h.take()).toEqual(["flush 1111"]);
  });
  test("a page with mixed rights is judged access by access", () => {
    const h = withEntries([NA4 | R, RAM / 4], [NAPOT | R | W, napot(RAM, 0x1000)]);
    expect(h.walk(BigInt(RAM), 0, S, 4)).toBe("0x80000000 r--");
    expect(h.out.pageBits).toBeLessThan(12);
    expect(h.walk(BigInt(RAM), 1, S, 4)).toBe("fault 7");
    expect(h.walk(BigInt(RAM) + 4n, 1, S, 4)).toBe("0x80000004 rw-");
    expect(h.walk(BigInt(RAM), 0, S, 8)).toBe("fault 5");
  });
});
