/** SFENCE.VMA. Source: Privileged 20211203, 4.2.1. */
import { MSTATUS, PRIV } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { OFF, PAGED_INDEXES } from "../state.ts";

/** Orders page table writes before later walks. Illegal in U-mode, and in S-mode while mstatus.TVM is set. */
export function sfenceVma(hart: Hart, insn: number, lo: number, hi = 0): void {
  const priv = hart.lo(OFF.priv);
  if (priv === PRIV.U || (priv === PRIV.S && hart.lo(OFF.mstatus) & MSTATUS.TVM)) return hart.illegal(insn);
  // rs1 = x0: every address. The engine knows which addresses lie in superpages.
  // rs2 other than x0 names one address space, which global mappings are not a part of.
  if ((insn & 0xf8000) === 0) hart.engine.flushTlb(hart.env, PAGED_INDEXES, (insn & 0x1f00000) !== 0);
  else hart.engine.flushTlbPage(hart.env, lo, hi);
}
