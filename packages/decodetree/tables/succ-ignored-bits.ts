import { bits, defineTable, type Table } from "../src/index.ts";

/** `-` matches both values and belongs to no field. */
export default (): Table => defineTable(8, { wait: ["1111 ---.", { hint: bits([0, 1]) }] });
