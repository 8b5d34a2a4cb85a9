import { bits, defineTable, type Table } from "../src/index.ts";

/** Same fixed bits, kept apart by values a field must not have. */
export default (): Table =>
  defineTable(16, {
    any: ["1000 .... .... ..10", { rd: bits([8, 4]).not(0), rs: bits([2, 6]).not(0) }],
    no_rs: ["1000 .... 0000 0010", { rd: bits([8, 4]).not(0) }],
    none: ["1000 0000 0000 0010", {}],
  });
