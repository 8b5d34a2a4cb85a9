/** Segment descriptors and gates. Source: Intel SDM volume 3A (2023), 3.4.5, 5.8, 6.11, 6.14. */
import type { X86Cpu } from "../cpu.ts";
import { FLAG, MMU, OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0, EFER } from "./bits.ts";
import { carry, highWord, read, write } from "./memory.ts";
import { EXC } from "./vectors.ts";

/** Bits of a descriptor's second word. */
export const DESC = {
  accessed: 1 << 8,
  /** Data: writable; code: readable. */
  rw: 1 << 9,
  /** Data: expands down; code: conforming. */
  conforming: 1 << 10,
  code: 1 << 11,
  /** Code or data, not a system descriptor. */
  s: 1 << 12,
  p: 1 << 15,
  /** 64-bit code. */
  l: 1 << 21,
  /** Default size: 32 bits. */
  db: 1 << 22,
  g: 1 << 23,
} as const;

/** Types of system descriptors. */
export const SYSTEM = {
  tss16: 1, ldt: 2, busy16: 3, call16: 4, task: 5, int16: 6, trap16: 7, tss32: 9, busy32: 11, call32: 12, int32: 14, trap32: 15,
} as const; // prettier-ignore

/** A descriptor that was read: one object per CPU and purpose, filled anew each time. */
export class Descriptor {
  /** First and second word. */
  lo = 0;
  hi = 0;
  /** Linear address that it was read from. */
  atLo = 0;
  atHi = 0;
  /** High word of the base or offset, of descriptors of 16 bytes. */
  upper = 0;

  get present(): boolean {
    return (this.hi & DESC.p) !== 0;
  }
  get dpl(): number {
    return (this.hi >>> 13) & 3;
  }
  /** S and type: bit 4 is S. */
  get type(): number {
    return (this.hi >>> 8) & 31;
  }
  get isCode(): boolean {
    return (this.hi & (DESC.s | DESC.code)) === (DESC.s | DESC.code);
  }
  get conforming(): boolean {
    return (this.hi & DESC.conforming) !== 0;
  }
  get base(): number {
    return (this.lo >>> 16) | ((this.hi & 0xff) << 16) | (this.hi & 0xff00_0000);
  }
  /** In bytes, as a signed word. */
  get limit(): number {
    const raw = (this.lo & 0xffff) | (this.hi & 0xf0000);
    return this.hi & DESC.g ? (raw << 12) | 0xfff : raw;
  }
  /** As segment registers hold them. */
  get attr(): number {
    return this.hi & 0xffff00;
  }
  /** Of gates: selector and offset. */
  get gateSelector(): number {
    return this.lo >>> 16;
  }
  get gateOffset(): number {
    return (this.hi & 0xffff_0000) | (this.lo & 0xffff);
  }
}

/** Whether segments are those of protected mode. */
export function isProtected(cpu: X86Cpu): boolean {
  return (cpu.lo(OFF.cr0) & CR0.PE) !== 0 && (cpu.lo(OFF.eflags) & FLAG.vm) === 0;
}
/** Long mode is active: 64-bit and compatibility mode. */
export function isLong(cpu: X86Cpu): boolean {
  return (cpu.lo(OFF.efer) & EFER.LMA) !== 0;
}
/** The CPU runs 64-bit code. */
export function isCode64(cpu: X86Cpu): boolean {
  return isLong(cpu) && (cpu.lo(segOffset(SEG.cs) + SEG_FIELD.attr) & DESC.l) !== 0;
}

/** Reads the descriptor of a selector. @returns false: it lies outside its table */
export function fetchDescriptor(cpu: X86Cpu, selector: number, out: Descriptor): boolean {
  const offset = selector & 0xfff8;
  let baseLo: number;
  let baseHi: number;
  let limit: number;
  if (selector & 4) {
    const ldt = segOffset(SEG.ldtr);
    if ((cpu.lo(ldt + SEG_FIELD.attr) & DESC.p) === 0) return false;
    baseLo = cpu.lo(ldt + SEG_FIELD.base);
    baseHi = cpu.hi(ldt + SEG_FIELD.base);
    limit = cpu.lo(ldt + SEG_FIELD.limit) >>> 0;
  } else {
    baseLo = cpu.lo(OFF.gdtBase);
    baseHi = cpu.hi(OFF.gdtBase);
    limit = cpu.lo(OFF.gdtLimit) >>> 0;
  }
  if (offset + 7 > limit) return false;
  readDescriptor(cpu, baseLo, baseHi, offset, out);
  return true;
}

/** Reads eight bytes at an offset of a table. */
export function readDescriptor(cpu: X86Cpu, baseLo: number, baseHi: number, offset: number, out: Descriptor): void {
  const lo = (baseLo + offset) | 0;
  const hi = isLong(cpu) ? (baseHi + carry(lo, baseLo)) | 0 : 0;
  out.lo = read(cpu, lo, hi, 8, MMU.kernel);
  out.hi = highWord(cpu);
  out.atLo = lo;
  out.atHi = hi;
  out.upper = 0;
}

/** The second half of a descriptor of 16 bytes. @returns false: the type field of its second word is not 0 */
export function readUpper(cpu: X86Cpu, d: Descriptor): boolean {
  const lo = (d.atLo + 8) | 0;
  const hi = (d.atHi + carry(lo, d.atLo)) | 0;
  d.upper = read(cpu, lo, hi, 8, MMU.kernel);
  return ((highWord(cpu) >>> 8) & 31) === 0;
}

/** The descriptor, or #GP (or `vector`) with the selector. */
export function needDescriptor(cpu: X86Cpu, selector: number, out: Descriptor, vector: number = EXC.GP, ext = 0): void {
  if (!fetchDescriptor(cpu, selector, out)) cpu.fault(vector, (selector & 0xfffc) | ext);
}

/** Sets the accessed bit in the table. */
export function markAccessed(cpu: X86Cpu, d: Descriptor): void {
  if (d.hi & DESC.accessed) return;
  d.hi |= DESC.accessed;
  writeSecondWord(cpu, d);
}

/** Writes a changed second word back. */
export function writeSecondWord(cpu: X86Cpu, d: Descriptor): void {
  const lo = (d.atLo + 4) | 0;
  write(cpu, lo, (d.atHi + carry(lo, d.atLo)) | 0, 4, d.hi, 0, MMU.kernel);
}

/** Writes all of a segment register. */
export function setSegment(
  cpu: X86Cpu, n: number, selector: number, baseLo: number, baseHi: number, limit: number, attr: number,
): void {
  const at = segOffset(n);
  cpu.setLo(at + SEG_FIELD.selector, selector & 0xffff);
  cpu.setLo(at + SEG_FIELD.limit, limit);
  cpu.setLo(at + SEG_FIELD.attr, attr);
  cpu.set(at + SEG_FIELD.base, baseLo, baseHi);
} // prettier-ignore

/** Loads a segment register from a code or data descriptor. */
export function loadFrom(cpu: X86Cpu, n: number, selector: number, d: Descriptor): void {
  setSegment(cpu, n, selector, d.base, 0, d.limit, d.attr);
}

/** As in real and virtual-8086 mode: the base follows from the selector. */
export function setRealSegment(cpu: X86Cpu, n: number, selector: number): void {
  const at = segOffset(n);
  cpu.setLo(at + SEG_FIELD.selector, selector & 0xffff);
  cpu.set(at + SEG_FIELD.base, (selector & 0xffff) << 4, 0);
}
