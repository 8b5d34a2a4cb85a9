/** Guest memory as descriptors, stacks and task states need it: each access faults by {@link FAULT}. */
import { ENV, TLB_ENTRIES, TLB_ENTRY_SIZE } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { FLAG, MMU, OFF } from "../state.ts";
import { CR4 } from "./bits.ts";
import { FAULT } from "./vectors.ts";

const SCRATCH = ENV.scratch;
const PAGE = ~0xfff;
const ENTRY_WORDS = TLB_ENTRY_SIZE >> 2;
const WRITE_TAG = 2;
const ADDEND = 6;

/** Word index of the TLB entry for an address. */
function entry(cpu: X86Cpu, lo: number, mmu: number): number {
  return ((cpu.env + ENV.tlb) >> 2) + (mmu * TLB_ENTRIES + ((lo >>> 12) & (TLB_ENTRIES - 1))) * ENTRY_WORDS;
}

/**
 * Reads `size` bytes; the result is the low word, unsigned below 4 bytes; {@link highWord} has the high one of 8. What the
 * TLB maps to memory is read at once: entering an interrupt handler is 15 accesses, of 4 ns instead of 40.
 */
export function read(cpu: X86Cpu, lo: number, hi: number, size: 1 | 2 | 4 | 8, mmu: number): number {
  const { i32 } = cpu;
  if (size >= 4 && (lo & (size - 1)) === 0) {
    const e = entry(cpu, lo, mmu);
    if (i32[e] === (lo & PAGE) && i32[e + 1] === hi) {
      const at = (lo + i32[e + ADDEND]!) >>> 2;
      if (size === 8) cpu.readHigh = i32[at + 1]!;
      return i32[at]!;
    }
  }
  if (!cpu.engine.load(cpu.env, lo, hi, size, mmu)) throw FAULT;
  const value = cpu.lo(SCRATCH);
  cpu.readHigh = cpu.hi(SCRATCH);
  return size === 2 ? value & 0xffff : size === 1 ? value & 0xff : value;
}

/** High word of the last read of 8 bytes. */
export function highWord(cpu: X86Cpu): number {
  return cpu.readHigh;
}

/** Writes the low `size` bytes. */
export function write(
  cpu: X86Cpu, lo: number, hi: number, size: 1 | 2 | 4 | 8, valueLo: number, valueHi: number, mmu: number,
): void {
  const { i32 } = cpu;
  // Another vCPU must not see half of it.
  const whole = size === 4 || !cpu.engine.shared;
  if (size >= 4 && whole && (lo & (size - 1)) === 0) {
    const e = entry(cpu, lo, mmu);
    // A tag with any flag (code, device) does not match.
    if (i32[e + WRITE_TAG] === (lo & PAGE) && i32[e + WRITE_TAG + 1] === hi) {
      const at = (lo + i32[e + ADDEND]!) >>> 2;
      i32[at] = valueLo;
      if (size === 8) i32[at + 1] = valueHi;
      return;
    }
  }
  cpu.set(SCRATCH, valueLo, valueHi);
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
