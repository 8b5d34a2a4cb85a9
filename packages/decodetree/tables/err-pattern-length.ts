import { bits, defineTable } from "../src/index.ts";

/** Seven bits in a table of eight. */
export default (): unknown => defineTable(8, { a: ["0000 ...", { x: bits([0, 3]) }] });
