/** Traps: entry, return, and which interrupt is next. Source: Privileged 20211203, 3.1.6–3.1.9, 3.3, 4.1. */
import { ENV } from "@mimus/tcg";
import { IRQ, MSTATUS, PRIV } from "./constants.ts";
import type { Hart } from "./hart.ts";
import { OFF } from "./state.ts";

/** Interrupts by falling priority. Source: 3.1.9, last paragraphs. */
const PRIORITY = [IRQ.MEI, IRQ.MSI, IRQ.MTI, IRQ.SEI, IRQ.SSI, IRQ.STI] as const;

/** The interrupt to take now, or -1. Those for M-mode go before those delegated to S-mode. */
export function pendingInterrupt(hart: Hart): number {
  const pending = hart.mip & hart.lo(OFF.mie);
  if (pending === 0) return -1;
  const priv = hart.lo(OFF.priv);
  const mstatus = hart.lo(OFF.mstatus);
  const delegated = hart.lo(OFF.mideleg);
  let ready = priv < PRIV.M || mstatus & MSTATUS.MIE ? pending & ~delegated : 0;
  if (ready === 0 && (priv < PRIV.S || (priv === PRIV.S && mstatus & MSTATUS.SIE))) ready = pending & delegated;
  if (ready === 0) return -1;
  for (let i = 0; i < PRIORITY.length; i++) if ((ready >> PRIORITY[i]!) & 1) return PRIORITY[i]!;
  return -1;
}

/** Enters the handler of interrupt `number`, in S-mode when mideleg says so. */
export function enterInterrupt(hart: Hart, number: number): void {
  const toS = hart.lo(OFF.priv) <= PRIV.S && ((hart.lo(OFF.mideleg) >> number) & 1) === 1;
  enter(hart, number, true, toS, 0, 0);
}

/** Enters the handler of exception `cause`; the trap value is the one {@link Hart.raise} stored. */
export function enterException(hart: Hart, cause: number): void {
  const toS = hart.lo(OFF.priv) <= PRIV.S && ((hart.lo(OFF.medeleg) >> cause) & 1) === 1;
  enter(hart, cause, false, toS, hart.lo(OFF.trapValue), hart.hi(OFF.trapValue));
}

function enter(hart: Hart, cause: number, interrupt: boolean, toS: boolean, valueLo: number, valueHi: number): void {
  const priv = hart.lo(OFF.priv);
  const old = hart.lo(OFF.mstatus);
  const pcLo = hart.lo(OFF.pc);
  const pcHi = hart.hi(OFF.pc);
  const causeLo = interrupt && !hart.rv64 ? cause | 0x80000000 : cause;
  const causeHi = interrupt && hart.rv64 ? 0x80000000 | 0 : 0;
  let mstatus: number;
  let vector: number;
  if (toS) {
    mstatus = (old & ~(MSTATUS.SIE | MSTATUS.SPIE | MSTATUS.SPP)) | (old & MSTATUS.SIE ? MSTATUS.SPIE : 0);
    if (priv === PRIV.S) mstatus |= MSTATUS.SPP;
    hart.set(OFF.sepc, pcLo, pcHi);
    hart.set(OFF.scause, causeLo, causeHi);
    hart.set(OFF.stval, valueLo, valueHi);
    vector = OFF.stvec;
  } else {
    mstatus = (old & ~(MSTATUS.MIE | MSTATUS.MPIE | MSTATUS.MPP)) | (old & MSTATUS.MIE ? MSTATUS.MPIE : 0);
    mstatus |= priv << 11;
    hart.set(OFF.mepc, pcLo, pcHi);
    hart.set(OFF.mcause, causeLo, causeHi);
    hart.set(OFF.mtval, valueLo, valueHi);
    vector = OFF.mtvec;
  }
  hart.setLo(OFF.mstatus, mstatus);
  const base = hart.lo(vector);
  // Vectored: BASE + 4 × cause. BASE is 4-byte aligned and the sum may carry into the high half.
  const target = (base & ~3) + (interrupt && base & 1 ? 4 * cause : 0);
  hart.set(OFF.pc, target | 0, hart.rv64 ? hart.hi(vector) + ((target | 0) >>> 0 < (base & ~3) >>> 0 ? 1 : 0) : 0);
  hart.setPriv(toS ? PRIV.S : PRIV.M);
}

/**
 * WFI: halts until an interrupt enabled in mie is pending, whatever mstatus says.
 * Illegal in U-mode when there is an S-mode, and below M while mstatus.TW is set. Source: 3.1.6.5, 3.3.3.
 */
export function wfi(hart: Hart, insn: number): void {
  const priv = hart.lo(OFF.priv);
  if (priv < PRIV.M) {
    if (hart.lo(OFF.mstatus) & MSTATUS.TW || (priv === PRIV.U && hart.config.ext.s)) return hart.illegal(insn);
  }
  if (hart.hasWork()) return;
  hart.setLo(ENV.halted, 1);
  hart.engine.kick(hart.env);
}
