import { defineTable, sbits, type Table } from "../src/index.ts";

/** A field as wide as the word. */
export default (): Table =>
  defineTable(32, { data: ["................................", { value: sbits(0, [0, 32]) }] });
