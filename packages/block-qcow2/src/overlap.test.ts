import { describe, expect, it } from "vitest";
import { OverlapGuard, watchedBy } from "./overlap.ts";

const guard = (): OverlapGuard => new OverlapGuard("a.qcow2", watchedBy("cached"));

describe("clusters that hold metadata", () => {
  it("are watched however many a table claims", () => {
    const g = guard();
    for (let n = 0; n < 100_000; n++) g.claim(2 ** 40 + n, 2 ** 31, "inactive-l1");
    expect(() => g.assertFree(2 ** 40 + 2 ** 30, 1)).toThrow(/cluster 1100585369600, which holds the inactive l1/);
    g.assertFree(0, 1000);
  });

  it("are free again when their table is released, whole or in part", () => {
    const g = guard();
    g.claim(10, 8, "active-l1");
    g.release(12, 3, "active-l1");
    g.assertFree(12, 3);
    expect(() => g.assertFree(11, 1)).toThrow("active l1");
    expect(() => g.assertFree(13, 3)).toThrow("cluster 15");
    g.assertHolds(10, "active-l1");
    expect(() => g.assertHolds(10, "active-l2")).toThrow("active l1");
    g.release(10, 8, "refcount-table");
    expect(() => g.assertFree(11, 1)).toThrow("active l1");
    g.release(10, 8, "active-l1");
    g.assertFree(10, 8);
  });
});
