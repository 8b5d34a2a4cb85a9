/** Hardware task switches. Source: Intel SDM volume 3A (2023), chapter 8 (7 in older editions). */
import type { X86Cpu } from "../cpu.ts";
import { FLAG, MMU, OFF, regOffset, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0 } from "./bits.ts";
import { DESC, loadFrom, markAccessed, needDescriptor, setRealSegment, setSegment, SYSTEM, writeSecondWord,
  type Descriptor } from "./descriptor.ts"; // prettier-ignore
import { writeCr3 } from "./control.ts";
import { read, write } from "./memory.ts";
import { setIp } from "./transfer.ts";
import { EXC } from "./vectors.ts";

/** Why tasks change: JMP, CALL or an interrupt, IRET. */
export type TaskReason = "jmp" | "call" | "iret";

/** Where fields of a task state lie. Source: figures 8-2 and 8-10. */
interface Layout {
  readonly width: 2 | 4;
  readonly ip: number;
  readonly flags: number;
  /** EAX.. in the order of their numbers, four or two bytes each. */
  readonly regs: number;
  /** ES, CS, SS, DS, FS, GS. */
  readonly segs: number;
  readonly segStep: number;
  readonly segCount: number;
  readonly ldt: number;
  readonly limit: number;
}
const TSS32: Layout = {
  width: 4,
  ip: 0x20,
  flags: 0x24,
  regs: 0x28,
  segs: 0x48,
  segStep: 4,
  segCount: 6,
  ldt: 0x60,
  limit: 0x67,
};
const TSS16: Layout = {
  width: 2,
  ip: 0x0e,
  flags: 0x10,
  regs: 0x12,
  segs: 0x22,
  segStep: 2,
  segCount: 4,
  ldt: 0x2a,
  limit: 0x2b,
};

/** Checks the selector of a task state, and reads its descriptor to `cpu.gate`. */
function needTask(cpu: X86Cpu, selector: number, reason: TaskReason, ext: number): Descriptor {
  const d = cpu.gate;
  const vector = reason === "iret" ? EXC.TS : EXC.GP;
  const code = (selector & 0xfffc) | ext;
  if (selector & 4 || (selector & 0xfffc) === 0) cpu.fault(vector, code);
  needDescriptor(cpu, selector, d, vector, ext);
  const type = d.type & ~8;
  if (reason === "iret" ? type !== SYSTEM.busy16 : type !== SYSTEM.tss16) cpu.fault(vector, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  return d;
}

/** Switches to the task of a selector. `ip` is where the old task goes on. Derived flags are the caller's. */
export function switchTask(cpu: X86Cpu, selector: number, reason: TaskReason, ip: number, ext: number): void {
  const d = needTask(cpu, selector, reason, ext);
  const next = d.type & 8 ? TSS32 : TSS16;
  const code = (selector & 0xfffc) | ext;
  if (d.limit >>> 0 < next.limit) cpu.fault(EXC.TS, code);
  const base = d.base;
  const limit = d.limit;
  const attr = d.attr;
  const at = segOffset(SEG.tr);
  const old = cpu.lo(at + SEG_FIELD.attr) & 0x800 ? TSS32 : TSS16;
  const oldBase = cpu.lo(at + SEG_FIELD.base);
  const oldSelector = cpu.lo(at + SEG_FIELD.selector);
  // All of the new state is read before anything changes, and the old place is known to be writable.
  const state = readState(cpu, base, next);
  write(cpu, oldBase, 0, 1, read(cpu, oldBase, 0, 1, MMU.kernel), 0, MMU.kernel);
  const last = (oldBase + old.limit) | 0;
  write(cpu, last, 0, 1, read(cpu, last, 0, 1, MMU.kernel), 0, MMU.kernel);

  let flags = cpu.eflags;
  if (reason !== "call") {
    setBusy(cpu, oldSelector, false);
    if (reason === "iret") flags &= ~FLAG.nt;
  }
  saveState(cpu, oldBase, old, ip, flags);
  if (reason === "call") write(cpu, base, 0, 2, oldSelector, 0, MMU.kernel);
  if (reason !== "iret") setBusy(cpu, selector, true);

  cpu.set(OFF.cr0, cpu.lo(OFF.cr0) | CR0.TS, 0);
  setSegment(cpu, SEG.tr, selector, base, 0, limit, attr | 0x200);
  if (next === TSS32 && cpu.lo(OFF.cr0) & CR0.PG) writeCr3(cpu, state.cr3, 0);
  const cpl = loadState(cpu, state, next, reason);
  loadSegments(cpu, state, cpl, ext);
  if (state.trap) {
    cpu.set(OFF.dr6, cpu.lo(OFF.dr6) | 0x8000, 0);
    cpu.raise(EXC.DB);
  }
  cpu.set(OFF.dr7, cpu.lo(OFF.dr7) & ~0x155, 0);
  cpu.breakPoints.changed();
}

interface TaskState {
  cr3: number;
  ip: number;
  flags: number;
  regs: number[];
  segs: number[];
  ldt: number;
  trap: boolean;
}

function readState(cpu: X86Cpu, base: number, layout: Layout): TaskState {
  const { width } = layout;
  const word = (offset: number): number => read(cpu, (base + offset) | 0, 0, width, MMU.kernel);
  const half = (offset: number): number => read(cpu, (base + offset) | 0, 0, 2, MMU.kernel);
  const regs: number[] = [];
  for (let n = 0; n < 8; n++) regs.push(width === 4 ? word(layout.regs + 4 * n) : word(layout.regs + 2 * n));
  const segs: number[] = [];
  for (let n = 0; n < layout.segCount; n++) segs.push(half(layout.segs + layout.segStep * n));
  return {
    cr3: width === 4 ? word(0x1c) : 0,
    ip: word(layout.ip),
    flags: word(layout.flags),
    regs,
    segs,
    ldt: half(layout.ldt),
    trap: width === 4 && (half(0x64) & 1) !== 0,
  };
}

function saveState(cpu: X86Cpu, base: number, layout: Layout, ip: number, flags: number): void {
  const { width } = layout;
  const put = (offset: number, value: number, size: 2 | 4): void =>
    write(cpu, (base + offset) | 0, 0, size, value, 0, MMU.kernel);
  put(layout.ip, ip, width);
  put(layout.flags, flags, width);
  for (let n = 0; n < 8; n++) put(layout.regs + width * n, cpu.lo(regOffset(n)), width);
  for (let n = 0; n < layout.segCount; n++)
    put(layout.segs + layout.segStep * n, cpu.lo(segOffset(n) + SEG_FIELD.selector), 2);
}

function setBusy(cpu: X86Cpu, selector: number, busy: boolean): void {
  const d = cpu.descriptor;
  needDescriptor(cpu, selector, d, EXC.TS);
  d.hi = busy ? d.hi | 0x200 : d.hi & ~0x200;
  writeSecondWord(cpu, d);
}

/** Registers of the new task; from here on faults are its own. @returns its privilege level */
function loadState(cpu: X86Cpu, state: TaskState, layout: Layout, reason: TaskReason): number {
  let flags = layout.width === 4 ? state.flags : (state.flags & 0xffff) | (cpu.lo(OFF.eflags) & ~0xffff & ~FLAG.vm);
  if (reason === "call") flags |= FLAG.nt;
  cpu.eflags = flags;
  for (let n = 0; n < 8; n++) cpu.set(regOffset(n), state.regs[n]!, 0);
  const vm = (flags & FLAG.vm) !== 0;
  const cpl = vm ? 3 : state.segs[SEG.cs]! & 3;
  cpu.setLo(OFF.cpl, cpl);
  for (let n = 0; n < 6; n++) {
    const selector = state.segs[n] ?? 0;
    if (vm) {
      setSegment(cpu, n, selector, selector << 4, 0, 0xffff, 0xf300);
      setRealSegment(cpu, n, selector);
    } else setSegment(cpu, n, selector, 0, 0, 0, 0);
  }
  setSegment(cpu, SEG.ldtr, state.ldt & ~4, 0, 0, 0, 0);
  setIp(cpu, state.ip, 0);
  return cpl;
}

/** Segments of the new task. Source: table 8-1. */
function loadSegments(cpu: X86Cpu, state: TaskState, cpl: number, ext: number): void {
  const d = cpu.descriptor;
  const ldtCode = (state.ldt & 0xfffc) | ext;
  if (state.ldt & 4) cpu.fault(EXC.TS, ldtCode);
  if (state.ldt & 0xfffc) {
    needDescriptor(cpu, state.ldt, d, EXC.TS, ext);
    if (d.type !== SYSTEM.ldt || !d.present) cpu.fault(EXC.TS, ldtCode);
    loadFrom(cpu, SEG.ldtr, state.ldt, d);
  }
  if (cpu.lo(OFF.eflags) & FLAG.vm) return;
  for (const n of [SEG.cs, SEG.ss, SEG.ds, SEG.es, SEG.fs, SEG.gs]) {
    const selector = state.segs[n];
    if (selector === undefined) continue;
    loadTaskSegment(cpu, n, selector, cpl, ext);
    if (n === SEG.cs) {
      setIp(cpu, state.ip, 0);
      if (state.ip >>> 0 > d.limit >>> 0) cpu.fault(EXC.GP, ext);
    }
  }
}

function loadTaskSegment(cpu: X86Cpu, n: number, selector: number, cpl: number, ext: number): void {
  const d = cpu.descriptor;
  const code = (selector & 0xfffc) | ext;
  const rpl = selector & 3;
  const bad = (vector: number): never => cpu.fault(vector, code);
  if ((selector & 0xfffc) === 0) {
    if (n === SEG.cs || n === SEG.ss) bad(EXC.TS);
    return;
  }
  needDescriptor(cpu, selector, d, EXC.TS, ext);
  if ((d.hi & DESC.s) === 0) bad(EXC.TS);
  if (n === SEG.cs) {
    if (!d.isCode) bad(EXC.TS);
    if (d.conforming ? d.dpl > rpl : d.dpl !== rpl) bad(EXC.TS);
  } else if (n === SEG.ss) {
    if ((d.hi & (DESC.code | DESC.rw)) !== DESC.rw || d.dpl !== cpl || d.dpl !== rpl) bad(EXC.TS);
  } else {
    if ((d.hi & (DESC.code | DESC.rw)) === DESC.code) bad(EXC.TS);
    if (!(d.isCode && d.conforming) && (d.dpl < cpl || d.dpl < rpl)) bad(EXC.TS);
  }
  if (!d.present) bad(n === SEG.ss ? EXC.SS : EXC.NP);
  markAccessed(cpu, d);
  loadFrom(cpu, n, selector, d);
}

/** IRET with NT set: back to the task whose selector is in this one's link. */
export function returnFromTask(cpu: X86Cpu, ip: number): void {
  const link = read(cpu, cpu.lo(segOffset(SEG.tr) + SEG_FIELD.base), 0, 2, MMU.kernel);
  switchTask(cpu, link, "iret", ip, 0);
}
