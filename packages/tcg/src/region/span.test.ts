import { expect, test } from "vitest";
import { APART, join, meet, moved, raised, rounded, serves } from "./span.ts";
import type { Span, Wanted } from "./span.ts";

const one = (at: number, bytes: number, write = false, align = 1): Wanted => ({
  low: at, high: at + bytes, write, mmu: 2, count: 1, align, at,
}); // prettier-ignore

const span: Span = { host: 7, low: -16, high: 16, align: 8, write: false, mmu: 2 };

test("accesses near each other are served by one span", () => {
  expect(join(one(4, 4), one(-8, 8, true))).toMatchObject({ low: -8, high: 8, write: true, count: 2 });
  expect(join(one(0, 4), one(508, 4)).count).toBe(2);
  expect(join(one(0, 4), one(509, 4))).toEqual(one(0, 4));
  expect(join(one(0, 4), { ...one(4, 4), mmu: 1 })).toEqual(one(0, 4));
});

test("accesses that cannot all be aligned are not", () => {
  expect(join(one(0, 8, false, 8), one(12, 4, false, 4))).toMatchObject({ align: 8, at: 0, high: 16 });
  expect(join(one(0, 8, false, 8), one(12, 8, false, 8)).count).toBe(1);
  expect(join(one(12, 4, false, 4), one(0, 8, false, 8))).toMatchObject({ align: 8, at: 0 });
});

test("a span begins and ends at multiples of its alignment", () => {
  expect(rounded({ ...one(-12, 4, false, 4), align: 8, at: 0 })).toEqual({ low: -16, high: -8 });
  expect(rounded({ ...one(4, 8, false, 8), high: 14 })).toEqual({ low: 4, high: 20 });
  expect(rounded(one(3, 5))).toEqual({ low: 3, high: 8 });
});

test("what a span serves lies in it, aligned where it has to be", () => {
  expect(serves(span, { offset: -16, bytes: 8, write: false, aligned: true, mmu: 2 })).toBe(true);
  expect(serves(span, { offset: -17, bytes: 8, write: false, aligned: false, mmu: 2 })).toBe(false);
  expect(serves(span, { offset: 9, bytes: 8, write: false, aligned: false, mmu: 2 })).toBe(false);
  expect(serves(span, { offset: 3, bytes: 4, write: false, aligned: false, mmu: 2 })).toBe(true);
  expect(serves(span, { offset: 2, bytes: 4, write: false, aligned: true, mmu: 2 })).toBe(false);
  expect(serves(span, { offset: -16, bytes: 16, write: false, aligned: true, mmu: 2 })).toBe(false);
  expect(serves(span, { offset: 0, bytes: 1, write: true, aligned: false, mmu: 2 })).toBe(false);
  expect(serves(span, { offset: 0, bytes: 1, write: false, aligned: false, mmu: 1 })).toBe(false);
  expect(serves(APART, { offset: 0, bytes: 0, write: false, aligned: false, mmu: 2 })).toBe(false);
});

test("it stays where it is when the base moves", () => {
  expect(moved(span, 8)).toMatchObject({ low: -24, high: 8 });
  expect(moved(span, 0x20000)).toBeUndefined();
  expect(moved(APART, 8)).toBe(APART);
  expect(raised(one(4, 4), -12)).toMatchObject({ low: -8, high: -4, at: -8 });
});

test("where two ways meet, what both know is", () => {
  const a = new Map([[1, span], [2, span], [3, span]]); // prettier-ignore
  const b = new Map([[1, { ...span, high: 8, write: true }], [2, { ...span, low: -8 }], [3, { ...span, host: 8 }]]); // prettier-ignore
  expect([...meet(a, b)]).toEqual([[1, { ...span, high: 8 }]]);
});
