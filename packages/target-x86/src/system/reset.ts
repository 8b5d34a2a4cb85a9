/** Power-on and INIT. Source: Intel SDM volume 3A (2023), table 9-1. */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { OFF, PENDING, REG, regOffset, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0 } from "./bits.ts";
import { logRegisters } from "./event-log.ts";

/** What a data segment is in real mode: present, writable, accessed. */
const DATA16 = 0x9300;
const CODE16 = 0x9b00;

/** Power-on state. Levels of the inputs stay. */
export function resetCpu(cpu: X86Cpu): void {
  logRegisters(cpu, "reset", `CPU Reset (CPU ${cpu.index})`);
  const start = cpu.env >> 2;
  const lines = cpu.lo(OFF.pending) & PENDING.intr;
  cpu.i32.fill(0, start + (regOffset(0) >> 2), start + (OFF.end >> 2));
  cpu.setLo(OFF.pending, lines);
  cpu.setLo(OFF.smbase, 0x30000);
  cpu.set(OFF.pat, 0x0007_0406, 0x0007_0406);
  cpu.set(OFF.miscEnable, 1, 0);
  cpu.set(OFF.xcr0, 1, 0);
  // As after FNINIT, which QEMU has it be; the manuals have 40h, and registers that are in use.
  cpu.setLo(OFF.fpuCw, 0x37f);
  for (let n = 0; n < 8; n++) cpu.engine.u8[cpu.env + OFF.fpuEmpty + n] = 1;
  cpu.setLo(OFF.mxcsr, 0x1f80);
  common(cpu, CR0.ET | CR0.CD | CR0.NW);
}

/** What INIT shares with power-on. */
function common(cpu: X86Cpu, cr0: number): void {
  cpu.set(OFF.cr0, cr0, 0);
  for (const at of [OFF.cr2, OFF.cr3, OFF.cr4, OFF.cr8, OFF.efer]) cpu.set(at, 0, 0);
  for (let n = 0; n < 4; n++) cpu.set(OFF.dr0 + 8 * n, 0, 0);
  cpu.set(OFF.dr6, 0xffff_0ff0, 0);
  cpu.set(OFF.dr7, 0x400, 0);
  for (let n = 0; n < 16; n++) cpu.set(regOffset(n), 0, 0);
  cpu.set(regOffset(REG.dx), cpu.config.cpuid(1, 0)[0], 0);
  for (let n = 0; n < 6; n++) segment(cpu, n, 0, 0, 0xffff, n === SEG.cs ? CODE16 : DATA16);
  segment(cpu, SEG.cs, 0xf000, 0xffff_0000 | 0, 0xffff, CODE16);
  segment(cpu, SEG.ldtr, 0, 0, 0xffff, 0x8200);
  segment(cpu, SEG.tr, 0, 0, 0xffff, 0x8b00);
  cpu.set(OFF.gdtBase, 0, 0);
  cpu.set(OFF.idtBase, 0, 0);
  cpu.setLo(OFF.gdtLimit, 0xffff);
  cpu.setLo(OFF.idtLimit, 0xffff);
  cpu.set(OFF.pc, 0xffff_fff0 | 0, 0);
  cpu.setLo(OFF.cpl, 0);
  cpu.eflags = 2;
  cpu.setLo(OFF.errorCode, -1);
  cpu.setLo(OFF.monitorArmed, 0);
  cpu.setLo(ENV.exception, 0);
  cpu.setLo(ENV.halted, 0);
  cpu.setLo(ENV.tbFlags, 0);
  if (!cpu.config.bootstrap) {
    cpu.setLo(OFF.pending, cpu.lo(OFF.pending) | PENDING.waitSipi);
    cpu.setLo(ENV.halted, 1);
  }
  cpu.stateReplaced();
  cpu.apicMoved();
  // Whoever runs the CPU looks again whether it is to run at all.
  cpu.engine.kick(cpu.env);
}

function segment(cpu: X86Cpu, n: number, selector: number, base: number, limit: number, attr: number): void {
  const at = segOffset(n);
  cpu.setLo(at + SEG_FIELD.selector, selector);
  cpu.setLo(at + SEG_FIELD.limit, limit);
  cpu.setLo(at + SEG_FIELD.attr, attr);
  cpu.set(at + SEG_FIELD.base, base, 0);
}

/** INIT: as power-on, but x87, SSE, MSRs and caches stay, and CR0.CD and NW. The CPU that is not the first waits for SIPI. */
export function initCpu(cpu: X86Cpu): void {
  logRegisters(cpu, "reset", `CPU Reset (CPU ${cpu.index})`);
  cpu.setLo(OFF.pending, cpu.lo(OFF.pending) & PENDING.intr);
  common(cpu, CR0.ET | (cpu.lo(OFF.cr0) & (CR0.CD | CR0.NW)));
  cpu.apic?.initReset();
}

/** A start-up IPI. Source: SDM volume 3A, 9.4.4.1. */
export function startUp(cpu: X86Cpu, vector: number): void {
  segment(cpu, SEG.cs, vector << 8, vector << 12, 0xffff, CODE16);
  cpu.set(OFF.pc, vector << 12, 0);
  cpu.setLo(OFF.pending, cpu.lo(OFF.pending) & ~(PENDING.waitSipi | PENDING.sipi | 0xff00));
  cpu.setLo(ENV.halted, 0);
  cpu.updateFlags();
}
