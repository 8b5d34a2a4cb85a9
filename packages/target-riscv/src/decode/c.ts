// Source: RISC-V Unprivileged ISA 20191213, ch. 16, tables 16.5-16.7. Hints decode as the instruction they are encoded as.
import { defineTable, sbits, ubits } from "@mimus/decodetree";
import * as f from "./fields.ts";

const CI = { rd: f.cRd, imm: f.cImm6 };
const CA = { rd: f.cRs1High, rs2: f.cRdLow };
const CB = { rs1: f.cRs1High, imm: f.cImmB };
const ci = "rd, imm";
const ca = "rd, rs2";

/** RVC common to RV32 and RV64. */
export const rvc = defineTable(16, {
  c_addi4spn: [
    "000 ........ ... 00",
    { rd: f.cRdLow, imm: ubits(2, [7, 4], [11, 2], [5, 1], [6, 1]).not(0) },
    "rd, 'sp', imm",
  ],
  c_lw: ["010 ... ... .. ... 00", { rd: f.cRdLow, rs1: f.cRs1High, imm: f.cOffW }, "rd, imm(rs1)"],
  c_sw: ["110 ... ... .. ... 00", { rs2: f.cRdLow, rs1: f.cRs1High, imm: f.cOffW }, "rs2, imm(rs1)"],
  c_addi: ["000 . ..... ..... 01", CI, ci],
  c_li: ["010 . ..... ..... 01", CI, ci],
  c_addi16sp: ["011 . 00010 ..... 01", { imm: sbits(4, [12, 1], [3, 2], [5, 1], [2, 1], [6, 1]).not(0) }, "'sp', imm"],
  c_lui: ["011 . ..... ..... 01", { rd: f.cRd.not(2), imm: sbits(12, [12, 1], [2, 5]).as("upper").not(0) }, ci],
  c_andi: ["100 . 10 ... ..... 01", { rd: f.cRs1High, imm: f.cImm6 }, ci],
  c_sub: ["100 0 11 ... 00 ... 01", CA, ca],
  c_xor: ["100 0 11 ... 01 ... 01", CA, ca],
  c_or: ["100 0 11 ... 10 ... 01", CA, ca],
  c_and: ["100 0 11 ... 11 ... 01", CA, ca],
  c_j: ["101 ........... 01", { imm: f.cImmJ }, "imm"],
  c_beqz: ["110 ... ... ..... 01", CB, "rs1, imm"],
  c_bnez: ["111 ... ... ..... 01", CB, "rs1, imm"],
  c_lwsp: ["010 . ..... ..... 10", { rd: f.cRd.not(0), imm: f.cOffLwsp }, "rd, imm('sp')"],
  c_jr: ["100 0 ..... 00000 10", { rs1: f.cRd.not(0) }, "rs1"],
  c_mv: ["100 0 ..... ..... 10", { rd: f.cRd, rs2: f.cRs2.not(0) }, ca],
  c_ebreak: ["100 1 00000 00000 10", {}],
  c_jalr: ["100 1 ..... 00000 10", { rs1: f.cRd.not(0) }, "rs1"],
  c_add: ["100 1 ..... ..... 10", { rd: f.cRd, rs2: f.cRs2.not(0) }, ca],
  c_swsp: ["110 ...... ..... 10", { rs2: f.cRs2, imm: f.cOffSwsp }, "rs2, imm('sp')"],
});

/** RVC on RV32 only. */
export const rv32c = defineTable(16, {
  c_jal: ["001 ........... 01", { imm: f.cImmJ }, "imm"],
  c_srli: ["100 0 00 ... ..... 01", { rd: f.cRs1High, imm: f.cShamt5 }, ci],
  c_srai: ["100 0 01 ... ..... 01", { rd: f.cRs1High, imm: f.cShamt5 }, ci],
  c_slli: ["000 0 ..... ..... 10", { rd: f.cRd, imm: f.cShamt5 }, ci],
});

/** RVC on RV64 only. */
export const rv64c = defineTable(16, {
  c_ld: ["011 ... ... .. ... 00", { rd: f.cRdLow, rs1: f.cRs1High, imm: f.cOffD }, "rd, imm(rs1)"],
  c_sd: ["111 ... ... .. ... 00", { rs2: f.cRdLow, rs1: f.cRs1High, imm: f.cOffD }, "rs2, imm(rs1)"],
  c_addiw: ["001 . ..... ..... 01", { rd: f.cRd.not(0), imm: f.cImm6 }, ci],
  c_srli: ["100 . 00 ... ..... 01", { rd: f.cRs1High, imm: f.cShamt6 }, ci],
  c_srai: ["100 . 01 ... ..... 01", { rd: f.cRs1High, imm: f.cShamt6 }, ci],
  c_subw: ["100 1 11 ... 00 ... 01", CA, ca],
  c_addw: ["100 1 11 ... 01 ... 01", CA, ca],
  c_slli: ["000 . ..... ..... 10", { rd: f.cRd, imm: f.cShamt6 }, ci],
  c_ldsp: ["011 . ..... ..... 10", { rd: f.cRd.not(0), imm: f.cOffLdsp }, "rd, imm('sp')"],
  c_sdsp: ["111 ...... ..... 10", { rs2: f.cRs2, imm: f.cOffSdsp }, "rs2, imm('sp')"],
});

/** RVC loads and stores of RV32F. */
export const rv32fc = defineTable(16, {
  c_flw: ["011 ... ... .. ... 00", { rd: f.cFLow, rs1: f.cRs1High, imm: f.cOffW }, "rd, imm(rs1)"],
  c_fsw: ["111 ... ... .. ... 00", { rs2: f.cFLow, rs1: f.cRs1High, imm: f.cOffW }, "rs2, imm(rs1)"],
  c_flwsp: ["011 . ..... ..... 10", { rd: f.cFRd, imm: f.cOffLwsp }, "rd, imm('sp')"],
  c_fswsp: ["111 ...... ..... 10", { rs2: f.cFRs2, imm: f.cOffSwsp }, "rs2, imm('sp')"],
});

/** RVC loads and stores of D. */
export const rvdc = defineTable(16, {
  c_fld: ["001 ... ... .. ... 00", { rd: f.cFLow, rs1: f.cRs1High, imm: f.cOffD }, "rd, imm(rs1)"],
  c_fsd: ["101 ... ... .. ... 00", { rs2: f.cFLow, rs1: f.cRs1High, imm: f.cOffD }, "rs2, imm(rs1)"],
  c_fldsp: ["001 . ..... ..... 10", { rd: f.cFRd, imm: f.cOffLdsp }, "rd, imm('sp')"],
  c_fsdsp: ["101 ...... ..... 10", { rs2: f.cFRs2, imm: f.cOffSdsp }, "rs2, imm('sp')"],
});
