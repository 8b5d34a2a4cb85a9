/** `tbFlags` afresh from everything that they are made of. */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { CR0, CR4, EFER } from "./bits.ts";
import { FLAG, HF, MMU, OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";

/** Segments that most accesses go through; what is said of FS and GS is said of each. */
const FLAT = [SEG.es, SEG.cs, SEG.ss, SEG.ds] as const;

/** Present, code or data, readable code or writable data that does not expand down, all of the 4 GiB. */
function usable(cpu: X86Cpu, n: number): boolean {
  const at = segOffset(n);
  const attr = cpu.lo(at + SEG_FIELD.attr);
  const good = n === SEG.cs ? (attr & 0x9a00) === 0x9a00 : (attr & 0x9e00) === 0x9200;
  return good && cpu.lo(at + SEG_FIELD.limit) === -1;
}

/** All of MXCSR but the flags: masks all set, nearest, neither FZ nor DAZ. */
const MXCSR_BITS = 0xffc0;
const MXCSR_FAST = 0x1f80;
const MXCSR_PE = 0x20;
/** All masks of the x87 control word. */
const X87_MASKS = 0x3f;

/** Rebuilds `tbFlags`; the shadow of STI and MOV SS is kept in there alone. */
export function updateFlags(cpu: X86Cpu): void {
  const cr0 = cpu.lo(OFF.cr0);
  const cr4 = cpu.lo(OFF.cr4);
  const eflags = cpu.lo(OFF.eflags);
  const cpl = cpu.lo(OFF.cpl);
  let flags = cpu.lo(ENV.tbFlags) & (HF.shadow | HF.smm);
  flags |= cpl << HF.cplShift;
  if (cpl === 3) flags |= MMU.user;
  else if ((cr4 & CR4.SMAP) !== 0 && (eflags & FLAG.ac) !== 0) flags |= MMU.kernelNoSmap;
  flags |= segmentFlags(cpu);
  if (cr0 & CR0.PE) flags |= HF.pe;
  if (eflags & FLAG.vm) flags |= HF.vm;
  flags |= ((eflags & FLAG.iopl) >> 12) << HF.ioplShift;
  if (eflags & FLAG.tf) flags |= HF.tf;
  if (cr0 & CR0.TS) flags |= HF.ts;
  if (cr0 & CR0.EM) flags |= HF.em;
  if (cr0 & CR0.MP) flags |= HF.mp;
  if (cr4 & CR4.OSFXSR) flags |= HF.osfxsr;
  if (cr4 & CR4.OSXSAVE && (cpu.lo(OFF.xcr0) & 6) === 6) flags |= HF.avx;
  const mxcsr = cpu.lo(OFF.mxcsr);
  if ((mxcsr & MXCSR_BITS) === MXCSR_FAST) {
    flags |= HF.mxcsrFast;
    // A kernel does not compute, and need not be translated once for programs that have and once for those that have not.
    if (cpl === 3 && (mxcsr & MXCSR_PE) !== 0) flags |= HF.mxcsrInexact;
  }
  if ((cpu.lo(OFF.fpuCw) & X87_MASKS) === X87_MASKS) flags |= HF.x87Fast;
  if (cpu.lo(OFF.dr7) & 0xff) flags |= HF.breakpoints;
  if (cpl === 3 && cr0 & CR0.AM && eflags & FLAG.ac) flags |= HF.alignCheck;
  cpu.setLo(ENV.tbFlags, flags);
}

/** What follows from the segment registers alone, and from the mode. */
function segmentFlags(cpu: X86Cpu): number {
  const csAttr = cpu.lo(segOffset(SEG.cs) + SEG_FIELD.attr);
  if (cpu.lo(OFF.efer) & EFER.LMA && csAttr & 0x200000) return 2 << HF.codeShift;
  let flags = csAttr & 0x400000 ? 1 << HF.codeShift : 0;
  if (cpu.lo(segOffset(SEG.ss) + SEG_FIELD.attr) & 0x400000) flags |= HF.ss32;
  if (cpu.lo(segOffset(SEG.cs) + SEG_FIELD.base) !== 0) flags |= HF.csBase;
  for (const n of FLAT) {
    if (n !== SEG.cs && cpu.lo(segOffset(n) + SEG_FIELD.base) !== 0) flags |= HF.addSeg;
    if (!usable(cpu, n)) flags |= HF.checkSeg;
  }
  if (usable(cpu, SEG.fs)) flags |= HF.fsWide;
  if (usable(cpu, SEG.gs)) flags |= HF.gsWide;
  return flags;
}
