import { bits, defineTable } from "../src/index.ts";

/** Two fields share a bit. */
export default (): unknown => defineTable(8, { a: ["0000 ....", { x: bits([0, 3]), y: bits([2, 2]) }] });
