import { bits, defineTable } from "../src/index.ts";

/** x is no pattern character. */
export default (): unknown => defineTable(8, { a: ["0000 x...", { x: bits([0, 3]) }] });
