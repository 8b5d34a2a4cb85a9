import { bits, defineTable } from "../src/index.ts";

/** The field reaches beyond the word. */
export default (): unknown => defineTable(8, { a: ["0000 ....", { x: bits([6, 4]) }] });
