import { bits, defineTable, type Table } from "../src/index.ts";

/** No bit is fixed in all entries. */
export default (): Table =>
  defineTable(8, {
    low: ["1... ...0", { a: bits([1, 6]) }],
    high: ["01.. ....", { a: bits([0, 6]) }],
    odd: ["1..1 00.1", { a: bits([5, 2]), b: bits([1, 1]) }],
    rest: ["00.. ..11", { a: bits([2, 4]) }],
  });
