// Source: RISC-V Unprivileged ISA 20191213, ch. 5 and ch. 24.
import { defineTable } from "@mimus/decodetree";
import { I, R, rd, rs1, S, shamt5, shamt6 } from "./fields.ts";

const shift6 = { rd, rs1, imm: shamt6 };
const shift5 = { rd, rs1, imm: shamt5 };
const reg = "rd, rs1, rs2";
const immediate = "rd, rs1, imm";

/** What RV64I adds to RV32I. */
export const rv64i = defineTable(32, {
  lwu: ["............ ..... 110 ..... 0000011", I, "rd, imm(rs1)"],
  ld: ["............ ..... 011 ..... 0000011", I, "rd, imm(rs1)"],
  sd: ["....... ..... ..... 011 ..... 0100011", S, "rs2, imm(rs1)"],
  slli: ["000000 ...... ..... 001 ..... 0010011", shift6, immediate],
  srli: ["000000 ...... ..... 101 ..... 0010011", shift6, immediate],
  srai: ["010000 ...... ..... 101 ..... 0010011", shift6, immediate],
  addiw: ["............ ..... 000 ..... 0011011", I, immediate],
  slliw: ["0000000 ..... ..... 001 ..... 0011011", shift5, immediate],
  srliw: ["0000000 ..... ..... 101 ..... 0011011", shift5, immediate],
  sraiw: ["0100000 ..... ..... 101 ..... 0011011", shift5, immediate],
  addw: ["0000000 ..... ..... 000 ..... 0111011", R, reg],
  subw: ["0100000 ..... ..... 000 ..... 0111011", R, reg],
  sllw: ["0000000 ..... ..... 001 ..... 0111011", R, reg],
  srlw: ["0000000 ..... ..... 101 ..... 0111011", R, reg],
  sraw: ["0100000 ..... ..... 101 ..... 0111011", R, reg],
});
