import { bits, defineTable } from "../src/index.ts";

/** Bit 3 belongs to no field. */
export default (): unknown => defineTable(8, { a: ["0000 ....", { x: bits([0, 3]) }] });
