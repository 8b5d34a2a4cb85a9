// Source: RISC-V Unprivileged ISA 20191213, ch. 12 and ch. 24.
import { defineTable } from "@mimus/decodetree";
import { frd, frs1, frs2, frs3, immI, immS, rd, rm, rmExact, rs1 } from "./fields.ts";

const FR = { rd: frd, rs1: frs1, rs2: frs2 };
const FRM = { rd: frd, rs1: frs1, rs2: frs2, rm };
const R4 = { rd: frd, rs1: frs1, rs2: frs2, rs3: frs3, rm };
const UNARY = { rd: frd, rs1: frs1, rm };
const TO_X = { rd, rs1: frs1, rm };
const FROM_X = { rd: frd, rs1, rm };
const EXACT = { rd: frd, rs1: frs1, rm: rmExact };
const EXACT_X = { rd: frd, rs1, rm: rmExact };
const COMPARE = { rd, rs1: frs1, rs2: frs2 };
const fr = "rd, rs1, rs2";
const frm = "rd, rs1, rs2[, rm]";
const r4 = "rd, rs1, rs2, rs3[, rm]";
const unary = "rd, rs1[, rm]";

/** RV32D. */
export const rv32d = defineTable(32, {
  fld: ["............ ..... 011 ..... 0000111", { rd: frd, rs1, imm: immI }, "rd, imm(rs1)"],
  fsd: ["....... ..... ..... 011 ..... 0100111", { rs1, rs2: frs2, imm: immS }, "rs2, imm(rs1)"],
  fmadd_d: ["..... 01 ..... ..... ... ..... 1000011", R4, r4],
  fmsub_d: ["..... 01 ..... ..... ... ..... 1000111", R4, r4],
  fnmsub_d: ["..... 01 ..... ..... ... ..... 1001011", R4, r4],
  fnmadd_d: ["..... 01 ..... ..... ... ..... 1001111", R4, r4],
  fadd_d: ["0000001 ..... ..... ... ..... 1010011", FRM, frm],
  fsub_d: ["0000101 ..... ..... ... ..... 1010011", FRM, frm],
  fmul_d: ["0001001 ..... ..... ... ..... 1010011", FRM, frm],
  fdiv_d: ["0001101 ..... ..... ... ..... 1010011", FRM, frm],
  fsqrt_d: ["0101101 00000 ..... ... ..... 1010011", UNARY, unary],
  fsgnj_d: ["0010001 ..... ..... 000 ..... 1010011", FR, fr],
  fsgnjn_d: ["0010001 ..... ..... 001 ..... 1010011", FR, fr],
  fsgnjx_d: ["0010001 ..... ..... 010 ..... 1010011", FR, fr],
  fmin_d: ["0010101 ..... ..... 000 ..... 1010011", FR, fr],
  fmax_d: ["0010101 ..... ..... 001 ..... 1010011", FR, fr],
  feq_d: ["1010001 ..... ..... 010 ..... 1010011", COMPARE, fr],
  flt_d: ["1010001 ..... ..... 001 ..... 1010011", COMPARE, fr],
  fle_d: ["1010001 ..... ..... 000 ..... 1010011", COMPARE, fr],
  fclass_d: ["1110001 00000 ..... 001 ..... 1010011", { rd, rs1: frs1 }, "rd, rs1"],
  fcvt_w_d: ["1100001 00000 ..... ... ..... 1010011", TO_X, unary],
  fcvt_d_w: ["1101001 00000 ..... ... ..... 1010011", EXACT_X, unary],
  fcvt_wu_d: ["1100001 00001 ..... ... ..... 1010011", TO_X, unary],
  fcvt_d_wu: ["1101001 00001 ..... ... ..... 1010011", EXACT_X, unary],
  fcvt_s_d: ["0100000 00001 ..... ... ..... 1010011", UNARY, unary],
  fcvt_d_s: ["0100001 00000 ..... ... ..... 1010011", EXACT, unary],
});

/** What RV64D adds. */
export const rv64d = defineTable(32, {
  fcvt_l_d: ["1100001 00010 ..... ... ..... 1010011", TO_X, unary],
  fcvt_d_l: ["1101001 00010 ..... ... ..... 1010011", FROM_X, unary],
  fcvt_lu_d: ["1100001 00011 ..... ... ..... 1010011", TO_X, unary],
  fcvt_d_lu: ["1101001 00011 ..... ... ..... 1010011", FROM_X, unary],
  fmv_x_d: ["1110001 00000 ..... 000 ..... 1010011", { rd, rs1: frs1 }, "rd, rs1"],
  fmv_d_x: ["1111001 00000 ..... 000 ..... 1010011", { rd: frd, rs1 }, "rd, rs1"],
});
