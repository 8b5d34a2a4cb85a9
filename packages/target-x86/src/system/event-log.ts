/** What `-d int` and `-d cpu_reset` show of a CPU, in QEMU's words. What tells of deliveries is called where `OFF.logged` says so. */
import type { X86Cpu } from "../cpu.ts";
import { OFF, regOffset, REG, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { CR0 } from "./bits.ts";
import { registerText } from "./dump.ts";
import { ipOf } from "./transfer.ts";
import { EXC } from "./vectors.ts";

const hex = (value: number, digits: number): string => (value >>> 0).toString(16).padStart(digits, "0");

/** A vector is about to be delivered; in real mode registers are not shown. `code` is -1 without an error code. `back`: bytes behind the instruction. */
export function logDelivery(cpu: X86Cpu, vector: number, code: number, software: boolean, back: number): void {
  const { log } = cpu.signals;
  if (log === undefined) return;
  const number = cpu.deliveries++;
  if ((cpu.lo(OFF.cr0) & CR0.PE) === 0) return;
  const wide = (at: number): string => (cpu.wide ? hex(cpu.hi(at), 8) : "") + hex(cpu.lo(at), 8);
  const address = (value: bigint): string => BigInt.asUintN(cpu.wide ? 64 : 32, value).toString(16).padStart(cpu.wide ? 16 : 8, "0"); // prettier-ignore
  const selector = (n: number): string => hex(cpu.lo(segOffset(n) + SEG_FIELD.selector), 4);
  const linear = cpu.bits64(OFF.pc) - BigInt(back);
  const high = cpu.wide ? BigInt(cpu.hi(OFF.pc) >>> 0) << 32n : 0n;
  const ip = (high | BigInt(ipOf(cpu, cpu.lo(OFF.pc)) >>> 0)) - BigInt(back);
  const last = vector === EXC.PF ? `CR2=${wide(OFF.cr2)}` : `env->regs[R_EAX]=${wide(regOffset(REG.ax))}`;
  log.write(
    "interrupt",
    `${String(number).padStart(6)}: v=${hex(vector, 2)} e=${hex(Math.max(code, 0), 4)} i=${software ? 1 : 0} cpl=${cpu.cpl} ` +
      `IP=${selector(SEG.cs)}:${address(ip)} pc=${address(linear)} SP=${selector(SEG.ss)}:${wide(regOffset(REG.sp))} ${last}\n` +
      registerText(cpu).trimEnd(),
  );
}

/** One line among the interrupts. */
function logInterrupt(cpu: X86Cpu, text: string): void {
  cpu.signals.log?.write("interrupt", text);
}

/** An interrupt from outside was taken. */
export function logExternal(cpu: X86Cpu, vector: number): void {
  logInterrupt(cpu, `Servicing hardware INT=0x${hex(vector, 2)}`);
}

/** An exception, while that of vector `first` was delivered; -1: none. */
export function logException(cpu: X86Cpu, first: number, second: number): void {
  logInterrupt(cpu, `check_exception old: 0x${(first >>> 0).toString(16)} new 0x${second.toString(16)}`);
}

/** A heading, and all registers. */
export function logRegisters(cpu: X86Cpu, what: "interrupt" | "reset", heading: string): void {
  const { log } = cpu.signals;
  if (log?.wants(what) === true) log.write(what, `${heading}\n${registerText(cpu).trimEnd()}`);
}

/** The third fault. */
export function logShutdown(cpu: X86Cpu): void {
  const { log } = cpu.signals;
  if (log?.wants("reset") === true) log.write("reset", "Triple fault");
}
