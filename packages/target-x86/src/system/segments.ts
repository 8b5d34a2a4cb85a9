/** Loads of segment registers by programs. Source: Intel SDM volume 2 (2023), MOV, LLDT, LTR, LAR, LSL, VERR, VERW; volume 3A, 5.5 to 5.7. */
import type { X86Cpu } from "../cpu.ts";
import { OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";
import {
  DESC, fetchDescriptor, isCode64, isLong, isProtected, loadFrom, markAccessed, needDescriptor, readUpper,
  setRealSegment, setSegment, SYSTEM, writeSecondWord,
} from "./descriptor.ts"; // prettier-ignore
import { EXC } from "./vectors.ts";

/** MOV, POP, LxS to ES, SS, DS, FS, GS. Derived flags are the caller's. */
export function loadSegment(cpu: X86Cpu, n: number, selector: number): void {
  if (!isProtected(cpu)) return setRealSegment(cpu, n, selector);
  const d = cpu.descriptor;
  const rpl = selector & 3;
  const cpl = cpu.cpl;
  if ((selector & 0xfffc) === 0) {
    // A null SS is for 64-bit code below CPL 3 alone.
    if (n === SEG.ss && (!isCode64(cpu) || cpl === 3 || rpl !== cpl)) cpu.fault(EXC.GP, 0);
    return loadNull(cpu, n, selector);
  }
  needDescriptor(cpu, selector, d);
  const code = selector & 0xfffc;
  if ((d.hi & DESC.s) === 0) cpu.fault(EXC.GP, code);
  if (n === SEG.ss) {
    if ((d.hi & (DESC.code | DESC.rw)) !== DESC.rw || rpl !== cpl || d.dpl !== cpl) cpu.fault(EXC.GP, code);
    if (!d.present) cpu.fault(EXC.SS, code);
  } else {
    if ((d.hi & (DESC.code | DESC.rw)) === DESC.code) cpu.fault(EXC.GP, code);
    const conforming = d.isCode && d.conforming;
    if (!conforming && (d.dpl < cpl || d.dpl < rpl)) cpu.fault(EXC.GP, code);
    if (!d.present) cpu.fault(EXC.NP, code);
  }
  markAccessed(cpu, d);
  loadFrom(cpu, n, selector, d);
}

/** An unusable segment. SS keeps its privilege level in its attributes. */
export function loadNull(cpu: X86Cpu, n: number, selector: number): void {
  const attr = n === SEG.ss ? (cpu.cpl << 13) | DESC.p | DESC.s | DESC.rw | DESC.g | DESC.db : 0;
  setSegment(cpu, n, selector, 0, 0, n === SEG.ss ? -1 : 0, n === SEG.ss && isLong(cpu) ? attr : 0);
}

/** After a return to an outer ring, data segments of inner rings are lost. Source: SDM volume 3A, 5.8.6. */
export function dropInnerSegments(cpu: X86Cpu): void {
  const cpl = cpu.cpl;
  for (const n of [SEG.es, SEG.ds, SEG.fs, SEG.gs]) {
    const at = segOffset(n);
    const attr = cpu.lo(at + SEG_FIELD.attr);
    if ((cpu.lo(at + SEG_FIELD.selector) & 0xfffc) === 0) continue;
    const conforming = (attr & (DESC.code | DESC.conforming)) === (DESC.code | DESC.conforming);
    if (attr & DESC.s && !conforming && ((attr >>> 13) & 3) < cpl) setSegment(cpu, n, 0, 0, 0, 0, 0);
  }
}

/** LLDT. */
export function loadLdt(cpu: X86Cpu, selector: number): void {
  if ((selector & 0xfffc) === 0) return setSegment(cpu, SEG.ldtr, selector, 0, 0, 0, 0);
  const d = cpu.descriptor;
  const code = selector & 0xfffc;
  if (selector & 4) cpu.fault(EXC.GP, code);
  needSystem(cpu, selector);
  if (d.type !== SYSTEM.ldt) cpu.fault(EXC.GP, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  setSegment(cpu, SEG.ldtr, selector, d.base, d.upper, d.limit, d.attr);
}

/** LTR: the task state becomes busy. */
export function loadTask(cpu: X86Cpu, selector: number): void {
  const d = cpu.descriptor;
  const code = selector & 0xfffc;
  if (code === 0) cpu.fault(EXC.GP, 0);
  if (selector & 4) cpu.fault(EXC.GP, code);
  needSystem(cpu, selector);
  const allowed = d.type === SYSTEM.tss32 || (d.type === SYSTEM.tss16 && !isLong(cpu));
  if (!allowed) cpu.fault(EXC.GP, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  d.hi |= 0x200;
  writeSecondWord(cpu, d);
  setSegment(cpu, SEG.tr, selector, d.base, d.upper, d.limit, d.attr);
}

/** A system descriptor from the GDT, of 16 bytes in long mode. */
function needSystem(cpu: X86Cpu, selector: number): void {
  const d = cpu.descriptor;
  needDescriptor(cpu, selector, d);
  if (!isLong(cpu)) return;
  if ((selector & 0xfff8) + 15 > cpu.lo(OFF.gdtLimit) >>> 0) cpu.fault(EXC.GP, selector & 0xfffc);
  if (!readUpper(cpu, d)) cpu.fault(EXC.GP, selector & 0xfffc);
}

/** Bit n: LAR, LSL know the system type n; in long mode. */
const LAR_TYPES = 0x1a3e;
const LSL_TYPES = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 9) | (1 << 11);
const LAR_LONG = (1 << 2) | (1 << 9) | (1 << 11) | (1 << 12);
const LSL_LONG = (1 << 2) | (1 << 9) | (1 << 11);

/** LAR, LSL. @returns whether the selector can be seen (ZF); the descriptor is left in `cpu.descriptor` */
function look(cpu: X86Cpu, selector: number, types: number): boolean {
  const d = cpu.descriptor;
  if ((selector & 0xfffc) === 0 || !fetchDescriptor(cpu, selector, d)) return false;
  if ((d.hi & DESC.s) === 0) {
    if (((types >>> d.type) & 1) === 0) return false;
  } else if (d.isCode && d.conforming) return true;
  return d.dpl >= cpu.cpl && d.dpl >= (selector & 3);
}

/** LAR: the access rights, or -1: ZF is clear. */
export function accessRights(cpu: X86Cpu, selector: number): number {
  return look(cpu, selector, isLong(cpu) ? LAR_LONG : LAR_TYPES) ? cpu.descriptor.hi & 0xf0ff00 : -1;
}

/** LSL: 1 and the limit in `cpu.pair[0]`, or 0: ZF is clear. */
export function segmentLimit(cpu: X86Cpu, selector: number): number {
  if (!look(cpu, selector, isLong(cpu) ? LSL_LONG : LSL_TYPES)) return 0;
  cpu.pair[0] = cpu.descriptor.limit;
  return 1;
}

/** VERR, VERW: 1 when the segment can be read, written. */
export function verify(cpu: X86Cpu, selector: number, writing: boolean): number {
  const d = cpu.descriptor;
  if ((selector & 0xfffc) === 0 || !fetchDescriptor(cpu, selector, d) || (d.hi & DESC.s) === 0) return 0;
  const inner = d.dpl < cpu.cpl || d.dpl < (selector & 3);
  if (writing) return (d.hi & (DESC.code | DESC.rw)) === DESC.rw && !inner ? 1 : 0;
  if (!d.isCode) return inner ? 0 : 1;
  if ((d.hi & DESC.rw) === 0) return 0;
  return d.conforming || !inner ? 1 : 0;
}
