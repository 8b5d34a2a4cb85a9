/** INT n and IRET of programs in virtual-8086 mode. Source: Intel SDM volume 3B (2023), 21.3; volume 2, "INT n", "IRET". */
import type { X86Cpu } from "../cpu.ts";
import { FLAG, MMU, OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR4 } from "./bits.ts";
import { setRealSegment } from "./descriptor.ts";
import { writableFlags } from "./eflags.ts";
import { mmuOf, read } from "./memory.ts";
import type { Width } from "./stack.ts";
import { ipOf, setIp } from "./transfer.ts";
import { EXC } from "./vectors.ts";

/** Bytes of the redirection bits, which end where the map of ports begins. */
const REDIRECTION = 32;

/**
 * INT n with pc behind it: the program's own handler where CR4.VME and the task's bit say so.
 * @returns 1: entered; 0: it is an interrupt as any other. #GP(0) where IOPL forbids that
 */
export function interruptV86(cpu: X86Cpu, vector: number): number {
  const privileged = (cpu.lo(OFF.eflags) & FLAG.iopl) === FLAG.iopl;
  if ((cpu.lo(OFF.cr4) & CR4.VME) !== 0 && !toMonitor(cpu, vector)) {
    enterOwnHandler(cpu, vector, privileged);
    return 1;
  }
  if (!privileged) cpu.fault(EXC.GP, 0);
  return 0;
}

/** The bit of the current task for a vector. A task without bits has none clear. */
function toMonitor(cpu: X86Cpu, vector: number): boolean {
  const at = segOffset(SEG.tr);
  const limit = cpu.lo(at + SEG_FIELD.limit) >>> 0;
  if ((cpu.lo(at + SEG_FIELD.attr) & 0x800) === 0 || limit < 103) return true;
  const base = cpu.lo(at + SEG_FIELD.base);
  const from = read(cpu, (base + 0x66) | 0, 0, 2, MMU.kernel) - REDIRECTION + (vector >>> 3);
  if (from < 0 || from > limit) return true;
  return ((read(cpu, (base + from) | 0, 0, 1, MMU.kernel) >>> (vector & 7)) & 1) === 1;
}

/** As in real mode; with IOPL below 3 VIF stands in for IF, and the program sees IOPL 3. */
function enterOwnHandler(cpu: X86Cpu, vector: number, privileged: boolean): void {
  const { stack, eflags } = cpu;
  const mmu = mmuOf(cpu, 3);
  const ip = read(cpu, vector * 4, 0, 2, mmu);
  const selector = read(cpu, vector * 4 + 2, 0, 2, mmu);
  const virtual = (eflags & ~FLAG.if) | FLAG.iopl | (eflags & FLAG.vif ? FLAG.if : 0);
  stack.current();
  stack.push(2, privileged ? eflags : virtual);
  stack.push(2, cpu.lo(segOffset(SEG.cs) + SEG_FIELD.selector));
  stack.push(2, ipOf(cpu, cpu.lo(OFF.pc)));
  stack.commit();
  cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) & ~(FLAG.tf | (privileged ? FLAG.if : FLAG.vif)));
  setRealSegment(cpu, SEG.cs, selector);
  setIp(cpu, ip, 0);
  cpu.updateFlags();
}

/** IRET in virtual-8086 mode with IOPL below 3: of 16 bits with CR4.VME, VIF for IF. Source: SDM volume 3B, 21.3.2. */
export function virtualReturn(cpu: X86Cpu, width: Width): void {
  if (width !== 2 || (cpu.lo(OFF.cr4) & CR4.VME) === 0) cpu.fault(EXC.GP, 0);
  const { stack } = cpu;
  stack.current();
  const ip = stack.pop(2);
  const selector = stack.pop(2) & 0xffff;
  const flags = stack.pop(2);
  const old = cpu.eflags;
  if (flags & FLAG.tf || (flags & FLAG.if && old & FLAG.vip)) cpu.fault(EXC.GP, 0);
  stack.commit();
  const mask = writableFlags(3, 0) & 0xffff;
  cpu.eflags = (old & ~mask & ~FLAG.vif) | (flags & mask) | (flags & FLAG.if ? FLAG.vif : 0);
  setRealSegment(cpu, SEG.cs, selector);
  setIp(cpu, ip, 0);
}
