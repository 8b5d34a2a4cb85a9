import { bits, defineTable } from "../src/index.ts";

/** The format names no field. */
export default (): unknown => defineTable(8, { a: ["0000 ....", { x: bits([0, 4]) }, "y"] });
