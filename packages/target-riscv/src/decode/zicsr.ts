// Source: RISC-V Unprivileged ISA 20191213, ch. 9 and ch. 24.
import { bits, defineTable } from "@mimus/decodetree";
import { rd, rs1 } from "./fields.ts";

const csr = bits([20, 12]).as("csr");
const CSR = { rd, rs1, csr };
const CSRI = { rd, imm: bits([15, 5]), csr };

/** Zicsr. */
export const zicsr = defineTable(32, {
  csrrw: ["............ ..... 001 ..... 1110011", CSR, "rd, csr, rs1"],
  csrrs: ["............ ..... 010 ..... 1110011", CSR, "rd, csr, rs1"],
  csrrc: ["............ ..... 011 ..... 1110011", CSR, "rd, csr, rs1"],
  csrrwi: ["............ ..... 101 ..... 1110011", CSRI, "rd, csr, imm"],
  csrrsi: ["............ ..... 110 ..... 1110011", CSRI, "rd, csr, imm"],
  csrrci: ["............ ..... 111 ..... 1110011", CSRI, "rd, csr, imm"],
});
