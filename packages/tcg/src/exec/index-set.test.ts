import { expect, test } from "vitest";
import { IndexSet } from "./index-set.ts";

/** What is in the set, which is left as it is. */
function members(set: IndexSet): number[] {
  const out: number[] = [];
  set.sweep((n) => {
    out.push(n);
    return true;
  });
  return out;
}

test("each number is in it once, and may come again after it went", () => {
  const set = new IndexSet(4);
  for (const n of [3, 1, 3, 0, 1]) set.add(n);
  expect(members(set)).toEqual([3, 1, 0]);
  set.sweep((n) => n !== 1);
  expect(members(set)).toEqual([3, 0]);
  set.add(1);
  set.add(3);
  expect(members(set)).toEqual([3, 0, 1]);
  expect(set.size).toBe(3);
  set.clear();
  expect(members(set)).toEqual([]);
  for (const n of [0, 1, 2, 3]) set.add(n);
  expect(set.size).toBe(4);
});
