// Source: RISC-V Base Cache Management Operation ISA Extensions 1.0, ch. 3. Prefetches are ORI hints of the base.
import { defineTable } from "@mimus/decodetree";
import { rs1 } from "./fields.ts";

/** Zicbom. */
export const zicbom = defineTable(32, {
  cbo_inval: ["000000000000 ..... 010 00000 0001111", { rs1 }, "(rs1)"],
  cbo_clean: ["000000000001 ..... 010 00000 0001111", { rs1 }, "(rs1)"],
  cbo_flush: ["000000000010 ..... 010 00000 0001111", { rs1 }, "(rs1)"],
});

/** Zicboz. */
export const zicboz = defineTable(32, {
  cbo_zero: ["000000000100 ..... 010 00000 0001111", { rs1 }, "(rs1)"],
});
