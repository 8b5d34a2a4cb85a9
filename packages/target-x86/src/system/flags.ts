/** POPF, and what virtual-8086 mode extensions make of PUSHF, POPF and INT n. Source: Intel SDM volume 2 (2023); volume 3B, 21.3. */
import type { X86Cpu } from "../cpu.ts";
import { FLAG, OFF } from "../state.ts";
import { CR4 } from "./bits.ts";
import { isProtected } from "./descriptor.ts";
import { writableFlags } from "./eflags.ts";
import type { Width } from "./stack.ts";
import { EXC } from "./vectors.ts";

/** POPF of a value in an operand size. */
export function popFlags(cpu: X86Cpu, value: number, size: number): void {
  const old = cpu.eflags;
  const cpl = isProtected(cpu) ? cpu.cpl : 0;
  let mask = writableFlags(cpl, (old >>> 12) & 3);
  // With IOPL 3 programs in virtual-8086 mode change IF, never IOPL.
  if (old & FLAG.vm) mask = (mask & ~FLAG.iopl) | FLAG.if;
  if (size === 2) mask &= 0xffff;
  let flags = (old & ~mask) | (value & mask);
  if (size !== 2) flags &= ~FLAG.rf;
  cpu.eflags = flags;
  cpu.updateFlags();
}

function needVme(cpu: X86Cpu, size: number): void {
  if ((cpu.lo(OFF.cr4) & CR4.VME) === 0 || size !== 2) cpu.fault(EXC.GP, 0);
}

/** PUSHF in virtual-8086 mode with IOPL below 3: IF is VIF, IOPL is 3. */
export function pushFlagsVme(cpu: X86Cpu, size: number): void {
  needVme(cpu, size);
  const flags = cpu.eflags;
  const shown = (flags & ~FLAG.if) | FLAG.iopl | (flags & FLAG.vif ? FLAG.if : 0);
  cpu.stack.current();
  cpu.stack.push(2 as Width, shown);
  cpu.stack.commit();
}

/** POPF in virtual-8086 mode with IOPL below 3. */
export function popFlagsVme(cpu: X86Cpu, size: number): void {
  needVme(cpu, size);
  cpu.stack.current();
  const value = cpu.stack.pop(2);
  const old = cpu.eflags;
  if (value & FLAG.tf || (value & FLAG.if && old & FLAG.vip)) cpu.fault(EXC.GP, 0);
  const mask = writableFlags(3, 0) & 0xffff;
  cpu.stack.commit();
  cpu.eflags = (old & ~mask & ~FLAG.vif) | (value & mask) | (value & FLAG.if ? FLAG.vif : 0);
  cpu.updateFlags();
}

/** CLI and STI where IOPL forbids them: VIF with VME in virtual-8086 mode, and with PVI at CPL 3; else #GP(0). */
export function setVirtualIf(cpu: X86Cpu, on: boolean): void {
  const cr4 = cpu.lo(OFF.cr4);
  const flags = cpu.lo(OFF.eflags);
  const allowed = flags & FLAG.vm ? cr4 & CR4.VME : cpu.cpl === 3 ? cr4 & CR4.PVI : 0;
  if (!allowed || (on && flags & FLAG.vip)) cpu.fault(EXC.GP, 0);
  cpu.setLo(OFF.eflags, on ? flags | FLAG.vif : flags & ~FLAG.vif);
}
