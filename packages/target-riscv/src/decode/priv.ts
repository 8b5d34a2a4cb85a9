// Source: RISC-V Privileged Architectures 20211203, ch. 3.3, 4.2; Zawrs 1.01.
import { defineTable } from "@mimus/decodetree";
import { rs1, rs2 } from "./fields.ts";

/** Machine-mode instructions, and WFI. */
export const machine = defineTable(32, {
  mret: ["0011000 00010 00000 000 00000 1110011", {}],
  wfi: ["0001000 00101 00000 000 00000 1110011", {}],
});

/** Supervisor-mode instructions. */
export const supervisor = defineTable(32, {
  sret: ["0001000 00010 00000 000 00000 1110011", {}],
  sfence_vma: ["0001001 ..... ..... 000 00000 1110011", { rs1, rs2 }, "rs1, rs2"],
});

/** Svinval: the parts of SFENCE.VMA. Source: Privileged 20211203, ch. 7. */
export const svinval = defineTable(32, {
  sinval_vma: ["0001011 ..... ..... 000 00000 1110011", { rs1, rs2 }, "rs1, rs2"],
  sfence_w_inval: ["0001100 00000 00000 000 00000 1110011", {}],
  sfence_inval_ir: ["0001100 00001 00000 000 00000 1110011", {}],
});

/** Zawrs: wait on a reservation set. */
export const zawrs = defineTable(32, {
  wrs_nto: ["000000001101 00000 000 00000 1110011", {}],
  wrs_sto: ["000000011101 00000 000 00000 1110011", {}],
});
