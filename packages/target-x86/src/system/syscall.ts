/** SYSENTER, SYSEXIT, SYSCALL, SYSRET. Source: Intel SDM volume 2 (2023); AMD APM volume 3 (2023) for SYSCALL outside long mode. */
import type { X86Cpu } from "../cpu.ts";
import { FLAG, OFF, REG, regOffset, SEG } from "../state.ts";
import { CR0, EFER } from "./bits.ts";
import { DESC, isCode64, isLong, isProtected, setSegment } from "./descriptor.ts";
import { EXC } from "./vectors.ts";

/** Flat segments as these instructions make them: accessed, all of the address space. */
const CODE = DESC.p | DESC.s | DESC.code | DESC.rw | DESC.accessed | DESC.g | 0xf0000;
const DATA = DESC.p | DESC.s | DESC.rw | DESC.accessed | DESC.g | DESC.db | 0xf0000;

function flat(cpu: X86Cpu, cs: number, ss: number, cpl: number, size: number): void {
  setSegment(cpu, SEG.cs, cs, 0, 0, -1, CODE | size | (cpl << 13));
  setSegment(cpu, SEG.ss, ss, 0, 0, -1, DATA | (cpl << 13));
  cpu.setLo(OFF.cpl, cpl);
}

/** SYSENTER. */
export function sysenter(cpu: X86Cpu): void {
  // AMD processors do not have it in long mode. Source: AMD APM volume 3.
  if (isLong(cpu) && !cpu.config.intel) cpu.fault(EXC.UD);
  const cs = cpu.lo(OFF.sysenterCs) & 0xffff;
  if ((cpu.lo(OFF.cr0) & CR0.PE) === 0 || (cs & 0xfffc) === 0) cpu.fault(EXC.GP, 0);
  cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) & ~(FLAG.vm | FLAG.if | FLAG.rf));
  const long = isLong(cpu);
  flat(cpu, cs & 0xfffc, ((cs & 0xfffc) + 8) & 0xffff, 0, long ? DESC.l : DESC.db);
  cpu.set(regOffset(REG.sp), cpu.lo(OFF.sysenterEsp), long ? cpu.hi(OFF.sysenterEsp) : 0);
  cpu.set(OFF.pc, cpu.lo(OFF.sysenterEip), long ? cpu.hi(OFF.sysenterEip) : 0);
  cpu.updateFlags();
}

/** SYSEXIT; `wide`: to 64-bit code. */
export function sysexit(cpu: X86Cpu, wide: number): void {
  if (isLong(cpu) && !cpu.config.intel) cpu.fault(EXC.UD);
  const cs = cpu.lo(OFF.sysenterCs) & 0xffff;
  if (!isProtected(cpu) || (cs & 0xfffc) === 0) cpu.fault(EXC.GP, 0);
  const ipHi = wide ? cpu.hi(regOffset(REG.dx)) : 0;
  const ipLo = cpu.lo(regOffset(REG.dx));
  const base = cs & 0xfffc;
  if (wide) {
    const bits = cpu.lo(OFF.cr4) & 0x1000 ? 7 : 16;
    const spHi = cpu.hi(regOffset(REG.cx));
    if ((ipHi << bits) >> bits !== ipHi || (spHi << bits) >> bits !== spHi) cpu.fault(EXC.GP, 0);
    flat(cpu, (base + 32) | 3, (base + 40) | 3, 3, DESC.l);
  } else flat(cpu, (base + 16) | 3, (base + 24) | 3, 3, DESC.db);
  cpu.set(regOffset(REG.sp), cpu.lo(regOffset(REG.cx)), wide ? cpu.hi(regOffset(REG.cx)) : 0);
  cpu.set(OFF.pc, ipLo, ipHi);
  cpu.updateFlags();
}

/** SYSCALL; pc is behind the instruction. */
export function syscall(cpu: X86Cpu): void {
  if ((cpu.lo(OFF.efer) & EFER.SCE) === 0) cpu.fault(EXC.UD);
  const cs = cpu.hi(OFF.star) & 0xffff;
  const from64 = isCode64(cpu);
  if (isLong(cpu)) {
    const flags = cpu.eflags;
    cpu.copy(regOffset(REG.cx), OFF.pc);
    cpu.set(regOffset(11), flags & ~FLAG.rf, 0);
    cpu.eflags = flags & ~cpu.lo(OFF.fmask) & ~FLAG.rf;
    flat(cpu, cs & 0xfffc, (cs + 8) & 0xfffc, 0, DESC.l);
    cpu.copy(OFF.pc, from64 ? OFF.lstar : OFF.cstar);
  } else {
    cpu.set(regOffset(REG.cx), cpu.lo(OFF.pc), 0);
    cpu.eflags = cpu.eflags & ~(FLAG.if | FLAG.rf | FLAG.vm);
    flat(cpu, cs & 0xfffc, (cs + 8) & 0xfffc, 0, DESC.db);
    cpu.set(OFF.pc, cpu.lo(OFF.star), 0);
  }
  cpu.updateFlags();
}

/** SYSRET; `wide`: to 64-bit code. */
export function sysret(cpu: X86Cpu, wide: number): void {
  if ((cpu.lo(OFF.efer) & EFER.SCE) === 0) cpu.fault(EXC.UD);
  const cs = (cpu.hi(OFF.star) >>> 16) & 0xffff;
  if (!isLong(cpu)) {
    flat(cpu, cs | 3, ((cs + 8) & 0xfffc) | 3, 3, DESC.db);
    cpu.set(OFF.pc, cpu.lo(regOffset(REG.cx)), 0);
    cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) | FLAG.if);
    return cpu.updateFlags();
  }
  const ipLo = cpu.lo(regOffset(REG.cx));
  const ipHi = wide ? cpu.hi(regOffset(REG.cx)) : 0;
  const bits = cpu.lo(OFF.cr4) & 0x1000 ? 7 : 16;
  if (wide && (ipHi << bits) >> bits !== ipHi) cpu.fault(EXC.GP, 0);
  cpu.eflags = (cpu.lo(regOffset(11)) & 0x3c7fd7) | 2;
  flat(cpu, (wide ? cs + 16 : cs) | 3, (cs + 8) | 3, 3, wide ? DESC.l : DESC.db);
  cpu.set(OFF.pc, ipLo, ipHi);
  cpu.updateFlags();
}
