import { describe, expect, test } from "vitest";
import { openPmp, RAM, SmallHart } from "../../tests/small-hart.ts";

const V = 1n, R = 2n, W = 4n, X = 8n, U = 16n, A = 64n, D = 128n; // prettier-ignore
const LOAD = 0, STORE = 1, FETCH = 2; // prettier-ignore
const MMU = { U: 0, S: 1, SUM: 2, M: 3 };

const page = (n: number): number => RAM + n * 4096;
const pte = (address: number, flags: bigint): bigint => ((BigInt(address) >> 12n) << 10n) | flags;

/** Tables at page 1 (root), 2, 3, … so that `va` maps to page 16 with `flags`; leaf at `leafLevel`. */
function mapped(mode: number, levels: number, va: bigint, flags: bigint, leafLevel = 0, target = page(16)): SmallHart {
  const h = new SmallHart();
  openPmp(h);
  for (let level = levels - 1; level >= leafLevel; level--) {
    const index = Number((va >> BigInt(12 + 9 * level)) & 0x1ffn);
    const table = page(levels - level);
    h.poke(table + 8 * index, level === leafLevel ? pte(target, flags) : pte(page(levels - level + 1), V));
  }
  h.setCsr(0x180, (BigInt(mode) << 60n) | (BigInt(page(1)) >> 12n));
  h.take();
  return h;
}

describe("RV64 modes", () => {
  test.each([
    ["sv39", 8, 3, 0x3f_ffff_f000n & 0x3f_7654_3000n],
    ["sv39 upper half", 8, 3, 0xffff_ffc0_1234_5000n],
    ["sv48", 9, 4, 0x7abc_def0_1000n],
    ["sv48 upper half", 9, 4, 0xffff_8000_1234_5000n],
    ["sv57", 10, 5, 0xab_cdef_0123_4000n],
    ["sv57 upper half", 10, 5, 0xff00_0000_1234_5000n],
  ])("%s maps a page", (_name, mode, levels, va) => {
    const h = mapped(mode, levels, va, V | R | W | X | A | D);
    expect(h.walk(va + 0x123n, LOAD, MMU.S)).toBe(`0x${(page(16) + 0x123).toString(16)} rwx`);
    expect(h.out.pageBits).toBe(12);
  });

  test.each([
    [8, 3, 1, 21],
    [8, 3, 2, 30],
    [9, 4, 3, 39],
    [10, 5, 4, 48],
  ])("mode %i: a superpage at level %i of %i", (mode, levels, leaf, bits) => {
    const va = 0x0012_3456_7000n & ((1n << BigInt(12 + 9 * levels - 1)) - 1n);
    const target = 2 ** 40 - (2 ** 40 % 2 ** bits);
    const h = mapped(mode, levels, va, V | R | A, leaf, bits > 40 ? 0 : target);
    const offset = Number(va & ((1n << BigInt(bits)) - 1n));
    expect(h.walk(va, LOAD, MMU.S)).toBe(`0x${((bits > 40 ? 0 : target) + offset).toString(16)} r--`);
    expect(h.out.pageBits).toBe(bits);
  });

  test("a misaligned superpage faults", () => {
    const h = mapped(8, 3, 0x20_0000n, V | R | A, 1, page(17));
    expect(h.walk(0x20_0000n, LOAD, MMU.S)).toBe("fault 13");
  });

  test.each([
    [8, 1n << 38n],
    [8, 0xffff_ff80_0000_0000n],
    [9, 1n << 47n],
    [10, 1n << 56n],
  ])("mode %i: %x is not canonical", (mode, va) => {
    const h = mapped(mode, mode - 5, 0n, V | R | A);
    expect(h.walk(va, LOAD, MMU.S)).toBe("fault 13");
    expect(h.hart.bits64(864)).toBe(va);
  });

  test.each([
    ["invalid", R | W | A | D],
    ["writable but not readable", V | W | A | D],
    ["a pointer at the last level", V],
    ["a reserved bit", V | R | A | (1n << 54n)],
    ["the Svnapot bit", V | R | A | (1n << 63n)],
  ])("%s faults", (_name, flags) => {
    expect(mapped(8, 3, 0x1000n, flags).walk(0x1000n, LOAD, MMU.S)).toBe("fault 13");
  });

  test("a pointer with A, D or U set faults", () => {
    for (const flag of [A, D, U]) {
      const h = mapped(8, 3, 0x1000n, V | R | A);
      h.poke(page(1), pte(page(2), V | flag));
      expect(h.walk(0x1000n, LOAD, MMU.S)).toBe("fault 13");
    }
  });

  test("a table outside memory is an access fault of the access's kind", () => {
    const h = mapped(8, 3, 0x1000n, V | R | A);
    h.poke(page(1), pte(0x1000, V));
    expect(h.walk(0x1000n, LOAD, MMU.S)).toBe("fault 5");
    expect(h.walk(0x1000n, STORE, MMU.S)).toBe("fault 7");
    expect(h.walk(0x1000n, FETCH, MMU.S)).toBe("fault 1");
    h.poke(page(1), (0xfff_ffff_ffffn << 10n) | V);
    expect(h.walk(0x1000n, LOAD, MMU.S)).toBe("fault 5");
  });

  test("M-mode and Bare are not translated", () => {
    const h = mapped(8, 3, 0x1000n, 0n);
    expect(h.walk(0x8000_0123n, LOAD, MMU.M)).toBe("0x80000123 rwx");
    h.setCsr(0x180, 0n);
    expect(h.walk(0x8000_0123n, STORE, MMU.S)).toBe("0x80000123 rwx");
    expect(h.walk(1n << 60n, LOAD, MMU.S)).toBe("fault 5");
  });
});

describe("permissions", () => {
  const walkAll = (flags: bigint, mmu: number, prepare?: (h: SmallHart) => void): string => {
    const h = mapped(8, 3, 0x5000n, flags);
    prepare?.(h);
    return [LOAD, STORE, FETCH]
      .map((a) => (h.walk(0x5000n, a as 0, mmu).startsWith("fault") ? "-" : "rwx"[a]))
      .join("");
  };
  const mxr = (h: SmallHart): void => h.setCsr(0x300, 1n << 19n);
  test.each([
    ["S reads, writes and runs its own page", V | R | W | X | A | D, MMU.S, "rwx"],
    ["S can't touch a user page", V | R | W | X | U | A | D, MMU.S, "---"],
    ["S with SUM reads and writes it, never runs it", V | R | W | X | U | A | D, MMU.SUM, "rw-"],
    ["U can't touch a supervisor page", V | R | W | X | A | D, MMU.U, "---"],
    ["U has its own", V | R | W | X | U | A | D, MMU.U, "rwx"],
    ["read-only", V | R | A | D, MMU.S, "r--"],
    ["execute-only", V | X | A | D, MMU.S, "--x"],
    ["readable and executable", V | R | X | A, MMU.S, "r-x"],
  ])("%s", (_name, flags, mmu, expected) => {
    expect(walkAll(flags, mmu)).toBe(expected);
  });
  test("MXR makes execute-only pages readable", () => {
    expect(walkAll(V | X | A, MMU.S, mxr)).toBe("r-x");
  });
});

describe("accessed and dirty", () => {
  test("a load sets A, and grants no write until a store set D", () => {
    const h = mapped(8, 3, 0x1000n, V | R | W);
    const leaf = page(3) + 8;
    expect(h.walk(0x1000n, LOAD, MMU.S)).toMatch(/ r--$/);
    expect(h.peek(leaf) & 0xffn).toBe(V | R | W | A);
    expect(h.walk(0x1000n, STORE, MMU.S)).toMatch(/ rw-$/);
    expect(h.peek(leaf) & 0xffn).toBe(V | R | W | A | D);
  });
  test("a refused store changes nothing", () => {
    const h = mapped(8, 3, 0x1000n, V | R);
    expect(h.walk(0x1000n, STORE, MMU.S)).toBe("fault 15");
    expect(h.peek(page(3) + 8) & 0xffn).toBe(V | R);
  });
  test("the update needs write permission of PMP for the table", () => {
    const h = mapped(8, 3, 0x1000n, V | R);
    // Entry 0: page 3 (the last table) read-only; entry 1: everything.
    h.setCsr(0x3a0, 0n);
    h.setCsr(0x3b0, BigInt(page(3)) / 4n + 0x1ffn);
    h.setCsr(0x3b1, -1n);
    h.setCsr(0x3a0, 0x1f19n);
    expect(h.walk(0x1000n, LOAD, MMU.S)).toBe("fault 5");
    h.poke(page(3) + 8, pte(page(16), V | R | A));
    expect(h.walk(0x1000n, LOAD, MMU.S)).toMatch(/ r--$/);
  });
});

describe("Sv32", () => {
  const sv32 = (root: bigint, leaf: bigint): SmallHart => {
    const h = new SmallHart(32);
    openPmp(h);
    h.ram.setUint32(0x1000 + 4 * 0x3ff, Number(root), true);
    h.ram.setUint32(0x2000 + 4 * 0x2aa, Number(leaf), true);
    h.setCsr(0x180, 0x8000_0000n | (BigInt(page(1)) >> 12n));
    return h;
  };
  const va = (0x3ffn << 22n) | (0x2aan << 12n) | 0x678n;
  test("two levels, 34-bit physical addresses", () => {
    const h = sv32(pte(page(2), V), (0x3f_ffffn << 10n) | V | R | A);
    expect(h.walk(va, LOAD, MMU.S)).toBe("0x3fffff678 r--");
  });
  test("a 4 MiB superpage, aligned or not", () => {
    expect(sv32(pte(0x8040_0000, V | R | A), 0n).walk(va, LOAD, MMU.S)).toBe(
      `0x${(0x8040_0000 + 0x2aa678).toString(16)} r--`,
    );
    expect(sv32(pte(0x8040_1000, V | R | A), 0n).walk(va, LOAD, MMU.S)).toBe("fault 13");
  });
});
