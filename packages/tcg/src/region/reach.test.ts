import { expect, test } from "vitest";
import { covers, meet, moved, NOWHERE_REACHED, widened } from "./reach.ts";

const near = widened(NOWHERE_REACHED, false, -2048, 2049);

test("an access is allowed when all its bytes are, for what it does", () => {
  expect(covers(near, false, -2048, 1)).toBe(true);
  expect(covers(near, false, -2049, 8)).toBe(false);
  expect(covers(near, false, 2041, 8)).toBe(true);
  expect(covers(near, false, 2042, 8)).toBe(false);
  expect(covers(near, true, 0, 1)).toBe(false);
  expect(covers(widened(near, true, 0, 2049), true, 0, 8)).toBe(true);
  expect(covers(widened(near, true, 0, 2049), true, -1, 1)).toBe(false);
});

test("what is allowed stays where it is when the base moves", () => {
  const up = moved(near, 100)!;
  expect(covers(up, false, 1948, 1)).toBe(true);
  expect(covers(up, false, 1949, 1)).toBe(false);
  expect(covers(up, false, -2148, 1)).toBe(true);
  expect(moved(near, 0x20000)).toBeUndefined();
  expect(moved(moved(near, 0xf000)!, 0xf000)).toBeUndefined();
});

test("where two ways meet, what both allow is", () => {
  const a = new Map([[1, near], [2, near]]); // prettier-ignore
  const b = new Map([[1, moved(near, 4000)!], [3, near]]); // prettier-ignore
  const both = meet(a, b);
  expect([...both.keys()]).toEqual([1]);
  expect(covers(both.get(1)!, false, -2048, 8)).toBe(true);
  expect(covers(both.get(1)!, false, -1951, 1)).toBe(false);
  expect(meet(a, new Map([[1, moved(near, 5000)!]])).size).toBe(0);
});
