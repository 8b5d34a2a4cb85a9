/**
 * FXSAVE, FXRSTOR and the XSAVE family. Source: Intel SDM volume 1 (2023), 10.5 and 13.4 to 13.13; volume 2, FXSAVE tables 3-43 to 3-45.
 */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../../cpu.ts";
import { fprOffset, HF, OFF, REG, regOffset, xmmOffset, ymmhOffset } from "../../state.ts";
import { updateFlags } from "../../system/hflags.ts";
import { mmuOf, read, highWord, write } from "../../system/memory.ts";
import { EXC, FAULT } from "../../system/vectors.ts";

/** What an instruction does; the number goes into the helper. */
export const XSAVE_KIND = {
  fxsave: 0,
  fxrstor: 1,
  xsave: 2,
  xsaveopt: 3,
  xsavec: 4,
  xsaves: 5,
  xrstor: 6,
  xrstors: 7,
} as const;

const X87 = 1;
const SSE = 2;
const AVX = 4;
const PKRU = 0x200;
/** Components that this CPU can have: place in the standard form, bytes. */
const EXTENDED = [
  { bit: AVX, at: 576, size: 256 },
  { bit: PKRU, at: 2688, size: 8 },
] as const;
const HEADER = 512;
const MXCSR_INITIAL = 0x1f80;
/** All bits of MXCSR, DAZ included. */
const MXCSR_MASK = 0xffff;

/** The memory operand: linear address and the TLB that accesses go through. */
class Area {
  readonly #cpu: X86Cpu;
  readonly #lo: number;
  readonly #hi: number;
  readonly #mmu: number;

  constructor(cpu: X86Cpu, lo: number, hi: number) {
    this.#cpu = cpu;
    this.#lo = lo;
    this.#hi = hi;
    this.#mmu = mmuOf(cpu, cpu.lo(OFF.cpl));
  }
  #high(at: number): number {
    return (this.#lo >>> 0) + at > 0xffff_ffff ? this.#hi + 1 : this.#hi;
  }
  /** Low word, unsigned where narrower; {@link highWord} has the other of 8 bytes. */
  read(at: number, size: 1 | 2 | 4 | 8): number {
    return read(this.#cpu, (this.#lo + at) | 0, this.#high(at), size, this.#mmu);
  }
  write(at: number, size: 1 | 2 | 4 | 8, lo: number, hi: number = 0): void {
    write(this.#cpu, (this.#lo + at) | 0, this.#high(at), size, lo, hi, this.#mmu);
  }
  /** Bytes of the state block to memory, and back. */
  save(at: number, offset: number, bytes: number): void {
    const cpu = this.#cpu;
    for (let n = 0; n < bytes; n += 8) this.write(at + n, 8, cpu.lo(offset + n), cpu.hi(offset + n));
  }
  load(at: number, offset: number, bytes: number): void {
    const cpu = this.#cpu;
    for (let n = 0; n < bytes; n += 8) {
      const lo = this.read(at + n, 8);
      cpu.set(offset + n, lo, highWord(cpu));
    }
  }
}

const is64 = (cpu: X86Cpu): boolean => (cpu.lo(ENV.tbFlags) & (2 << HF.codeShift)) !== 0;
const vectors = (cpu: X86Cpu): number => (is64(cpu) ? 16 : 8);

/** The x87 part: control words and pointers, registers from the top of the stack on. */
function saveX87(cpu: X86Cpu, area: Area, wide: boolean): void {
  const top = cpu.lo(OFF.fpuTop) & 7;
  area.write(0, 2, cpu.lo(OFF.fpuCw));
  area.write(2, 2, (cpu.lo(OFF.fpuSw) & ~0x3800) | (top << 11));
  let tags = 0;
  for (let n = 0; n < 8; n++) if (cpu.engine.u8[cpu.env + OFF.fpuEmpty + n] === 0) tags |= 1 << n;
  area.write(4, 2, tags);
  area.write(6, 2, cpu.lo(OFF.fpuOpcode) & 0x7ff);
  if (wide) {
    area.write(8, 8, cpu.lo(OFF.fpuIp), cpu.hi(OFF.fpuIp));
    area.write(16, 8, cpu.lo(OFF.fpuDp), cpu.hi(OFF.fpuDp));
  } else {
    area.write(8, 8, cpu.lo(OFF.fpuIp), cpu.lo(OFF.fpuCs) & 0xffff);
    area.write(16, 8, cpu.lo(OFF.fpuDp), cpu.lo(OFF.fpuDs) & 0xffff);
  }
  for (let n = 0; n < 8; n++) {
    const from = fprOffset((top + n) & 7);
    area.write(32 + 16 * n, 8, cpu.lo(from), cpu.hi(from));
    area.write(40 + 16 * n, 8, cpu.lo(from + 8) & 0xffff, 0);
  }
}
function loadX87(cpu: X86Cpu, area: Area, wide: boolean): void {
  const sw = area.read(2, 2);
  const top = (sw >> 11) & 7;
  const tags = area.read(4, 1);
  cpu.setLo(OFF.fpuCw, area.read(0, 2) | 0x40);
  cpu.setLo(OFF.fpuSw, sw & ~0x3800);
  cpu.setLo(OFF.fpuTop, top);
  for (let n = 0; n < 8; n++) cpu.engine.u8[cpu.env + OFF.fpuEmpty + n] = (tags >> n) & 1 ? 0 : 1;
  cpu.setLo(OFF.fpuOpcode, area.read(6, 2) & 0x7ff);
  const ip = area.read(8, 8);
  const ipHigh = highWord(cpu);
  const dp = area.read(16, 8);
  const dpHigh = highWord(cpu);
  cpu.set(OFF.fpuIp, ip, wide ? ipHigh : 0);
  cpu.set(OFF.fpuDp, dp, wide ? dpHigh : 0);
  cpu.setLo(OFF.fpuCs, wide ? 0 : ipHigh & 0xffff);
  cpu.setLo(OFF.fpuDs, wide ? 0 : dpHigh & 0xffff);
  for (let n = 0; n < 8; n++) {
    const to = fprOffset((top + n) & 7);
    const lo = area.read(32 + 16 * n, 8);
    cpu.set(to, lo, highWord(cpu));
    cpu.setLo(to + 8, area.read(40 + 16 * n, 2));
  }
}
/** As after FNINIT, and the registers 0. */
function initX87(cpu: X86Cpu): void {
  cpu.setLo(OFF.fpuCw, 0x37f);
  for (const field of [OFF.fpuSw, OFF.fpuTop, OFF.fpuOpcode, OFF.fpuCs, OFF.fpuDs]) cpu.setLo(field, 0);
  cpu.set(OFF.fpuIp, 0, 0);
  cpu.set(OFF.fpuDp, 0, 0);
  cpu.set(OFF.fpuEmpty, 0x01010101, 0x01010101);
  for (let n = 0; n < 8; n++) {
    cpu.set(fprOffset(n), 0, 0);
    cpu.setLo(fprOffset(n) + 8, 0);
  }
}

function saveMxcsr(cpu: X86Cpu, area: Area): void {
  area.write(24, 8, cpu.lo(OFF.mxcsr), MXCSR_MASK);
}
/** MXCSR from the area; #GP(0) where reserved bits are set. */
function readMxcsr(cpu: X86Cpu, area: Area): number {
  const value = area.read(24, 4);
  if ((value & ~MXCSR_MASK) !== 0) cpu.fault(EXC.GP, 0);
  return value;
}
function saveVectors(cpu: X86Cpu, area: Area, at: number, offsetOf: (n: number) => number): void {
  for (let n = 0; n < vectors(cpu); n++) area.save(at + 16 * n, offsetOf(n), 16);
}
function loadVectors(cpu: X86Cpu, area: Area, at: number, offsetOf: (n: number) => number): void {
  for (let n = 0; n < vectors(cpu); n++) area.load(at + 16 * n, offsetOf(n), 16);
}
function clearVectors(cpu: X86Cpu, offsetOf: (n: number) => number): void {
  for (let n = 0; n < vectors(cpu); n++) for (let k = 0; k < 16; k += 8) cpu.set(offsetOf(n) + k, 0, 0);
}

/** Components that are not as after reset. */
function inUse(cpu: X86Cpu): number {
  let mask = X87 | SSE;
  for (let n = 0; n < vectors(cpu); n++)
    for (let k = 0; k < 16; k += 4) if (cpu.lo(ymmhOffset(n) + k) !== 0) mask |= AVX;
  if (cpu.lo(OFF.pkru) !== 0) mask |= PKRU;
  return mask;
}

/** Where an extended component lies: in the standard form, or behind those before it. */
function placeOf(bit: number, compacted: number): number {
  let at = HEADER + 64;
  for (const c of EXTENDED) {
    if (c.bit === bit) return compacted === 0 ? c.at : at;
    if (compacted & c.bit) at += c.size;
  }
  return at;
}

function saveExtended(cpu: X86Cpu, area: Area, mask: number, compacted: number): void {
  if (mask & AVX) saveVectors(cpu, area, placeOf(AVX, compacted), ymmhOffset);
  if (mask & PKRU) area.write(placeOf(PKRU, compacted), 8, cpu.lo(OFF.pkru), 0);
}

function save(cpu: X86Cpu, area: Area, kind: number, wide: boolean, requested: number): void {
  const compact = kind === XSAVE_KIND.xsavec || kind === XSAVE_KIND.xsaves;
  const used = inUse(cpu);
  const saved = kind === XSAVE_KIND.xsave ? requested : requested & used;
  const before = compact ? 0 : area.read(HEADER, 8);
  const beforeHigh = compact ? 0 : highWord(cpu);
  if (saved & X87) saveX87(cpu, area, wide);
  if (requested & (compact ? SSE : SSE | AVX)) saveMxcsr(cpu, area);
  if (saved & SSE) saveVectors(cpu, area, 160, xmmOffset);
  saveExtended(cpu, area, saved, compact ? requested : 0);
  if (!compact) return area.write(HEADER, 8, (before & ~requested) | (requested & used), beforeHigh);
  area.write(HEADER, 8, requested & used, 0);
  area.write(HEADER + 8, 8, requested, 0x8000_0000 | 0);
  for (let n = 16; n < 64; n += 8) area.write(HEADER + n, 8, 0, 0);
}

function restore(cpu: X86Cpu, area: Area, kind: number, wide: boolean, requested: number): void {
  const bad = (): void => cpu.fault(EXC.GP, 0);
  const present = area.read(HEADER, 8);
  if (highWord(cpu) !== 0) bad();
  const compacted = area.read(HEADER + 8, 8);
  const compact = highWord(cpu) < 0;
  const allowed = cpu.lo(OFF.xcr0) | (kind === XSAVE_KIND.xrstors ? cpu.lo(OFF.xss) : 0);
  if ((present & ~allowed) !== 0) bad();
  if (compact) {
    if ((highWord(cpu) & 0x7fff_ffff) !== 0 || (compacted & ~allowed) !== 0 || (present & ~compacted) !== 0) bad();
    if (!cpu.config.features.has("xsavec")) bad();
  } else {
    if (compacted !== 0 || highWord(cpu) !== 0 || kind === XSAVE_KIND.xrstors) bad();
    if (area.read(HEADER + 16, 8) !== 0 || highWord(cpu) !== 0) bad();
  }
  const loaded = requested & present;
  const keys = cpu.lo(OFF.pkru);
  const cleared = requested & ~present;
  let mxcsr = cpu.lo(OFF.mxcsr);
  if (compact) {
    if (loaded & SSE) mxcsr = readMxcsr(cpu, area);
    else if (cleared & SSE) mxcsr = MXCSR_INITIAL;
  } else if (requested & (SSE | AVX)) mxcsr = readMxcsr(cpu, area);
  if (loaded & X87) loadX87(cpu, area, wide);
  else if (cleared & X87) initX87(cpu);
  if (loaded & SSE) loadVectors(cpu, area, 160, xmmOffset);
  else if (cleared & SSE) clearVectors(cpu, xmmOffset);
  const form = compact ? compacted : 0;
  if (loaded & AVX) loadVectors(cpu, area, placeOf(AVX, form), ymmhOffset);
  else if (cleared & AVX) clearVectors(cpu, ymmhOffset);
  if (loaded & PKRU) cpu.setLo(OFF.pkru, area.read(placeOf(PKRU, form), 4));
  else if (cleared & PKRU) cpu.setLo(OFF.pkru, 0);
  if (cpu.lo(OFF.pkru) !== keys) cpu.engine.flushTlb(cpu.env, 7);
  cpu.setLo(OFF.mxcsr, mxcsr);
}

/** One instruction of the family; the address has been checked for alignment. `flags`: kind, and 8 for 64-bit pointers. */
export function xsave(cpu: X86Cpu, flags: number, lo: number, hi: number): void {
  try {
    perform(cpu, flags, lo, hi);
  } catch (thrown) {
    // The exception is in the state block.
    if (thrown !== FAULT) throw thrown;
  }
}
function perform(cpu: X86Cpu, flags: number, lo: number, hi: number): void {
  const kind = flags & 7;
  const wide = (flags & 8) !== 0;
  const area = new Area(cpu, lo, hi);
  if (kind === XSAVE_KIND.fxsave) {
    saveX87(cpu, area, wide);
    saveMxcsr(cpu, area);
    return saveVectors(cpu, area, 160, xmmOffset);
  }
  if (kind === XSAVE_KIND.fxrstor) {
    const mxcsr = readMxcsr(cpu, area);
    // All bytes are read before any register changes.
    area.read(504, 8);
    loadX87(cpu, area, wide);
    loadVectors(cpu, area, 160, xmmOffset);
    cpu.setLo(OFF.mxcsr, mxcsr);
    return updateFlags(cpu);
  }
  const supervisor = kind === XSAVE_KIND.xsaves || kind === XSAVE_KIND.xrstors ? cpu.lo(OFF.xss) : 0;
  const requested = cpu.lo(regOffset(REG.ax)) & (cpu.lo(OFF.xcr0) | supervisor);
  if (kind === XSAVE_KIND.xrstor || kind === XSAVE_KIND.xrstors) {
    restore(cpu, area, kind, wide, requested);
    return updateFlags(cpu);
  }
  save(cpu, area, kind, wide, requested);
}
