/** Guest memory as descriptors, stacks and task states need it: each access faults by {@link FAULT}. */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { FLAG, MMU, OFF } from "../state.ts";
import { CR4 } from "./bits.ts";
import { FAULT } from "./vectors.ts";

const SCRATCH_LO = ENV.scratch;

/** Reads `size` bytes; the result is the low word, unsigned below 4 bytes; {@link highWord} has the high one of 8. */
export function read(cpu: X86Cpu, lo: number, hi: number, size: 1 | 2 | 4 | 8, mmu: number): number {
  if (!cpu.engine.load(cpu.env, lo, hi, size, mmu)) throw FAULT;
  const value = cpu.lo(SCRATCH_LO);
  return size === 2 ? value & 0xffff : size === 1 ? value & 0xff : value;
}

/** High word of the last read of 8 bytes. */
export function highWord(cpu: X86Cpu): number {
  return cpu.hi(SCRATCH_LO);
}

/** Writes the low `size` bytes. */
export function write(
  cpu: X86Cpu, lo: number, hi: number, size: 1 | 2 | 4 | 8, valueLo: number, valueHi: number, mmu: number,
): void {
  cpu.set(SCRATCH_LO, valueLo, valueHi);
  if (!cpu.engine.store(cpu.env, lo, hi, size, mmu)) throw FAULT;
} // prettier-ignore

/** The TLB of data accesses at a privilege level. */
export function mmuOf(cpu: X86Cpu, cpl: number): number {
  if (cpl === 3) return MMU.user;
  return cpu.lo(OFF.cr4) & CR4.SMAP && cpu.lo(OFF.eflags) & FLAG.ac ? MMU.kernelNoSmap : MMU.kernel;
}

/** Carry out of the low words of a sum that is `sum`, of which `a` is a part. */
export function carry(sum: number, a: number): number {
  return sum >>> 0 < a >>> 0 ? 1 : 0;
}
