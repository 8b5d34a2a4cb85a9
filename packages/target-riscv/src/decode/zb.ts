// Source: RISC-V Bit-Manipulation ISA-extensions 1.0.0, ch. 2 (Zba, Zbb, Zbc, Zbs).
import { defineTable } from "@mimus/decodetree";
import { R, rd, rs1, shamt5, shamt6 } from "./fields.ts";

const reg = "rd, rs1, rs2";
const immediate = "rd, rs1, imm";
const UNARY = { rd, rs1 };
const unary = "rd, rs1";
const SHIFT5 = { rd, rs1, imm: shamt5 };
const SHIFT6 = { rd, rs1, imm: shamt6 };

/** Zba on both widths. */
export const zba = defineTable(32, {
  sh1add: ["0010000 ..... ..... 010 ..... 0110011", R, reg],
  sh2add: ["0010000 ..... ..... 100 ..... 0110011", R, reg],
  sh3add: ["0010000 ..... ..... 110 ..... 0110011", R, reg],
});

/** Zba on RV64 only. */
export const zba64 = defineTable(32, {
  add_uw: ["0000100 ..... ..... 000 ..... 0111011", R, reg],
  sh1add_uw: ["0010000 ..... ..... 010 ..... 0111011", R, reg],
  sh2add_uw: ["0010000 ..... ..... 100 ..... 0111011", R, reg],
  sh3add_uw: ["0010000 ..... ..... 110 ..... 0111011", R, reg],
  slli_uw: ["000010 ...... ..... 001 ..... 0011011", SHIFT6, immediate],
});

/** Zbb on both widths. */
export const zbb = defineTable(32, {
  andn: ["0100000 ..... ..... 111 ..... 0110011", R, reg],
  orn: ["0100000 ..... ..... 110 ..... 0110011", R, reg],
  xnor: ["0100000 ..... ..... 100 ..... 0110011", R, reg],
  clz: ["011000000000 ..... 001 ..... 0010011", UNARY, unary],
  ctz: ["011000000001 ..... 001 ..... 0010011", UNARY, unary],
  cpop: ["011000000010 ..... 001 ..... 0010011", UNARY, unary],
  sext_b: ["011000000100 ..... 001 ..... 0010011", UNARY, unary],
  sext_h: ["011000000101 ..... 001 ..... 0010011", UNARY, unary],
  max: ["0000101 ..... ..... 110 ..... 0110011", R, reg],
  maxu: ["0000101 ..... ..... 111 ..... 0110011", R, reg],
  min: ["0000101 ..... ..... 100 ..... 0110011", R, reg],
  minu: ["0000101 ..... ..... 101 ..... 0110011", R, reg],
  rol: ["0110000 ..... ..... 001 ..... 0110011", R, reg],
  ror: ["0110000 ..... ..... 101 ..... 0110011", R, reg],
  orc_b: ["001010000111 ..... 101 ..... 0010011", UNARY, unary],
});

/** Zbb encodings of RV32. */
export const zbb32 = defineTable(32, {
  zext_h: ["000010000000 ..... 100 ..... 0110011", UNARY, unary],
  rev8: ["011010011000 ..... 101 ..... 0010011", UNARY, unary],
  rori: ["0110000 ..... ..... 101 ..... 0010011", SHIFT5, immediate],
});

/** Zbb encodings of RV64. */
export const zbb64 = defineTable(32, {
  zext_h: ["000010000000 ..... 100 ..... 0111011", UNARY, unary],
  rev8: ["011010111000 ..... 101 ..... 0010011", UNARY, unary],
  rori: ["011000 ...... ..... 101 ..... 0010011", SHIFT6, immediate],
  clzw: ["011000000000 ..... 001 ..... 0011011", UNARY, unary],
  ctzw: ["011000000001 ..... 001 ..... 0011011", UNARY, unary],
  cpopw: ["011000000010 ..... 001 ..... 0011011", UNARY, unary],
  rolw: ["0110000 ..... ..... 001 ..... 0111011", R, reg],
  rorw: ["0110000 ..... ..... 101 ..... 0111011", R, reg],
  roriw: ["0110000 ..... ..... 101 ..... 0011011", SHIFT5, immediate],
});

/** Zbc. */
export const zbc = defineTable(32, {
  clmul: ["0000101 ..... ..... 001 ..... 0110011", R, reg],
  clmulh: ["0000101 ..... ..... 011 ..... 0110011", R, reg],
  clmulr: ["0000101 ..... ..... 010 ..... 0110011", R, reg],
});

/** Zbs by register. */
export const zbs = defineTable(32, {
  bclr: ["0100100 ..... ..... 001 ..... 0110011", R, reg],
  bext: ["0100100 ..... ..... 101 ..... 0110011", R, reg],
  binv: ["0110100 ..... ..... 001 ..... 0110011", R, reg],
  bset: ["0010100 ..... ..... 001 ..... 0110011", R, reg],
});

/** Zbs by constant on RV32. */
export const zbs32 = defineTable(32, {
  bclri: ["0100100 ..... ..... 001 ..... 0010011", SHIFT5, immediate],
  bexti: ["0100100 ..... ..... 101 ..... 0010011", SHIFT5, immediate],
  binvi: ["0110100 ..... ..... 001 ..... 0010011", SHIFT5, immediate],
  bseti: ["0010100 ..... ..... 001 ..... 0010011", SHIFT5, immediate],
});

/** Zbs by constant on RV64. */
export const zbs64 = defineTable(32, {
  bclri: ["010010 ...... ..... 001 ..... 0010011", SHIFT6, immediate],
  bexti: ["010010 ...... ..... 101 ..... 0010011", SHIFT6, immediate],
  binvi: ["011010 ...... ..... 001 ..... 0010011", SHIFT6, immediate],
  bseti: ["001010 ...... ..... 001 ..... 0010011", SHIFT6, immediate],
});
