import { bits, defineTable } from "../src/index.ts";

/** 00000000 matches both. */
export default (): unknown =>
  defineTable(8, { a: ["0000 ....", { x: bits([0, 4]) }], b: [".... 0000", { x: bits([4, 4]) }] });
