/** INVPCID. Source: Intel SDM volume 2 (2023). */
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, OFF } from "../state.ts";
import { CR4 } from "./bits.ts";
import { carry, highWord, mmuOf, read } from "./memory.ts";
import { EXC } from "./vectors.ts";

/** The TLB keeps no PCIDs: every kind forgets at least what it has to. */
export function invpcid(cpu: X86Cpu, ...[kindLo, kindHi, lo, hi]: number[]): void {
  const at = lo!;
  const atHi = hi!;
  const mmu = mmuOf(cpu, 0);
  const pcid = read(cpu, at, atHi, 8, mmu);
  const reserved = highWord(cpu) | (pcid & ~0xfff);
  const next = (at + 8) | 0;
  const pageLo = read(cpu, next, (atHi + carry(next, at)) | 0, 8, mmu);
  const pageHi = highWord(cpu);
  const kind = kindLo! >>> 0;
  if (kindHi !== 0 || kind > 3 || reserved !== 0) cpu.fault(EXC.GP, 0);
  if (kind < 2 && (pcid & 0xfff) !== 0 && (cpu.lo(OFF.cr4) & CR4.PCIDE) === 0) cpu.fault(EXC.GP, 0);
  if (kind === 0) {
    const bits = cpu.lo(OFF.cr4) & CR4.LA57 ? 7 : 16;
    if ((pageHi << bits) >> bits !== pageHi) cpu.fault(EXC.GP, 0);
    return cpu.engine.flushTlbPage(cpu.env, pageLo, pageHi);
  }
  cpu.engine.flushTlb(cpu.env, ALL_INDEXES, kind !== 2);
}
