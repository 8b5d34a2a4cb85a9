import { bits, defineTable } from "../src/index.ts";

/** An optional part that does not end. */
export default (): unknown => defineTable(8, { a: ["0000 ....", { x: bits([0, 4]) }, "[, x"] });
