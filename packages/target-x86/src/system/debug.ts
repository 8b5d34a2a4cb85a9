/** Debug registers, and what they watch. Source: Intel SDM volume 3B (2023), chapter 18. */
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, FLAG, OFF } from "../state.ts";
import { CR4 } from "./bits.ts";
import { SYS } from "./state.ts";
import { EXC } from "./vectors.ts";

/** R/W field of a breakpoint. */
const EXECUTE = 0;
const WRITE = 1;
const IO = 2;
const ACCESS = 3;

/** Bits of DR6 that say why. */
const DR6 = { BD: 0x2000, BS: 0x4000, BT: 0x8000 } as const;

/** The breakpoints of DR0..DR3, decoded. */
export class BreakPoints {
  readonly #cpu: X86Cpu;
  #on = 0;
  /** Some of them are on data. */
  #data = false;
  readonly #kind = new Int32Array(4);
  readonly #length = new Int32Array(4);

  constructor(cpu: X86Cpu) {
    this.#cpu = cpu;
  }

  /** DR7 or an address changed. Pages with breakpoints on data have no entries in the TLB: each access is looked at. */
  changed(): void {
    const before = this.#data;
    this.#decode();
    if (before || this.#data) this.#cpu.engine.flushTlb(this.#cpu.env, ALL_INDEXES);
  }

  #decode(): void {
    const dr7 = this.#cpu.lo(OFF.dr7);
    this.#on = 0;
    this.#data = false;
    for (let n = 0; n < 4; n++) {
      if (((dr7 >>> (2 * n)) & 3) !== 0) this.#on |= 1 << n;
      this.#kind[n] = (dr7 >>> (16 + 4 * n)) & 3;
      const length = (dr7 >>> (18 + 4 * n)) & 3;
      this.#length[n] = length === 2 ? 8 : length + 1;
      if ((this.#on >>> n) & 1 && (this.#kind[n] === WRITE || this.#kind[n] === ACCESS)) this.#data = true;
    }
  }

  /** A breakpoint on data lies in the page of an address. */
  watches(lo: number, hi: number): boolean {
    if (!this.#data) return false;
    const cpu = this.#cpu;
    for (let n = 0; n < 4; n++) {
      const at = OFF.dr0 + 8 * n;
      if (((this.#on >>> n) & 1) !== 0 && (cpu.lo(at) ^ lo) >>> 12 === 0 && cpu.hi(at) === hi) return true;
    }
    return false;
  }

  /** Breakpoints, as bits 3:0 of DR6, on the instruction at an address. */
  executed(lo: number, hi: number): number {
    return this.#hits(lo, hi, 1, (kind) => kind === EXECUTE);
  }
  /** Breakpoints on `size` bytes of memory. */
  accessed(lo: number, hi: number, size: number, writing: boolean): number {
    return this.#hits(lo, hi, size, (kind) => kind === ACCESS || (kind === WRITE && writing));
  }
  /** Breakpoints on a port. */
  port(port: number, size: number): number {
    if (this.#on === 0 || (this.#cpu.lo(OFF.cr4) & CR4.DE) === 0) return 0;
    return this.#hits(port, 0, size, (kind) => kind === IO);
  }

  #hits(lo: number, hi: number, size: number, wanted: (kind: number) => boolean): number {
    if (this.#on === 0) return 0;
    const cpu = this.#cpu;
    let hits = 0;
    for (let n = 0; n < 4; n++) {
      if (((this.#on >>> n) & 1) === 0 || !wanted(this.#kind[n]!)) continue;
      const at = OFF.dr0 + 8 * n;
      const length = this.#kind[n] === EXECUTE ? 1 : this.#length[n]!;
      // Lengths are powers of two and addresses are taken as aligned to them.
      const from = cpu.lo(at) & -length;
      const same = cpu.hi(at) === hi;
      const a = lo >>> 0;
      const b = from >>> 0;
      if (same && a < b + length && b < a + size) hits |= 1 << n;
    }
    return hits;
  }
}

/** Notes hits of data breakpoints: the trap comes when the instruction is done. */
export function noteHits(cpu: X86Cpu, hits: number): void {
  if (hits !== 0) cpu.setLo(SYS.watchHits, cpu.lo(SYS.watchHits) | hits);
}

/** Raises #DB with these bits in DR6. */
function raiseDebug(cpu: X86Cpu, bits: number): void {
  cpu.set(OFF.dr6, (cpu.lo(OFF.dr6) & ~15) | bits, 0);
  cpu.raise(EXC.DB);
}

/** Before an instruction: #DB if a breakpoint is on it and RF does not hold it back. @returns whether it raised */
export function breakBefore(cpu: X86Cpu, lo: number, hi: number): boolean {
  cpu.setLo(SYS.watchHits, 0);
  if (cpu.lo(OFF.eflags) & FLAG.rf) {
    cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) & ~FLAG.rf);
    return false;
  }
  const hits = cpu.breakPoints.executed(lo, hi);
  if (hits === 0) return false;
  raiseDebug(cpu, hits);
  return true;
}

/** Behind an instruction: #DB for what it touched, or since it was a single step. @returns whether it raised, 0 or 1 */
export function breakAfter(cpu: X86Cpu, stepping: boolean): number {
  const hits = cpu.lo(SYS.watchHits) | (stepping ? DR6.BS : 0);
  if (hits === 0) return 0;
  cpu.setLo(SYS.watchHits, 0);
  raiseDebug(cpu, hits);
  return 1;
}

/** DR4 and DR5 are DR6 and DR7, unless debugging extensions are on. */
function alias(cpu: X86Cpu, n: number): number {
  if (n !== 4 && n !== 5) return n;
  if (cpu.lo(OFF.cr4) & CR4.DE) cpu.fault(EXC.UD);
  return n + 2;
}

function checkAccess(cpu: X86Cpu): void {
  if ((cpu.lo(OFF.dr7) & 0x2000) === 0) return;
  cpu.set(OFF.dr6, cpu.lo(OFF.dr6) | DR6.BD, 0);
  cpu.fault(EXC.DB);
}

/** Offset of the slot that MOV from DRn reads. */
export function readDebug(cpu: X86Cpu, n: number): number {
  const real = alias(cpu, n);
  checkAccess(cpu);
  return real < 4 ? OFF.dr0 + 8 * real : real === 6 ? OFF.dr6 : OFF.dr7;
}

/** MOV to DRn. */
export function writeDebug(cpu: X86Cpu, n: number, lo: number, hi: number): void {
  const real = alias(cpu, n);
  checkAccess(cpu);
  if (real >= 6 && hi !== 0) cpu.fault(EXC.GP, 0);
  if (real < 4) cpu.set(OFF.dr0 + 8 * real, lo, hi);
  else if (real === 6) cpu.set(OFF.dr6, (lo & ~0x1000) | 0xffff_0ff0, 0);
  else cpu.set(OFF.dr7, (lo & ~0xd800) | 0x400, 0);
  cpu.breakPoints.changed();
  cpu.updateFlags();
}
