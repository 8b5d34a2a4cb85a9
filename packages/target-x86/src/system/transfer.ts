/** What far transfers share: a new CS, a new instruction pointer, a new privilege level, stacks of inner rings. */
import type { X86Cpu } from "../cpu.ts";
import { MMU, OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { DESC, isLong, needDescriptor, setSegment, type Descriptor } from "./descriptor.ts";
import { carry, highWord, read } from "./memory.ts";
import { EXC } from "./vectors.ts";

/** Sets the instruction pointer in a CS that has been loaded. */
export function setIp(cpu: X86Cpu, lo: number, hi: number): void {
  const at = segOffset(SEG.cs) + SEG_FIELD.base;
  if (isLong(cpu) && cpu.lo(segOffset(SEG.cs) + SEG_FIELD.attr) & DESC.l) cpu.set(OFF.pc, lo, hi);
  else cpu.set(OFF.pc, (cpu.lo(at) + lo) | 0, 0);
}

/** Offset of a linear pc in CS: low word. */
export function ipOf(cpu: X86Cpu, pcLo: number): number {
  const at = segOffset(SEG.cs);
  if (isLong(cpu) && cpu.lo(at + SEG_FIELD.attr) & DESC.l) return pcLo;
  return (pcLo - cpu.lo(at + SEG_FIELD.base)) | 0;
}

/** CS becomes this code segment, with the privilege level as RPL. */
export function setCode(cpu: X86Cpu, selector: number, cpl: number, d: Descriptor): void {
  setSegment(cpu, SEG.cs, (selector & 0xfffc) | cpl, d.base, 0, d.limit, d.attr);
  cpu.setLo(OFF.cpl, cpl);
}

/** The target of a transfer lies in its segment. 64-bit code: is canonical. */
export function checkIp(cpu: X86Cpu, d: Descriptor, lo: number, hi: number): void {
  if (isLong(cpu) && d.hi & DESC.l) {
    const bits = cpu.lo(OFF.cr4) & 0x1000 ? 7 : 16;
    if ((hi << bits) >> bits !== hi) cpu.fault(EXC.GP, 0);
  } else if (lo >>> 0 > d.limit >>> 0) cpu.fault(EXC.GP, 0);
}

/** Pointer to the stack of a ring from the task state of 16 or 32 bits: returns the stack pointer; `cpu.pair[0]` is SS. */
export function stackFromTask(cpu: X86Cpu, dpl: number, ext: number): number {
  const at = segOffset(SEG.tr);
  const wide = (cpu.lo(at + SEG_FIELD.attr) & 0x800) !== 0;
  const offset = wide ? 8 * dpl + 4 : 4 * dpl + 2;
  const tr = cpu.lo(at + SEG_FIELD.selector);
  if (offset + (wide ? 5 : 3) > cpu.lo(at + SEG_FIELD.limit) >>> 0) cpu.fault(EXC.TS, (tr & 0xfffc) | ext);
  const base = (cpu.lo(at + SEG_FIELD.base) + offset) | 0;
  const sp = read(cpu, base, 0, wide ? 4 : 2, MMU.kernel);
  cpu.pair[0] = read(cpu, (base + (wide ? 4 : 2)) | 0, 0, 2, MMU.kernel);
  return sp;
}

/** A pointer from a 64-bit task state, at a byte offset; high word in `cpu.pair[1]`. */
export function pointerFromTask64(cpu: X86Cpu, offset: number, ext: number): number {
  const at = segOffset(SEG.tr);
  const tr = cpu.lo(at + SEG_FIELD.selector);
  if (offset + 7 > cpu.lo(at + SEG_FIELD.limit) >>> 0) cpu.fault(EXC.TS, (tr & 0xfffc) | ext);
  const base = cpu.lo(at + SEG_FIELD.base);
  const lo = (base + offset) | 0;
  const hi = (cpu.hi(at + SEG_FIELD.base) + carry(lo, base)) | 0;
  const value = read(cpu, lo, hi, 8, MMU.kernel);
  cpu.pair[1] = highWord(cpu);
  return value;
}

/** Checks the stack segment of an inner ring, and leaves it in `cpu.stackDescriptor`. Source: SDM volume 3A, 6.12.1. */
export function needInnerStack(cpu: X86Cpu, selector: number, dpl: number, ext: number): void {
  const d = cpu.stackDescriptor;
  const code = (selector & 0xfffc) | ext;
  if ((selector & 0xfffc) === 0) cpu.fault(EXC.TS, ext);
  needDescriptor(cpu, selector, d, EXC.TS, ext);
  if ((selector & 3) !== dpl || d.dpl !== dpl) cpu.fault(EXC.TS, code);
  if ((d.hi & (DESC.s | DESC.code | DESC.rw)) !== (DESC.s | DESC.rw)) cpu.fault(EXC.TS, code);
  if (!d.present) cpu.fault(EXC.SS, code);
}

/** The null SS that 64-bit mode has after it changed to an inner ring. */
export function nullStack(cpu: X86Cpu, cpl: number): void {
  setSegment(cpu, SEG.ss, cpl, 0, 0, -1, DESC.p | DESC.s | DESC.rw | (cpl << 13) | DESC.db | DESC.g);
}
