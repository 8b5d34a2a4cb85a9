import { LVT, REG } from "./spec.ts";

/** Bits of a local vector that can be written. */
export const LVT_WRITABLE: readonly number[] = [0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff];

/** Registers that can be read. */
export const READABLE: ReadonlySet<number> = new Set([
  ...[REG.ID, REG.VERSION, REG.TPR, REG.APR, REG.PPR, REG.LDR, REG.DFR, REG.SVR, REG.ESR, REG.ICR, REG.ICR_HIGH],
  ...[REG.INITIAL, REG.CURRENT, REG.DIVIDE],
  ...Array.from({ length: 24 }, (_, i) => REG.ISR + i),
  ...Array.from({ length: LVT.COUNT }, (_, i) => REG.LVT_TIMER + i),
]);

/** Bits that may be set in a register in x2APIC mode; -1: it cannot be written. */
export function x2Writable(reg: number): number {
  if (reg >= REG.LVT_TIMER && reg <= REG.LVT_ERROR) return LVT_WRITABLE[reg - REG.LVT_TIMER]! | 0x5000;
  if (reg === REG.EOI || reg === REG.ESR) return 0;
  if (reg === REG.TPR) return 0xff;
  if (reg === REG.SVR) return 0x11ff;
  if (reg === REG.INITIAL) return -1 >>> 0;
  return reg === REG.DIVIDE ? 0xb : -1;
}

/** The logical destination of an id in x2APIC mode: a cluster of 16, and a bit in it. */
export function x2Ldr(id: number): number {
  return (((id >>> 4) << 16) | (1 << (id & 15))) >>> 0;
}
