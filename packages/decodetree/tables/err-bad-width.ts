import { bits, defineTable } from "../src/index.ts";

/** Wider than 32 bits. */
export default (): unknown => defineTable(40, { a: ["0000 ....", { x: bits([0, 4]) }] });
