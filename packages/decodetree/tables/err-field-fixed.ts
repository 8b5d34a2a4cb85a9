import { bits, defineTable } from "../src/index.ts";

/** The field covers a fixed bit. */
export default (): unknown => defineTable(8, { a: ["0001 ....", { x: bits([0, 5]) }] });
