// Source: RISC-V Unprivileged ISA 20191213, ch. 2 and ch. 24 "RV32/64G Instruction Set Listings".
import { bits, defineTable } from "@mimus/decodetree";
import { B, I, J, R, rd, rs1, S, shamt5, U } from "./fields.ts";

const load = "rd, imm(rs1)";
const store = "rs2, imm(rs1)";
const branch = "rs1, rs2, imm";
const reg = "rd, rs1, rs2";
const immediate = "rd, rs1, imm";
const fenceSet = { pred: bits([24, 4]).as("fence"), succ: bits([20, 4]).as("fence") };

/** RV32I without its shifts by a constant, whose encoding differs in RV64I. */
export const rv32i = defineTable(32, {
  //        imm / funct7 rs2  rs1   f3  rd    opcode
  lui: ["....................      ..... 0110111", U, "rd, imm"],
  auipc: ["....................      ..... 0010111", U, "rd, imm"],
  jal: ["....................      ..... 1101111", J, "rd, imm"],
  jalr: ["............ ..... 000 ..... 1100111", I, load],
  beq: ["....... ..... ..... 000 ..... 1100011", B, branch],
  bne: ["....... ..... ..... 001 ..... 1100011", B, branch],
  blt: ["....... ..... ..... 100 ..... 1100011", B, branch],
  bge: ["....... ..... ..... 101 ..... 1100011", B, branch],
  bltu: ["....... ..... ..... 110 ..... 1100011", B, branch],
  bgeu: ["....... ..... ..... 111 ..... 1100011", B, branch],
  lb: ["............ ..... 000 ..... 0000011", I, load],
  lh: ["............ ..... 001 ..... 0000011", I, load],
  lw: ["............ ..... 010 ..... 0000011", I, load],
  lbu: ["............ ..... 100 ..... 0000011", I, load],
  lhu: ["............ ..... 101 ..... 0000011", I, load],
  sb: ["....... ..... ..... 000 ..... 0100011", S, store],
  sh: ["....... ..... ..... 001 ..... 0100011", S, store],
  sw: ["....... ..... ..... 010 ..... 0100011", S, store],
  addi: ["............ ..... 000 ..... 0010011", I, immediate],
  slti: ["............ ..... 010 ..... 0010011", I, immediate],
  sltiu: ["............ ..... 011 ..... 0010011", I, immediate],
  xori: ["............ ..... 100 ..... 0010011", I, immediate],
  ori: ["............ ..... 110 ..... 0010011", I, immediate],
  andi: ["............ ..... 111 ..... 0010011", I, immediate],
  add: ["0000000 ..... ..... 000 ..... 0110011", R, reg],
  sub: ["0100000 ..... ..... 000 ..... 0110011", R, reg],
  sll: ["0000000 ..... ..... 001 ..... 0110011", R, reg],
  slt: ["0000000 ..... ..... 010 ..... 0110011", R, reg],
  sltu: ["0000000 ..... ..... 011 ..... 0110011", R, reg],
  xor: ["0000000 ..... ..... 100 ..... 0110011", R, reg],
  srl: ["0000000 ..... ..... 101 ..... 0110011", R, reg],
  sra: ["0100000 ..... ..... 101 ..... 0110011", R, reg],
  or: ["0000000 ..... ..... 110 ..... 0110011", R, reg],
  and: ["0000000 ..... ..... 111 ..... 0110011", R, reg],
  fence: ["---- .... .... ----- 000 ----- 0001111", fenceSet, "pred, succ"],
  ecall: ["000000000000 00000 000 00000 1110011", {}],
  ebreak: ["000000000001 00000 000 00000 1110011", {}],
});

const shift = { rd, rs1, imm: shamt5 };
/** The shifts by a constant of RV32I: bit 25 must be zero. */
export const rv32iShifts = defineTable(32, {
  slli: ["0000000 ..... ..... 001 ..... 0010011", shift, immediate],
  srli: ["0000000 ..... ..... 101 ..... 0010011", shift, immediate],
  srai: ["0100000 ..... ..... 101 ..... 0010011", shift, immediate],
});

/** Zifencei. Source: ch. 3. */
export const zifencei = defineTable(32, {
  fence_i: ["------------ ----- 001 ----- 0001111", {}],
});
