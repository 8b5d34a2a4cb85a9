// Source: RISC-V Unprivileged ISA 20191213, ch. 7 and ch. 24.
import { defineTable } from "@mimus/decodetree";
import { R } from "./fields.ts";

const reg = "rd, rs1, rs2";

/** RV32M. */
export const rv32m = defineTable(32, {
  mul: ["0000001 ..... ..... 000 ..... 0110011", R, reg],
  mulh: ["0000001 ..... ..... 001 ..... 0110011", R, reg],
  mulhsu: ["0000001 ..... ..... 010 ..... 0110011", R, reg],
  mulhu: ["0000001 ..... ..... 011 ..... 0110011", R, reg],
  div: ["0000001 ..... ..... 100 ..... 0110011", R, reg],
  divu: ["0000001 ..... ..... 101 ..... 0110011", R, reg],
  rem: ["0000001 ..... ..... 110 ..... 0110011", R, reg],
  remu: ["0000001 ..... ..... 111 ..... 0110011", R, reg],
});

/** What RV64M adds. */
export const rv64m = defineTable(32, {
  mulw: ["0000001 ..... ..... 000 ..... 0111011", R, reg],
  divw: ["0000001 ..... ..... 100 ..... 0111011", R, reg],
  divuw: ["0000001 ..... ..... 101 ..... 0111011", R, reg],
  remw: ["0000001 ..... ..... 110 ..... 0111011", R, reg],
  remuw: ["0000001 ..... ..... 111 ..... 0111011", R, reg],
});
