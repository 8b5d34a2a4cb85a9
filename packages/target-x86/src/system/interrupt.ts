/** Delivery of interrupts and exceptions. Source: Intel SDM volume 3A (2023), chapter 6; AMD APM volume 2 (2023), chapter 8. */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { FLAG, HF, OFF, PENDING, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0 } from "./bits.ts";
import { DESC, isCode64, isLong, loadFrom, markAccessed, readDescriptor, readUpper, needDescriptor, setSegment,
  SYSTEM } from "./descriptor.ts"; // prettier-ignore
import { logDelivery, logException, logExternal, logShutdown } from "./event-log.ts";
import { mmuOf, read } from "./memory.ts";
import { initCpu, startUp } from "./reset.ts";
import { loadNull } from "./segments.ts";
import { enterSmm } from "./smm.ts";
import type { Width } from "./stack.ts";
import { SYS } from "./state.ts";
import { switchTask } from "./task.ts";
import {
  ipOf,
  checkIp,
  needInnerStack,
  nullStack,
  pointerFromTask64,
  setCode,
  setIp,
  stackFromTask,
} from "./transfer.ts";
import { EXC, FAULT, WITH_ERROR_CODE } from "./vectors.ts";

/** Where an interrupt comes from. */
const HARDWARE = 0;
const SOFTWARE = 1;
const EXTERNAL = 2;

/** DE, TS, NP, SS, GP. Source: SDM volume 3A, table 6-4. */
const CONTRIBUTORY: number = (1 << 0) | (0xf << 10);
/** Exceptions that are traps: RF of what they push stays. */
const TRAPS: number = (1 << EXC.DB) | (1 << EXC.BP) | (1 << EXC.OF) | (1 << EXC.NMI) | (1 << EXC.DF) | (1 << EXC.MC);

/** Takes an enabled pending interrupt, if there is one. @returns whether the state changed */
export function takeInterrupt(cpu: X86Cpu): boolean {
  const pending = cpu.lo(OFF.pending);
  if ((pending & (PENDING.intr | PENDING.nmi | PENDING.smi | PENDING.init | PENDING.sipi)) === 0) return false;
  if (pending & PENDING.waitSipi) return waitForStart(cpu, pending);
  const flags = cpu.lo(ENV.tbFlags);
  if (pending & PENDING.smi && (flags & HF.smm) === 0) {
    cpu.setLo(OFF.pending, pending & ~PENDING.smi);
    cpu.setLo(ENV.halted, 0);
    enterSmm(cpu);
    return true;
  }
  if (pending & PENDING.init && (flags & HF.smm) === 0) {
    initCpu(cpu);
    return true;
  }
  if (flags & HF.shadow) return false;
  if (pending & PENDING.nmi && (pending & PENDING.nmiBlocked) === 0) {
    cpu.setLo(OFF.pending, (pending & ~PENDING.nmi) | PENDING.nmiBlocked);
    cpu.setLo(ENV.halted, 0);
    dispatch(cpu, EXC.NMI, -1, EXTERNAL, 0);
    return true;
  }
  if ((pending & PENDING.intr) === 0 || (cpu.lo(OFF.eflags) & FLAG.if) === 0) return false;
  const vector = cpu.controller.acknowledge();
  if (vector < 0) return false;
  if (cpu.lo(OFF.logged) !== 0) logExternal(cpu, vector);
  cpu.setLo(ENV.halted, 0);
  dispatch(cpu, vector, -1, EXTERNAL, 0);
  return true;
}

function waitForStart(cpu: X86Cpu, pending: number): boolean {
  cpu.setLo(OFF.pending, pending & ~PENDING.init);
  if ((pending & PENDING.sipi) === 0) {
    cpu.setLo(ENV.halted, 1);
    return false;
  }
  startUp(cpu, (pending >>> 8) & 0xff);
  return true;
}

/** Enters the handler of an exception. The instruction pointer is that of the fault, or behind the trap. */
export function deliverException(cpu: X86Cpu, vector: number): void {
  const code = cpu.lo(OFF.errorCode);
  const soft = cpu.lo(OFF.softLength);
  cpu.setLo(OFF.errorCode, -1);
  cpu.setLo(OFF.softLength, 0);
  // A software interrupt comes back behind its instruction.
  if (soft !== 0) advance(cpu, soft);
  dispatch(cpu, vector, code, soft === 0 ? HARDWARE : SOFTWARE, soft);
}

/** Moves the instruction pointer by a few bytes, either way. */
function advance(cpu: X86Cpu, bytes: number): void {
  const lo = cpu.lo(OFF.pc) + bytes;
  const carry = bytes > 0 ? (lo >>> 0 < bytes ? 1 : 0) : cpu.lo(OFF.pc) >>> 0 < -bytes ? -1 : 0;
  cpu.set(OFF.pc, lo | 0, cpu.wide ? (cpu.hi(OFF.pc) + carry) | 0 : 0);
}

/** Delivers, and whatever comes of delivering. Source: SDM volume 3A, 6.15, "Interrupt 8". */
function dispatch(cpu: X86Cpu, vector: number, code: number, source: number, soft: number): void {
  cpu.setLo(ENV.tbFlags, cpu.lo(ENV.tbFlags) & ~HF.shadow);
  let error = vector === EXC.AC || vector === EXC.DF ? 0 : code;
  const logged = cpu.lo(OFF.logged) !== 0;
  if (logged && source === HARDWARE) logException(cpu, -1, vector);
  for (;;) {
    if (vector === EXC.PF && source === HARDWARE) cpu.copy(OFF.cr2, SYS.faultAddress);
    if (vector === EXC.DB) cpu.set(OFF.dr7, cpu.lo(OFF.dr7) & ~0x2000, 0);
    const coded = source === HARDWARE && ((WITH_ERROR_CODE >>> vector) & 1) === 1 ? error : -1;
    const rf = source === HARDWARE && ((TRAPS >>> vector) & 1) === 0 ? 1 : 0;
    if (logged) logDelivery(cpu, vector, coded, source === SOFTWARE, soft);
    if (cpu.fast.enter(cpu.env, vector, coded, source === SOFTWARE ? 1 : 0, rf) !== 0) return;
    try {
      enter(cpu, vector, error, source);
      cpu.updateFlags();
      return;
    } catch (e) {
      if (e !== FAULT) throw e;
    }
    // The instruction that wanted the interrupt is where its failure is reported.
    if (soft !== 0) advance(cpu, -soft);
    soft = 0;
    const second = cpu.lo(ENV.exception) - 1;
    const secondCode = cpu.lo(OFF.errorCode);
    cpu.setLo(ENV.exception, 0);
    cpu.setLo(OFF.errorCode, -1);
    const first = source === HARDWARE ? vector : -1;
    if (logged) logException(cpu, first, second);
    const grave = second === EXC.PF || contributory(second);
    if (first === EXC.DF && grave) return shutdown(cpu);
    if ((contributory(first) && contributory(second)) || (first === EXC.PF && grave)) {
      vector = EXC.DF;
      error = 0;
    } else {
      vector = second;
      error = secondCode;
    }
    source = HARDWARE;
  }
}

function contributory(vector: number): boolean {
  return vector >= 0 && vector < 32 && ((CONTRIBUTORY >>> vector) & 1) === 1;
}

/** The third fault: the CPU stops until something resets it. */
function shutdown(cpu: X86Cpu): void {
  logShutdown(cpu);
  cpu.setLo(ENV.halted, 1);
  cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) & ~FLAG.if);
  cpu.updateFlags();
  cpu.engine.kick(cpu.env);
  cpu.signals.shutdown?.();
}

function enter(cpu: X86Cpu, vector: number, code: number, source: number): void {
  if ((cpu.lo(OFF.cr0) & CR0.PE) === 0) return enterReal(cpu, vector);
  if (isLong(cpu)) return enterLong(cpu, vector, code, source);
  enterProtected(cpu, vector, code, source);
}

/** EFLAGS as they are pushed: after a fault RF is set, so that a breakpoint does not hit the instruction again. */
function savedFlags(cpu: X86Cpu, vector: number, source: number): number {
  const flags = cpu.eflags;
  return source === HARDWARE && ((TRAPS >>> vector) & 1) === 0 ? flags | FLAG.rf : flags;
}

function enterReal(cpu: X86Cpu, vector: number): void {
  if (vector * 4 + 3 > cpu.lo(OFF.idtLimit) >>> 0) cpu.fault(EXC.GP, vector * 8 + 2);
  const at = (cpu.lo(OFF.idtBase) + vector * 4) | 0;
  const mmu = mmuOf(cpu, 0);
  const ip = read(cpu, at, 0, 2, mmu);
  const selector = read(cpu, (at + 2) | 0, 0, 2, mmu);
  const { stack } = cpu;
  stack.current();
  stack.push(2, cpu.eflags);
  stack.push(2, cpu.lo(segOffset(SEG.cs) + SEG_FIELD.selector));
  stack.push(2, ipOf(cpu, cpu.lo(OFF.pc)));
  stack.commit();
  cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) & ~(FLAG.if | FLAG.tf | FLAG.ac | FLAG.rf));
  const cs = segOffset(SEG.cs);
  cpu.setLo(cs + SEG_FIELD.selector, selector);
  cpu.set(cs + SEG_FIELD.base, selector << 4, 0);
  setIp(cpu, ip, 0);
}

function enterProtected(cpu: X86Cpu, vector: number, code: number, source: number): void {
  const ext = source === SOFTWARE ? 0 : 1;
  const { gate, stack } = cpu;
  const d = cpu.descriptor;
  const idtCode = vector * 8 + 2 + ext;
  if (vector * 8 + 7 > cpu.lo(OFF.idtLimit) >>> 0) cpu.fault(EXC.GP, idtCode);
  readDescriptor(cpu, cpu.lo(OFF.idtBase), 0, vector * 8, gate);
  const type = gate.type;
  if (type !== SYSTEM.task && (type & ~9) !== 6) cpu.fault(EXC.GP, idtCode);
  if (source === SOFTWARE && gate.dpl < cpu.cpl) cpu.fault(EXC.GP, idtCode);
  if (!gate.present) cpu.fault(EXC.NP, idtCode);
  const hasCode = code >= 0 && ((WITH_ERROR_CODE >>> vector) & 1) === 1 && source === HARDWARE;
  if (type === SYSTEM.task) return enterTask(cpu, hasCode ? code : -1, ext);

  const selector = gate.gateSelector;
  if ((selector & 0xfffc) === 0) cpu.fault(EXC.GP, ext);
  needDescriptor(cpu, selector, d, EXC.GP, ext);
  const selectorCode = (selector & 0xfffc) | ext;
  const cpl = cpu.cpl;
  if (!d.isCode || d.dpl > cpl) cpu.fault(EXC.GP, selectorCode);
  if (!d.present) cpu.fault(EXC.NP, selectorCode);
  const width: Width = type & 8 ? 4 : 2;
  const flags = savedFlags(cpu, vector, source);
  const inner = !d.conforming && d.dpl < cpl;
  const vm = (flags & FLAG.vm) !== 0;
  // Out of virtual-8086 mode the way leads to ring 0 only.
  if (vm && (!inner || d.dpl !== 0)) cpu.fault(EXC.GP, selectorCode);
  const level = inner ? d.dpl : cpl;
  let ssSelector = 0;
  const ssOld = cpu.lo(segOffset(SEG.ss) + SEG_FIELD.selector);
  stack.current();
  const spLo = stack.lo;
  if (inner) {
    const esp = stackFromTask(cpu, level, ext);
    ssSelector = cpu.pair[0]!;
    needInnerStack(cpu, ssSelector, level, ext);
    stack.segment(cpu.stackDescriptor, esp, level, ssSelector);
    if (vm) for (const n of [SEG.gs, SEG.fs, SEG.ds, SEG.es]) stack.push(width, selectorOf(cpu, n));
    stack.push(width, ssOld);
    stack.push(width, spLo);
  }
  stack.push(width, flags);
  stack.push(width, selectorOf(cpu, SEG.cs));
  stack.push(width, ipOf(cpu, cpu.lo(OFF.pc)));
  if (hasCode) stack.push(width, code);
  const ip = width === 4 ? gate.gateOffset : gate.gateOffset & 0xffff;
  checkIp(cpu, d, ip, 0);
  markAccessed(cpu, d);
  if (inner) markAccessed(cpu, cpu.stackDescriptor);
  // Nothing can fail any more.
  afterGate(cpu, type);
  if (vm) for (const n of [SEG.es, SEG.ds, SEG.fs, SEG.gs]) loadNull(cpu, n, 0);
  if (inner) loadFrom(cpu, SEG.ss, (ssSelector & 0xfffc) | level, cpu.stackDescriptor);
  stack.commit();
  setCode(cpu, selector, level, d);
  setIp(cpu, ip, 0);
}

/** Flags in the handler: interrupt gates clear IF. */
function afterGate(cpu: X86Cpu, type: number): void {
  let flags = cpu.lo(OFF.eflags) & ~(FLAG.tf | FLAG.nt | FLAG.rf | FLAG.vm);
  if ((type & 1) === 0) flags &= ~FLAG.if;
  cpu.setLo(OFF.eflags, flags);
}

function enterTask(cpu: X86Cpu, code: number, ext: number): void {
  switchTask(cpu, cpu.gate.gateSelector, "call", ipOf(cpu, cpu.lo(OFF.pc)), ext);
  if (code < 0) return;
  const width: Width = cpu.lo(segOffset(SEG.tr) + SEG_FIELD.attr) & 0x800 ? 4 : 2;
  cpu.stack.current();
  cpu.stack.push(width, code);
  cpu.stack.commit();
}

function enterLong(cpu: X86Cpu, vector: number, code: number, source: number): void {
  const ext = source === SOFTWARE ? 0 : 1;
  const { gate, stack } = cpu;
  const d = cpu.descriptor;
  const idtCode = vector * 8 + 2 + ext;
  if (vector * 16 + 15 > cpu.lo(OFF.idtLimit) >>> 0) cpu.fault(EXC.GP, idtCode);
  readDescriptor(cpu, cpu.lo(OFF.idtBase), cpu.hi(OFF.idtBase), vector * 16, gate);
  const type = gate.type;
  if (type !== SYSTEM.int32 && type !== SYSTEM.trap32) cpu.fault(EXC.GP, idtCode);
  if (source === SOFTWARE && gate.dpl < cpu.cpl) cpu.fault(EXC.GP, idtCode);
  if (!gate.present) cpu.fault(EXC.NP, idtCode);
  readUpper(cpu, gate);
  const selector = gate.gateSelector;
  if ((selector & 0xfffc) === 0) cpu.fault(EXC.GP, ext);
  needDescriptor(cpu, selector, d, EXC.GP, ext);
  const selectorCode = (selector & 0xfffc) | ext;
  const cpl = cpu.cpl;
  if (!d.isCode || d.dpl > cpl) cpu.fault(EXC.GP, selectorCode);
  if (!d.present) cpu.fault(EXC.NP, selectorCode);
  if ((d.hi & (DESC.l | DESC.db)) !== DESC.l) cpu.fault(EXC.GP, selectorCode);
  const inner = !d.conforming && d.dpl < cpl;
  const level = inner ? d.dpl : cpl;
  const flags = savedFlags(cpu, vector, source);
  stack.current();
  const spLo = stack.lo;
  const spHi = isCode64(cpu) ? stack.hi : 0;
  const ist = gate.hi & 7;
  if (ist !== 0) stack.flat(pointerFromTask64(cpu, 28 + 8 * ist, ext), cpu.pair[1]! | 0, level);
  else if (inner) stack.flat(pointerFromTask64(cpu, 4 + 8 * level, ext), cpu.pair[1]! | 0, level);
  else stack.flat(spLo, spHi, level);
  stack.lo &= ~15;
  stack.push(8, selectorOf(cpu, SEG.ss));
  stack.push(8, spLo, spHi);
  stack.push(8, flags);
  stack.push(8, selectorOf(cpu, SEG.cs));
  const pc = cpu.lo(OFF.pc);
  stack.push(8, ipOf(cpu, pc), isCode64(cpu) ? cpu.hi(OFF.pc) : 0);
  if (code >= 0 && source === HARDWARE && ((WITH_ERROR_CODE >>> vector) & 1) === 1) stack.push(8, code);
  checkIp(cpu, d, gate.gateOffset, gate.upper);
  markAccessed(cpu, d);
  afterGate(cpu, type);
  if (inner) nullStack(cpu, level);
  cpu.set(OFF.pc, gate.gateOffset, gate.upper);
  setSegment(cpu, SEG.cs, (selector & 0xfffc) | level, 0, 0, d.limit, d.attr);
  cpu.setLo(OFF.cpl, level);
  stack.commit();
}

function selectorOf(cpu: X86Cpu, n: number): number {
  return cpu.lo(segOffset(n) + SEG_FIELD.selector);
}
