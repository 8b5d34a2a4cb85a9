/** Far JMP, CALL, RET and IRET. Source: Intel SDM volume 2 (2023), the instructions; volume 3A, 5.8. */
import type { X86Cpu } from "../cpu.ts";
import { FLAG, OFF, PENDING, REG, regOffset, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { DESC, isCode64, isLong, isProtected, loadFrom, markAccessed, needDescriptor, readUpper, setRealSegment,
  setSegment, SYSTEM, type Descriptor } from "./descriptor.ts"; // prettier-ignore
import { writableFlags } from "./eflags.ts";
import { dropInnerSegments, loadNull } from "./segments.ts";
import { StackFrame, type Width } from "./stack.ts";
import { returnFromTask, switchTask } from "./task.ts";
import {
  checkIp, ipOf, needInnerStack, nullStack, pointerFromTask64, setCode, setIp, stackFromTask,
} from "./transfer.ts"; // prettier-ignore
import { virtualReturn } from "./v86.ts";
import { EXC } from "./vectors.ts";

/** Far JMP to selector:offset. pc is behind the instruction. */
export function jumpFar(cpu: X86Cpu, selector: number, lo: number, hi: number): void {
  if (!isProtected(cpu)) {
    if (lo >>> 0 > cpu.lo(segOffset(SEG.cs) + SEG_FIELD.limit) >>> 0) cpu.fault(EXC.GP, 0);
    setRealSegment(cpu, SEG.cs, selector);
    return setIp(cpu, lo, 0);
  }
  const d = cpu.descriptor;
  const code = selector & 0xfffc;
  if (code === 0) cpu.fault(EXC.GP, 0);
  needDescriptor(cpu, selector, d);
  if (d.isCode) {
    needPlainCode(cpu, selector, d);
    checkIp(cpu, d, lo, hi);
    markAccessed(cpu, d);
    setCode(cpu, selector, cpu.cpl, d);
    return setIp(cpu, lo, hi);
  }
  if (d.hi & DESC.s) cpu.fault(EXC.GP, code);
  if (d.dpl < cpu.cpl || d.dpl < (selector & 3)) cpu.fault(EXC.GP, code);
  const type = d.type & ~8;
  if (isLong(cpu) ? d.type !== SYSTEM.call32 : type !== 4 && d.type !== SYSTEM.task && type !== SYSTEM.tss16)
    cpu.fault(EXC.GP, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  if (type === SYSTEM.tss16) return switchTask(cpu, selector, "jmp", ipOf(cpu, cpu.lo(OFF.pc)), 0);
  if (d.type === SYSTEM.task) return switchTask(cpu, d.gateSelector, "jmp", ipOf(cpu, cpu.lo(OFF.pc)), 0);
  const wide = needGateTarget(cpu, selector, d);
  const target = cpu.descriptor;
  const gateSelector = cpu.gate.gateSelector;
  const cpl = cpu.cpl;
  if (target.conforming ? target.dpl > cpl : target.dpl !== cpl) cpu.fault(EXC.GP, gateSelector & 0xfffc);
  if (!target.present) cpu.fault(EXC.NP, gateSelector & 0xfffc);
  const offset = wide >= 4 ? cpu.gate.gateOffset : cpu.gate.gateOffset & 0xffff;
  checkIp(cpu, target, offset, cpu.gate.upper);
  markAccessed(cpu, target);
  setCode(cpu, gateSelector, cpl, target);
  setIp(cpu, offset, cpu.gate.upper);
}

/** A code segment as the target of a JMP or CALL without gate. */
function needPlainCode(cpu: X86Cpu, selector: number, d: Descriptor): void {
  const code = selector & 0xfffc;
  const cpl = cpu.cpl;
  if (d.conforming ? d.dpl > cpl : (selector & 3) > cpl || d.dpl !== cpl) cpu.fault(EXC.GP, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  if (isLong(cpu) && (d.hi & (DESC.l | DESC.db)) === (DESC.l | DESC.db)) cpu.fault(EXC.GP, code);
}

/** Moves a call gate from `cpu.descriptor` to `cpu.gate` and reads its target's descriptor. @returns its width */
function needGateTarget(cpu: X86Cpu, selector: number, d: Descriptor): Width {
  const { gate } = cpu;
  gate.lo = d.lo;
  gate.hi = d.hi;
  gate.atLo = d.atLo;
  gate.atHi = d.atHi;
  gate.upper = 0;
  const long = isLong(cpu);
  if (long && (selector & 0xfff8) + 15 > cpu.lo(OFF.gdtLimit) >>> 0 && (selector & 4) === 0)
    cpu.fault(EXC.GP, selector & 0xfffc);
  if (long && !readUpper(cpu, gate)) cpu.fault(EXC.GP, selector & 0xfffc);
  const target = gate.gateSelector;
  if ((target & 0xfffc) === 0) cpu.fault(EXC.GP, 0);
  needDescriptor(cpu, target, d);
  if (!d.isCode || d.dpl > cpu.cpl) cpu.fault(EXC.GP, target & 0xfffc);
  if (long && (d.hi & (DESC.l | DESC.db)) !== DESC.l) cpu.fault(EXC.GP, target & 0xfffc);
  return long ? 8 : (gate.type & 8) !== 0 ? 4 : 2;
}

/** Far CALL; pc is behind the instruction. */
export function callFar(cpu: X86Cpu, selector: number, lo: number, hi: number, width: Width): void {
  const { stack } = cpu;
  const pc = cpu.lo(OFF.pc);
  const pcHi = isCode64(cpu) ? cpu.hi(OFF.pc) : 0;
  const cs = cpu.lo(segOffset(SEG.cs) + SEG_FIELD.selector);
  stack.current();
  if (!isProtected(cpu)) {
    if (lo >>> 0 > cpu.lo(segOffset(SEG.cs) + SEG_FIELD.limit) >>> 0) cpu.fault(EXC.GP, 0);
    stack.push(width, cs);
    stack.push(width, ipOf(cpu, pc));
    stack.commit();
    setRealSegment(cpu, SEG.cs, selector);
    return setIp(cpu, lo, 0);
  }
  const d = cpu.descriptor;
  const code = selector & 0xfffc;
  if (code === 0) cpu.fault(EXC.GP, 0);
  needDescriptor(cpu, selector, d);
  if (d.isCode) {
    needPlainCode(cpu, selector, d);
    stack.push(width, cs);
    stack.push(width, ipOf(cpu, pc), pcHi);
    checkIp(cpu, d, lo, hi);
    markAccessed(cpu, d);
    stack.commit();
    setCode(cpu, selector, cpu.cpl, d);
    return setIp(cpu, lo, hi);
  }
  if (d.hi & DESC.s) cpu.fault(EXC.GP, code);
  if (d.dpl < cpu.cpl || d.dpl < (selector & 3)) cpu.fault(EXC.GP, code);
  const type = d.type & ~8;
  if (isLong(cpu) ? d.type !== SYSTEM.call32 : type !== 4 && d.type !== SYSTEM.task && type !== SYSTEM.tss16)
    cpu.fault(EXC.GP, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  if (type === SYSTEM.tss16) return switchTask(cpu, selector, "call", ipOf(cpu, pc), 0);
  if (d.type === SYSTEM.task) return switchTask(cpu, d.gateSelector, "call", ipOf(cpu, pc), 0);
  const gateWidth = needGateTarget(cpu, selector, d);
  if (!d.present) cpu.fault(EXC.NP, cpu.gate.gateSelector & 0xfffc);
  callThroughGate(cpu, gateWidth, cs, ipOf(cpu, pc), pcHi);
}

function callThroughGate(cpu: X86Cpu, width: Width, cs: number, ip: number, ipHi: number): void {
  const { gate, stack } = cpu;
  const d = cpu.descriptor;
  const selector = gate.gateSelector;
  const cpl = cpu.cpl;
  const inner = !d.conforming && d.dpl < cpl;
  const level = inner ? d.dpl : cpl;
  let ss = 0;
  if (inner) {
    const oldSs = cpu.lo(segOffset(SEG.ss) + SEG_FIELD.selector);
    const old = new StackFrame(cpu);
    old.current();
    const [spLo, spHi] = [old.lo, old.hi];
    if (width === 8) stack.flat(pointerFromTask64(cpu, 4 + 8 * level, 0), cpu.pair[1]! | 0, level);
    else {
      const esp = stackFromTask(cpu, level, 0);
      ss = cpu.pair[0]!;
      needInnerStack(cpu, ss, level, 0);
      stack.segment(cpu.stackDescriptor, esp, level, ss);
    }
    stack.push(width, oldSs);
    stack.push(width, spLo, spHi);
    if (width !== 8) copyParameters(old, stack, gate.hi & 31, width);
  }
  stack.push(width, cs);
  stack.push(width, ip, ipHi);
  const offset = width >= 4 ? gate.gateOffset : gate.gateOffset & 0xffff;
  checkIp(cpu, d, offset, gate.upper);
  markAccessed(cpu, d);
  if (inner && width === 8) nullStack(cpu, level);
  else if (inner) {
    markAccessed(cpu, cpu.stackDescriptor);
    loadFrom(cpu, SEG.ss, (ss & 0xfffc) | level, cpu.stackDescriptor);
  }
  setCode(cpu, selector, level, d);
  stack.commit();
  setIp(cpu, offset, gate.upper);
}

/** Parameters on the old stack, in the same order on the new one. */
function copyParameters(from: StackFrame, to: StackFrame, count: number, width: 2 | 4): void {
  const values: number[] = [];
  for (let n = 0; n < count; n++) values.push(from.pop(width));
  while (values.length > 0) to.push(width, values.pop()!);
}

/** Far RET; `release` bytes of parameters are dropped. */
export function returnFar(cpu: X86Cpu, width: Width, release: number): void {
  const { stack } = cpu;
  stack.current();
  const lo = stack.pop(width);
  const hi = stack.popHi;
  const selector = stack.pop(width) & 0xffff;
  if (!isProtected(cpu)) {
    if (lo >>> 0 > cpu.lo(segOffset(SEG.cs) + SEG_FIELD.limit) >>> 0) cpu.fault(EXC.GP, 0);
    stack.skip(release);
    stack.commit();
    setRealSegment(cpu, SEG.cs, selector);
    return setIp(cpu, lo, 0);
  }
  stack.skip(release);
  returnTo(cpu, selector, lo, hi, width, release, false);
}

/** The common end of RET and IRET in protected mode: `cpu.stack` is behind CS (and flags) and the released bytes. */
function returnTo(
  cpu: X86Cpu,
  selector: number,
  lo: number,
  hi: number,
  width: Width,
  release: number,
  iret: boolean,
): void {
  const { stack } = cpu;
  const d = cpu.descriptor;
  const code = selector & 0xfffc;
  if (code === 0) cpu.fault(EXC.GP, 0);
  needDescriptor(cpu, selector, d);
  const rpl = selector & 3;
  const cpl = cpu.cpl;
  if (!d.isCode || rpl < cpl) cpu.fault(EXC.GP, code);
  if (d.conforming ? d.dpl > rpl : d.dpl !== rpl) cpu.fault(EXC.GP, code);
  if (isLong(cpu) && (d.hi & (DESC.l | DESC.db)) === (DESC.l | DESC.db)) cpu.fault(EXC.GP, code);
  if (!d.present) cpu.fault(EXC.NP, code);
  if (rpl === cpl && !(iret && isCode64(cpu))) {
    checkIp(cpu, d, lo, hi);
    markAccessed(cpu, d);
    stack.commit();
    setCode(cpu, selector, cpl, d);
    return setIp(cpu, lo, hi);
  }
  const spLo = stack.pop(width);
  const spHi = stack.popHi;
  const ss = stack.pop(width) & 0xffff;
  const target64 = isLong(cpu) && (d.hi & DESC.l) !== 0;
  const s = cpu.stackDescriptor;
  const nullSs = (ss & 0xfffc) === 0;
  if (nullSs) {
    if (!target64 || rpl === 3 || (ss & 3) !== rpl) cpu.fault(EXC.GP, 0);
  } else {
    needDescriptor(cpu, ss, s);
    const ssCode = ss & 0xfffc;
    if ((ss & 3) !== rpl || s.dpl !== rpl || (s.hi & (DESC.s | DESC.code | DESC.rw)) !== (DESC.s | DESC.rw))
      cpu.fault(EXC.GP, ssCode);
    if (!s.present) cpu.fault(EXC.SS, ssCode);
  }
  checkIp(cpu, d, lo, hi);
  markAccessed(cpu, d);
  if (!nullSs) markAccessed(cpu, s);
  setCode(cpu, selector, rpl, d);
  if (nullSs) loadNull(cpu, SEG.ss, ss);
  else loadFrom(cpu, SEG.ss, ss, s);
  if (target64 || width === 8) cpu.set(regOffset(REG.sp), spLo, target64 ? spHi : 0);
  else StackFrame.pointer(cpu, s.hi, width === 2 ? spLo & 0xffff : spLo);
  if (release !== 0) {
    stack.current();
    stack.skip(release);
    stack.commit();
  }
  setIp(cpu, lo, hi);
  if (rpl > cpl) dropInnerSegments(cpu);
}

/** IRET of an operand size; pc is behind the instruction. */
export function returnFromInterrupt(cpu: X86Cpu, width: Width): void {
  const old = cpu.lo(OFF.eflags);
  const unblock = (): void => cpu.setLo(OFF.pending, cpu.lo(OFF.pending) & ~PENDING.nmiBlocked);
  const { stack } = cpu;
  if (!isProtected(cpu)) {
    realReturn(cpu, width, old);
    return unblock();
  }
  if (old & FLAG.nt) {
    if (isLong(cpu)) cpu.fault(EXC.GP, 0);
    returnFromTask(cpu, ipOf(cpu, cpu.lo(OFF.pc)));
    return unblock();
  }
  stack.current();
  const lo = stack.pop(width);
  const hi = stack.popHi;
  const selector = stack.pop(width) & 0xffff;
  const flags = stack.pop(width);
  const cpl = cpu.cpl;
  if (width === 4 && flags & FLAG.vm && cpl === 0 && !isLong(cpu)) {
    returnToV86(cpu, lo, selector, flags);
    return unblock();
  }
  const iopl = (old >>> 12) & 3;
  let mask = writableFlags(cpl, iopl) | (width === 2 ? 0 : FLAG.rf);
  if (width !== 2 && cpl === 0) mask |= FLAG.vif | FLAG.vip;
  if (width === 2) mask &= 0xffff;
  const merged = (cpu.eflags & ~mask) | (flags & mask);
  returnTo(cpu, selector, lo, hi, width, 0, true);
  cpu.eflags = merged;
  unblock();
}

function realReturn(cpu: X86Cpu, width: Width, old: number): void {
  const vm = (old & FLAG.vm) !== 0;
  if (vm && (old & FLAG.iopl) !== FLAG.iopl) return virtualReturn(cpu, width);
  const { stack } = cpu;
  stack.current();
  const ip = stack.pop(width);
  const selector = stack.pop(width) & 0xffff;
  const flags = stack.pop(width);
  if (ip >>> 0 > cpu.lo(segOffset(SEG.cs) + SEG_FIELD.limit) >>> 0) cpu.fault(EXC.GP, 0);
  stack.commit();
  let mask = writableFlags(0, 3) | FLAG.rf;
  if (vm) mask &= ~FLAG.iopl;
  if (width === 2) mask &= 0xffff;
  cpu.eflags = (cpu.eflags & ~mask) | (flags & mask);
  setRealSegment(cpu, SEG.cs, selector);
  setIp(cpu, ip, 0);
}

function returnToV86(cpu: X86Cpu, ip: number, cs: number, flags: number): void {
  const { stack } = cpu;
  const esp = stack.pop(4);
  const ss = stack.pop(4);
  const [es, ds, fs, gs] = [stack.pop(4), stack.pop(4), stack.pop(4), stack.pop(4)];
  cpu.eflags = flags & 0x3f7fd7;
  const values = [es, cs, ss, ds, fs, gs];
  for (let n = 0; n < 6; n++) setSegment(cpu, n, values[n]!, (values[n]! & 0xffff) << 4, 0, 0xffff, 0xf300);
  cpu.setLo(OFF.cpl, 3);
  cpu.set(regOffset(REG.sp), esp, 0);
  cpu.set(OFF.pc, (((cs & 0xffff) << 4) + (ip & 0xffff)) | 0, 0);
}
