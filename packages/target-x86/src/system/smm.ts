/**
 * System management mode: SMI and RSM. Source: AMD APM volume 2 (2023), 10.2.3 (state save area of 64-bit processors);
 * Intel SDM volume 3C (2023), 32.4.1 (of 32-bit ones).
 */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, FLAG, HF, OFF, PENDING, regOffset, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0, CR4, EFER } from "./bits.ts";
import { setSegment } from "./descriptor.ts";
import { logRegisters } from "./event-log.ts";
import { ipOf, setIp } from "./transfer.ts";
import { EXC } from "./vectors.ts";

/** Revision: SMBASE can be moved; the 64-bit layout says so. */
const REVISION64 = 0x20064;
const REVISION32 = 0x20000;
const RELOCATION = 0x20000;

/** Present, writable, accessed, all of the 4 GiB. */
const FLAT16 = 0x809300;

/** Physical memory as the CPU in SMM finds it. */
class SaveArea {
  readonly #cpu: X86Cpu;
  readonly #base: number;
  constructor(cpu: X86Cpu) {
    this.#cpu = cpu;
    this.#base = (cpu.lo(OFF.smbase) >>> 0) + 0x8000;
  }
  put(offset: number, value: number, size: 2 | 4 = 4): void {
    const at = this.#cpu.walker.place(this.#base + offset);
    this.#cpu.engine.bus.write(at, size, size === 2 ? value & 0xffff : value >>> 0);
  }
  putSlot(offset: number, field: number): void {
    this.put(offset, this.#cpu.lo(field));
    this.put(offset + 4, this.#cpu.hi(field));
  }
  get(offset: number, size: 2 | 4 = 4): number {
    const value = this.#cpu.engine.bus.read(this.#cpu.walker.place(this.#base + offset), size);
    return size === 2 ? value & 0xffff : value | 0;
  }
  getSlot(offset: number, field: number): void {
    this.#cpu.set(field, this.get(offset), this.get(offset + 4));
  }
}

/** Attributes as the save area has them, and back. */
const pack = (attr: number): number => (attr >>> 8) & 0xf0ff;
const unpack = (flags: number): number => (flags & 0xf0ff) << 8;

/** Enters the SMI handler. */
export function enterSmm(cpu: X86Cpu): void {
  logRegisters(cpu, "interrupt", "SMM: enter");
  cpu.setLo(ENV.tbFlags, cpu.lo(ENV.tbFlags) | HF.smm);
  const pending = cpu.lo(OFF.pending);
  cpu.setLo(OFF.pending, pending | PENDING.nmiBlocked | (pending & PENDING.nmiBlocked ? PENDING.nmiBlockedBefore : 0));
  cpu.engine.flushTlb(cpu.env, ALL_INDEXES);
  cpu.signals.smm?.(true);
  const area = new SaveArea(cpu);
  if (cpu.wide) save64(cpu, area);
  else save32(cpu, area);
  const base = cpu.lo(OFF.smbase);
  cpu.set(OFF.efer, 0, 0);
  cpu.eflags = 2;
  cpu.set(OFF.cr0, cpu.lo(OFF.cr0) & ~(CR0.PE | CR0.EM | CR0.TS | CR0.PG), 0);
  cpu.set(OFF.cr4, 0, 0);
  cpu.set(OFF.dr7, 0x400, 0);
  for (let n = 0; n < 6; n++) setSegment(cpu, n, 0, 0, 0, -1, FLAT16);
  setSegment(cpu, SEG.cs, (base >>> 4) & 0xffff, base, 0, -1, FLAT16);
  cpu.setLo(OFF.cpl, 0);
  setIp(cpu, 0x8000, 0);
  cpu.stateReplaced();
}

/** Segments of the 64-bit layout: ES CS SS DS FS GS GDTR LDTR IDTR TR, 16 bytes each. */
function save64(cpu: X86Cpu, a: SaveArea): void {
  const segment = (n: number, at: number): void => {
    const from = segOffset(n);
    a.put(at, cpu.lo(from + SEG_FIELD.selector), 2);
    a.put(at + 2, pack(cpu.lo(from + SEG_FIELD.attr)), 2);
    a.put(at + 4, cpu.lo(from + SEG_FIELD.limit));
    a.putSlot(at + 8, from + SEG_FIELD.base);
  };
  for (let n = 0; n < 6; n++) segment(n, 0x7e00 + 16 * n);
  a.put(0x7e64, cpu.lo(OFF.gdtLimit));
  a.putSlot(0x7e68, OFF.gdtBase);
  segment(SEG.ldtr, 0x7e70);
  a.put(0x7e84, cpu.lo(OFF.idtLimit));
  a.putSlot(0x7e88, OFF.idtBase);
  segment(SEG.tr, 0x7e90);
  a.putSlot(0x7ed0, OFF.efer);
  for (let n = 0; n < 16; n++) a.putSlot(0x7ff8 - 8 * n, regOffset(n));
  a.put(0x7f78, ipOf(cpu, cpu.lo(OFF.pc)));
  a.put(0x7f7c, cpu.hi(OFF.pc));
  a.put(0x7f70, cpu.eflags);
  a.put(0x7f68, cpu.lo(OFF.dr6));
  a.put(0x7f60, cpu.lo(OFF.dr7));
  a.put(0x7f48, cpu.lo(OFF.cr4));
  a.putSlot(0x7f50, OFF.cr3);
  a.put(0x7f58, cpu.lo(OFF.cr0));
  a.put(0x7efc, REVISION64);
  a.put(0x7f00, cpu.lo(OFF.smbase));
}

function load64(cpu: X86Cpu, a: SaveArea): void {
  cpu.set(OFF.efer, a.get(0x7ed0), a.get(0x7ed4));
  const segment = (n: number, at: number): void =>
    setSegment(cpu, n, a.get(at, 2), a.get(at + 8), a.get(at + 12), a.get(at + 4), unpack(a.get(at + 2, 2)));
  segment(SEG.ldtr, 0x7e70);
  segment(SEG.tr, 0x7e90);
  a.getSlot(0x7e68, OFF.gdtBase);
  cpu.setLo(OFF.gdtLimit, a.get(0x7e64));
  a.getSlot(0x7e88, OFF.idtBase);
  cpu.setLo(OFF.idtLimit, a.get(0x7e84));
  for (let n = 0; n < 16; n++) a.getSlot(0x7ff8 - 8 * n, regOffset(n));
  cpu.eflags = a.get(0x7f70);
  cpu.set(OFF.dr6, a.get(0x7f68), 0);
  cpu.set(OFF.dr7, a.get(0x7f60), 0);
  cpu.set(OFF.cr4, a.get(0x7f48), 0);
  a.getSlot(0x7f50, OFF.cr3);
  cpu.set(OFF.cr0, a.get(0x7f58), 0);
  for (let n = 0; n < 6; n++) segment(n, 0x7e00 + 16 * n);
  setIp(cpu, a.get(0x7f78), a.get(0x7f7c));
  if (a.get(0x7efc) & RELOCATION) cpu.setLo(OFF.smbase, a.get(0x7f00));
}

/** Where attributes, limit and base of ES CS SS, and of DS FS GS, stand in the 32-bit layout. */
const place32 = (n: number): number => (n < 3 ? 0x7f84 + 12 * n : 0x7f2c + 12 * (n - 3));

function save32(cpu: X86Cpu, a: SaveArea): void {
  a.put(0x7ffc, cpu.lo(OFF.cr0));
  a.put(0x7ff8, cpu.lo(OFF.cr3));
  a.put(0x7ff4, cpu.eflags);
  a.put(0x7ff0, ipOf(cpu, cpu.lo(OFF.pc)));
  for (let n = 0; n < 8; n++) a.put(0x7fd0 + 4 * n, cpu.lo(regOffset(n)));
  a.put(0x7fcc, cpu.lo(OFF.dr6));
  a.put(0x7fc8, cpu.lo(OFF.dr7));
  const system = (n: number, selector: number, base: number): void => {
    const from = segOffset(n);
    a.put(selector, cpu.lo(from + SEG_FIELD.selector));
    a.put(base, cpu.lo(from + SEG_FIELD.base));
    a.put(base - 4, cpu.lo(from + SEG_FIELD.limit));
    a.put(base - 8, pack(cpu.lo(from + SEG_FIELD.attr)));
  };
  system(SEG.tr, 0x7fc4, 0x7f64);
  system(SEG.ldtr, 0x7fc0, 0x7f80);
  a.put(0x7f74, cpu.lo(OFF.gdtBase));
  a.put(0x7f70, cpu.lo(OFF.gdtLimit));
  a.put(0x7f58, cpu.lo(OFF.idtBase));
  a.put(0x7f54, cpu.lo(OFF.idtLimit));
  for (let n = 0; n < 6; n++) {
    const from = segOffset(n);
    a.put(0x7fa8 + 4 * n, cpu.lo(from + SEG_FIELD.selector));
    a.put(place32(n) + 8, cpu.lo(from + SEG_FIELD.base));
    a.put(place32(n) + 4, cpu.lo(from + SEG_FIELD.limit));
    a.put(place32(n), pack(cpu.lo(from + SEG_FIELD.attr)));
  }
  a.put(0x7f14, cpu.lo(OFF.cr4));
  a.put(0x7efc, REVISION32);
  a.put(0x7ef8, cpu.lo(OFF.smbase));
}

function load32(cpu: X86Cpu, a: SaveArea): void {
  cpu.set(OFF.cr0, a.get(0x7ffc), 0);
  cpu.set(OFF.cr3, a.get(0x7ff8), 0);
  cpu.set(OFF.cr4, a.get(0x7f14), 0);
  cpu.eflags = a.get(0x7ff4);
  for (let n = 0; n < 8; n++) cpu.set(regOffset(n), a.get(0x7fd0 + 4 * n), 0);
  cpu.set(OFF.dr6, a.get(0x7fcc), 0);
  cpu.set(OFF.dr7, a.get(0x7fc8), 0);
  const system = (n: number, selector: number, base: number): void =>
    setSegment(cpu, n, a.get(selector), a.get(base), 0, a.get(base - 4), unpack(a.get(base - 8)));
  system(SEG.tr, 0x7fc4, 0x7f64);
  system(SEG.ldtr, 0x7fc0, 0x7f80);
  cpu.set(OFF.gdtBase, a.get(0x7f74), 0);
  cpu.setLo(OFF.gdtLimit, a.get(0x7f70));
  cpu.set(OFF.idtBase, a.get(0x7f58), 0);
  cpu.setLo(OFF.idtLimit, a.get(0x7f54));
  for (let n = 0; n < 6; n++)
    setSegment(
      cpu,
      n,
      a.get(0x7fa8 + 4 * n),
      a.get(place32(n) + 8),
      0,
      a.get(place32(n) + 4),
      unpack(a.get(place32(n))),
    );
  setIp(cpu, a.get(0x7ff0), 0);
  if (a.get(0x7efc) & RELOCATION) cpu.setLo(OFF.smbase, a.get(0x7ef8));
}

/** RSM. #UD outside system management mode. */
export function resume(cpu: X86Cpu): void {
  if ((cpu.lo(ENV.tbFlags) & HF.smm) === 0) cpu.fault(EXC.UD);
  const area = new SaveArea(cpu);
  if (cpu.wide) load64(cpu, area);
  else load32(cpu, area);
  sanitise(cpu);
  const vm = (cpu.lo(OFF.eflags) & FLAG.vm) !== 0;
  const protectedMode = (cpu.lo(OFF.cr0) & CR0.PE) !== 0;
  const cpl = vm ? 3 : protectedMode ? (cpu.lo(segOffset(SEG.ss) + SEG_FIELD.attr) >>> 13) & 3 : 0;
  cpu.setLo(OFF.cpl, cpl);
  const pending = cpu.lo(OFF.pending);
  const free = pending & PENDING.nmiBlockedBefore ? PENDING.nmiBlockedBefore : PENDING.nmiBlocked;
  // An IRET in the handler let NMIs in; they are blocked again where they were before.
  cpu.setLo(OFF.pending, free === PENDING.nmiBlocked ? pending & ~free : (pending & ~free) | PENDING.nmiBlocked);
  cpu.setLo(ENV.tbFlags, cpu.lo(ENV.tbFlags) & ~HF.smm);
  cpu.signals.smm?.(false);
  cpu.stateReplaced();
  logRegisters(cpu, "interrupt", "SMM: after RSM");
}

/** What a handler may have made of the saved state that no CPU can be in: it is untrusted. */
function sanitise(cpu: X86Cpu): void {
  const cr0 = cpu.lo(OFF.cr0);
  cpu.set(OFF.cr0, cr0 & CR0.PE ? cr0 | CR0.ET : (cr0 & ~CR0.PG) | CR0.ET, 0);
  const long = cr0 & CR0.PG && cpu.lo(OFF.cr4) & CR4.PAE;
  if (!long) cpu.set(OFF.efer, cpu.lo(OFF.efer) & ~EFER.LMA, 0);
  cpu.set(OFF.dr6, cpu.lo(OFF.dr6) | 0xffff_0ff0, 0);
  cpu.set(OFF.dr7, cpu.lo(OFF.dr7) | 0x400, 0);
}
