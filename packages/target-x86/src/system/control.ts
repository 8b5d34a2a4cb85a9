/** Control registers. Source: Intel SDM volume 3A (2023), 2.5, 4.1, 9.8.5; volume 2, MOV to control registers. */
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0, CR4, EFER } from "./bits.ts";
import { DESC, isCode64, isLong } from "./descriptor.ts";
import { EXC } from "./vectors.ts";

/** Bits of CR0 that exist. */
const CR0_KNOWN: number =
  CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;

/** Bits of CR4 and the feature that each is there for; always there: undefined. */
const CR4_BITS: readonly (readonly [number, string])[] = [
  [CR4.VME | CR4.PVI, "vme"], [CR4.TSD, "tsc"], [CR4.DE, "de"], [CR4.PSE, "pse"], [CR4.PAE, "pae"], [CR4.MCE, "mce"],
  [CR4.PGE, "pge"], [CR4.OSFXSR, "fxsr"], [CR4.OSXMMEXCPT, "sse"], [CR4.UMIP, "umip"], [CR4.LA57, "la57"],
  [CR4.FSGSBASE, "fsgsbase"], [CR4.PCIDE, "pcid"], [CR4.OSXSAVE, "xsave"], [CR4.SMEP, "smep"], [CR4.SMAP, "smap"],
  [CR4.PKE, "pku"],
]; // prettier-ignore

/** Bits of CR4 that this CPU has. */
function knownCr4(cpu: X86Cpu): number {
  let bits: number = CR4.PCE;
  for (const [bit, feature] of CR4_BITS) if (cpu.has(feature)) bits |= bit;
  return bits;
}

/** MOV to CR0, and LMSW. The caller ends the block. */
export function writeCr0(cpu: X86Cpu, lo: number, hi: number): void {
  const old = cpu.lo(OFF.cr0);
  if (hi !== 0) cpu.fault(EXC.GP, 0);
  const value = (lo & CR0_KNOWN) | CR0.ET;
  if ((value & (CR0.PG | CR0.PE)) === CR0.PG || (value & (CR0.NW | CR0.CD)) === CR0.NW) cpu.fault(EXC.GP, 0);
  const paging = (value & CR0.PG) !== 0;
  if (paging !== ((old & CR0.PG) !== 0)) switchPaging(cpu, paging);
  cpu.set(OFF.cr0, value, 0);
  if ((value ^ old) & (CR0.PG | CR0.WP | CR0.PE)) {
    cpu.walker.modeChanged();
    cpu.engine.flushTlb(cpu.env, ALL_INDEXES);
  }
  cpu.updateFlags();
}

/** Long mode becomes active, or ends, with paging. */
function switchPaging(cpu: X86Cpu, on: boolean): void {
  const efer = cpu.lo(OFF.efer);
  const csAttr = cpu.lo(segOffset(SEG.cs) + SEG_FIELD.attr);
  if (on) {
    if ((efer & EFER.LME) === 0) return;
    if ((cpu.lo(OFF.cr4) & CR4.PAE) === 0 || csAttr & DESC.l) cpu.fault(EXC.GP, 0);
    cpu.set(OFF.efer, efer | EFER.LMA, 0);
    return;
  }
  if (isCode64(cpu) || cpu.lo(OFF.cr4) & CR4.PCIDE) cpu.fault(EXC.GP, 0);
  cpu.set(OFF.efer, efer & ~EFER.LMA, 0);
}

/** MOV to CR3. */
export function writeCr3(cpu: X86Cpu, lo: number, hi: number): void {
  const { config } = cpu;
  const keep = hi < 0 && (cpu.lo(OFF.cr4) & CR4.PCIDE) !== 0;
  const high = keep ? hi & 0x7fff_ffff : hi;
  if (isLong(cpu) && config.physBits < 64 && high >>> Math.max(0, config.physBits - 32) !== 0) cpu.fault(EXC.GP, 0);
  cpu.set(OFF.cr3, lo, high);
  if ((cpu.lo(OFF.cr0) & CR0.PG) === 0) return cpu.walker.modeChanged();
  cpu.walker.modeChanged();
  // The TLB knows no PCIDs: what must not be forgotten may be.
  cpu.engine.flushTlb(cpu.env, ALL_INDEXES, (cpu.lo(OFF.cr4) & CR4.PGE) !== 0);
}

/** MOV to CR4. */
export function writeCr4(cpu: X86Cpu, lo: number, hi: number): void {
  const old = cpu.lo(OFF.cr4);
  if (hi !== 0 || lo & ~knownCr4(cpu)) cpu.fault(EXC.GP, 0);
  const changed = lo ^ old;
  if (isLong(cpu) && ((changed & CR4.LA57) !== 0 || (lo & CR4.PAE) === 0)) cpu.fault(EXC.GP, 0);
  if (changed & lo & CR4.PCIDE && (!isLong(cpu) || (cpu.lo(OFF.cr3) & 0xfff) !== 0)) cpu.fault(EXC.GP, 0);
  cpu.set(OFF.cr4, lo, 0);
  const paging = CR4.PGE | CR4.PAE | CR4.PSE | CR4.PCIDE | CR4.SMEP | CR4.SMAP | CR4.PKE | CR4.LA57;
  if (changed & paging) {
    cpu.walker.modeChanged();
    cpu.engine.flushTlb(cpu.env, ALL_INDEXES);
  }
  cpu.updateFlags();
}

/** MOV to CR8: task priority. */
export function writeCr8(cpu: X86Cpu, lo: number, hi: number): void {
  if (hi !== 0 || lo & ~15) cpu.fault(EXC.GP, 0);
  cpu.controller.tpr = lo;
  cpu.set(OFF.cr8, lo, 0);
}

/** XSETBV. Source: SDM volume 1, 13.3. */
export function writeXcr(cpu: X86Cpu, index: number, lo: number, hi: number): void {
  const known = knownXcr0(cpu);
  if (index !== 0 || hi !== 0 || lo & ~known || (lo & 1) === 0 || (lo & 6) === 4 || (lo & 0x18) % 0x18 !== 0)
    cpu.fault(EXC.GP, 0);
  cpu.set(OFF.xcr0, lo, 0);
  cpu.updateFlags();
}

/** State components that XCR0 may turn on. Those of MPX are always in their initial state. */
function knownXcr0(cpu: X86Cpu): number {
  return (
    1 | (cpu.has("sse") ? 2 : 0) | (cpu.has("avx") ? 4 : 0) | (cpu.has("mpx") ? 0x18 : 0) | (cpu.has("pku") ? 0x200 : 0)
  );
}
