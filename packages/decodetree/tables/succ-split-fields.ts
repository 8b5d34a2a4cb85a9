import { defineTable, sbits, ubits, type Table } from "../src/index.ts";

/** Fields from several slices, with sign and scale. */
export default (): Table =>
  defineTable(32, {
    branch: ["....... 11111 00000 000 ..... 1100011", { imm: sbits(1, [31, 1], [7, 1], [25, 6], [8, 4]) }],
    load: ["0000000 ..... 00000 001 ..... 1100011", { imm: ubits(2, [20, 5], [7, 5]) }],
  });
