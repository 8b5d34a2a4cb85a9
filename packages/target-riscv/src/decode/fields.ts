// Source: RISC-V Unprivileged ISA 20191213, ch. 2.2-2.3 (base formats), ch. 16.2 (compressed formats).
import { bits, sbits, ubits } from "@mimus/decodetree";

export const rd = bits([7, 5]).as("x");
export const rs1 = bits([15, 5]).as("x");
export const rs2 = bits([20, 5]).as("x");
export const frd = bits([7, 5]).as("f");
export const frs1 = bits([15, 5]).as("f");
export const frs2 = bits([20, 5]).as("f");
export const frs3 = bits([27, 5]).as("f");
export const rm = bits([12, 3]).as("rm");
/** Of conversions that never round. */
export const rmExact = rm.as("rmExact");
/** Acquire (bit 1) and release (bit 0). */
export const aqrl = bits([25, 2]).as("aqrl");
export const shamt5 = bits([20, 5]).as("shamt");
export const shamt6 = bits([20, 6]).as("shamt");
export const immI = sbits(0, [20, 12]);
export const immS = sbits(0, [25, 7], [7, 5]);
const immB = sbits(1, [31, 1], [7, 1], [25, 6], [8, 4]).as("pcrel");
const immU = sbits(12, [12, 20]).as("upper");
const immJ = sbits(1, [31, 1], [12, 8], [20, 1], [21, 10]).as("pcrel");

export const R = { rd, rs1, rs2 };
export const I = { rd, rs1, imm: immI };
export const S = { rs1, rs2, imm: immS };
export const B = { rs1, rs2, imm: immB };
export const U = { rd, imm: immU };
export const J = { rd, imm: immJ };

// Compressed formats: three-bit registers are x8..x15.
export const cRd = bits([7, 5]).as("x");
export const cRs2 = bits([2, 5]).as("x");
export const cRdLow = bits([2, 3]).plus(8).as("x");
export const cRs1High = bits([7, 3]).plus(8).as("x");
export const cFRd = bits([7, 5]).as("f");
export const cFRs2 = bits([2, 5]).as("f");
export const cFLow = bits([2, 3]).plus(8).as("f");
export const cImm6 = sbits(0, [12, 1], [2, 5]);
export const cShamt6 = bits([12, 1], [2, 5]).as("shamt");
export const cShamt5 = bits([2, 5]).as("shamt");
export const cOffW = ubits(2, [5, 1], [10, 3], [6, 1]);
export const cOffD = ubits(3, [5, 2], [10, 3]);
export const cOffLwsp = ubits(2, [2, 2], [12, 1], [4, 3]);
export const cOffLdsp = ubits(3, [2, 3], [12, 1], [5, 2]);
export const cOffSwsp = ubits(2, [7, 2], [9, 4]);
export const cOffSdsp = ubits(3, [7, 3], [10, 3]);
export const cImmJ = sbits(1, [12, 1], [8, 1], [9, 2], [6, 1], [7, 1], [2, 1], [11, 1], [3, 3]).as("pcrel");
export const cImmB = sbits(1, [12, 1], [5, 2], [2, 1], [10, 2], [3, 2]).as("pcrel");
