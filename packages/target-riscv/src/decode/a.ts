// Source: RISC-V Unprivileged ISA 20191213, ch. 8 and ch. 24.
import { defineTable } from "@mimus/decodetree";
import { aqrl, rd, rs1, rs2 } from "./fields.ts";

const LR = { rd, rs1, aqrl };
const AMO = { rd, rs1, rs2, aqrl };
const lr = "+aqrl rd, (rs1)";
const amo = "+aqrl rd, rs2, (rs1)";

/** RV32A. */
export const rv32a = defineTable(32, {
  lr_w: ["00010 .. 00000 ..... 010 ..... 0101111", LR, lr],
  sc_w: ["00011 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amoswap_w: ["00001 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amoadd_w: ["00000 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amoxor_w: ["00100 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amoand_w: ["01100 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amoor_w: ["01000 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amomin_w: ["10000 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amomax_w: ["10100 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amominu_w: ["11000 .. ..... ..... 010 ..... 0101111", AMO, amo],
  amomaxu_w: ["11100 .. ..... ..... 010 ..... 0101111", AMO, amo],
});

/** What RV64A adds. */
export const rv64a = defineTable(32, {
  lr_d: ["00010 .. 00000 ..... 011 ..... 0101111", LR, lr],
  sc_d: ["00011 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amoswap_d: ["00001 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amoadd_d: ["00000 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amoxor_d: ["00100 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amoand_d: ["01100 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amoor_d: ["01000 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amomin_d: ["10000 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amomax_d: ["10100 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amominu_d: ["11000 .. ..... ..... 011 ..... 0101111", AMO, amo],
  amomaxu_d: ["11100 .. ..... ..... 011 ..... 0101111", AMO, amo],
});
