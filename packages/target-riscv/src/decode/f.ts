// Source: RISC-V Unprivileged ISA 20191213, ch. 11 and ch. 24.
import { defineTable } from "@mimus/decodetree";
import { frd, frs1, frs2, frs3, immI, immS, rd, rm, rs1 } from "./fields.ts";

const FR = { rd: frd, rs1: frs1, rs2: frs2 };
const FRM = { rd: frd, rs1: frs1, rs2: frs2, rm };
const R4 = { rd: frd, rs1: frs1, rs2: frs2, rs3: frs3, rm };
const UNARY = { rd: frd, rs1: frs1, rm };
const TO_X = { rd, rs1: frs1, rm };
const FROM_X = { rd: frd, rs1, rm };
const COMPARE = { rd, rs1: frs1, rs2: frs2 };
const fr = "rd, rs1, rs2";
const frm = "rd, rs1, rs2[, rm]";
const r4 = "rd, rs1, rs2, rs3[, rm]";
const unary = "rd, rs1[, rm]";

/** RV32F. */
export const rv32f = defineTable(32, {
  flw: ["............ ..... 010 ..... 0000111", { rd: frd, rs1, imm: immI }, "rd, imm(rs1)"],
  fsw: ["....... ..... ..... 010 ..... 0100111", { rs1, rs2: frs2, imm: immS }, "rs2, imm(rs1)"],
  fmadd_s: ["..... 00 ..... ..... ... ..... 1000011", R4, r4],
  fmsub_s: ["..... 00 ..... ..... ... ..... 1000111", R4, r4],
  fnmsub_s: ["..... 00 ..... ..... ... ..... 1001011", R4, r4],
  fnmadd_s: ["..... 00 ..... ..... ... ..... 1001111", R4, r4],
  fadd_s: ["0000000 ..... ..... ... ..... 1010011", FRM, frm],
  fsub_s: ["0000100 ..... ..... ... ..... 1010011", FRM, frm],
  fmul_s: ["0001000 ..... ..... ... ..... 1010011", FRM, frm],
  fdiv_s: ["0001100 ..... ..... ... ..... 1010011", FRM, frm],
  fsqrt_s: ["0101100 00000 ..... ... ..... 1010011", UNARY, unary],
  fsgnj_s: ["0010000 ..... ..... 000 ..... 1010011", FR, fr],
  fsgnjn_s: ["0010000 ..... ..... 001 ..... 1010011", FR, fr],
  fsgnjx_s: ["0010000 ..... ..... 010 ..... 1010011", FR, fr],
  fmin_s: ["0010100 ..... ..... 000 ..... 1010011", FR, fr],
  fmax_s: ["0010100 ..... ..... 001 ..... 1010011", FR, fr],
  feq_s: ["1010000 ..... ..... 010 ..... 1010011", COMPARE, fr],
  flt_s: ["1010000 ..... ..... 001 ..... 1010011", COMPARE, fr],
  fle_s: ["1010000 ..... ..... 000 ..... 1010011", COMPARE, fr],
  fclass_s: ["1110000 00000 ..... 001 ..... 1010011", { rd, rs1: frs1 }, "rd, rs1"],
  fcvt_w_s: ["1100000 00000 ..... ... ..... 1010011", TO_X, unary],
  fcvt_s_w: ["1101000 00000 ..... ... ..... 1010011", FROM_X, unary],
  fcvt_wu_s: ["1100000 00001 ..... ... ..... 1010011", TO_X, unary],
  fcvt_s_wu: ["1101000 00001 ..... ... ..... 1010011", FROM_X, unary],
  fmv_x_w: ["1110000 00000 ..... 000 ..... 1010011", { rd, rs1: frs1 }, "rd, rs1"],
  fmv_w_x: ["1111000 00000 ..... 000 ..... 1010011", { rd: frd, rs1 }, "rd, rs1"],
});

/** What RV64F adds. */
export const rv64f = defineTable(32, {
  fcvt_l_s: ["1100000 00010 ..... ... ..... 1010011", TO_X, unary],
  fcvt_s_l: ["1101000 00010 ..... ... ..... 1010011", FROM_X, unary],
  fcvt_lu_s: ["1100000 00011 ..... ... ..... 1010011", TO_X, unary],
  fcvt_s_lu: ["1101000 00011 ..... ... ..... 1010011", FROM_X, unary],
});
