/** How monitors look into a CPU. */
import { ENV } from "@mimus/tcg";
import { createDisassembler } from "../disas.ts";
import type { X86Cpu } from "../cpu.ts";
import { gdbFeatures } from "../gdb.ts";
import { HF, OFF, SEG_FIELD, segOffset } from "../state.ts";
import { physicalAddress } from "./page-tables.ts";

/** What a monitor asks of a CPU; nothing of it changes the CPU. */
export interface CpuDebug {
  /** By the names of `info registers` and of debuggers: `eax`, `rax`, `cs.base`, `cr3`, `pc` (linear). */
  register(name: string): bigint | undefined;
  translate(address: bigint): bigint | undefined;
  read(address: bigint, into: Uint8Array): boolean;
  disassemble(address: bigint, bytes: Uint8Array): { text: string; length: number };
}

const PAGE = 4096;
const SELECTORS = ["es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr"];

function registerOf(cpu: X86Cpu, name: string): bigint | undefined {
  if (name === "pc") return cpu.bits64(OFF.pc) & (cpu.wide ? ~0n : 0xffff_ffffn);
  const [segment = "", field] = name.split(".");
  const n = SELECTORS.indexOf(segment);
  if (n >= 0) {
    const at = segOffset(n);
    if (field === "base") return cpu.bits64(at + SEG_FIELD.base);
    const low = field === undefined ? SEG_FIELD.selector : field === "limit" ? SEG_FIELD.limit : undefined;
    return low === undefined ? undefined : BigInt(cpu.lo(at + low) >>> 0);
  }
  // A 64-bit CPU's registers have their 32-bit names, too, for the whole of them.
  const wide = cpu.wide ? name.replace(/^e(?=[a-z]{2}$)/, "r") : name;
  for (const { registers } of gdbFeatures(cpu.config.word))
    for (const register of registers) if (register.name === name || register.name === wide) return register.read(cpu);
  return undefined;
}

function readLinear(cpu: X86Cpu, address: bigint, into: Uint8Array): boolean {
  for (let n = 0; n < into.length;) {
    const at = BigInt.asUintN(cpu.wide ? 64 : 32, address + BigInt(n));
    const physical = physicalAddress(cpu, at);
    if (physical === undefined) return false;
    const start = n;
    const end = Math.min(into.length, start + PAGE - Number(at % BigInt(PAGE)));
    for (; n < end; n++) into[n] = cpu.engine.bus.read(cpu.walker.place(Number(physical) + n - start), 1);
  }
  return true;
}

/** Code size of the CPU as it is now. */
function codeBits(cpu: X86Cpu): 16 | 32 | 64 {
  return ([16, 32, 64] as const)[(cpu.lo(ENV.tbFlags) >>> HF.codeShift) & 3] ?? 32;
}

/** A CPU as monitors look into it. */
export function cpuDebug(cpu: X86Cpu): CpuDebug {
  return {
    register: (name) => registerOf(cpu, name),
    translate: (address) => physicalAddress(cpu, address),
    read: (address, into) => readLinear(cpu, address, into),
    disassemble: (address, bytes) => createDisassembler(codeBits(cpu))(address, bytes),
  };
}
