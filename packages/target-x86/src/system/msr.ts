/**
 * Model-specific registers. Source: Intel SDM volume 4 (2023); AMD APM volume 2 (2023), appendix A.
 * A number that nobody knows reads as 0 and takes writes, as QEMU 7.2 has it: guests look for those of many models.
 */
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, OFF, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { EFER } from "./bits.ts";
import { MC_BANKS, MTRR_COUNT, SYS } from "./state.ts";
import { EXC } from "./vectors.ts";

/** How a register behaves: reads into `out` (low, high), writes. Either may raise by `cpu.fault`. */
interface Msr {
  read(cpu: X86Cpu, out: Uint32Array): void;
  write?(cpu: X86Cpu, lo: number, hi: number): void;
}

const field = (offset: number, write?: Msr["write"]): Msr => ({
  read(cpu, out) {
    out[0] = cpu.lo(offset);
    out[1] = cpu.hi(offset);
  },
  write: write ?? ((cpu, lo, hi) => cpu.set(offset, lo, hi)),
});
/** A register of 32 bits. */
const word = (offset: number): Msr => ({
  read(cpu, out) {
    out[0] = cpu.lo(offset);
    out[1] = 0;
  },
  write: (cpu, lo) => cpu.setLo(offset, lo),
});
const value = (lo: number, hi: number): Msr => ({
  read(_cpu, out) {
    out[0] = lo;
    out[1] = hi;
  },
});

function needCanonical(cpu: X86Cpu, hi: number): void {
  const bits = cpu.lo(OFF.cr4) & 0x1000 ? 7 : 16;
  if ((hi << bits) >> bits !== hi) cpu.fault(EXC.GP, 0);
}
const address = (offset: number): Msr =>
  field(offset, (cpu, lo, hi) => {
    needCanonical(cpu, hi);
    cpu.set(offset, lo, hi);
  });

/** Bits of EFER that exist, by the features that they come with. */
const EFER_BITS: readonly (readonly [number, string])[] = [
  [EFER.SCE, "syscall"], [EFER.LME, "lm"], [EFER.NXE, "nx"], [EFER.SVME, "svm"], [EFER.FFXSR, "fxsr-opt"],
]; // prettier-ignore

function writeEfer(cpu: X86Cpu, lo: number): void {
  let mask = 0;
  for (const [bit, feature] of EFER_BITS) if (cpu.has(feature)) mask |= bit;
  const old = cpu.lo(OFF.efer);
  const next = (old & ~mask) | (lo & mask);
  if ((next ^ old) & EFER.LME && cpu.lo(OFF.cr0) < 0) cpu.fault(EXC.GP, 0);
  cpu.set(OFF.efer, next, 0);
  if ((next ^ old) & EFER.NXE) {
    cpu.walker.modeChanged();
    cpu.engine.flushTlb(cpu.env, ALL_INDEXES);
  }
  cpu.updateFlags();
}

const TSC: Msr = {
  read(cpu, out) {
    readTsc(cpu, out);
  },
  write(cpu, lo, hi) {
    const now = cpu.pair;
    cpu.time.tsc(now);
    const low = (lo - now[0]!) | 0;
    const borrow = lo >>> 0 < now[0]! >>> 0 ? 1 : 0;
    cpu.set(OFF.tscOffset, low, (hi - now[1]! - borrow) | 0);
    cpu.apic?.timeChanged?.();
  },
};

/** The time stamp counter as programs see it. */
export function readTsc(cpu: X86Cpu, out: Uint32Array): void {
  cpu.time.tsc(out);
  // As nearly all have it, who have never written the counter.
  if ((cpu.lo(OFF.tscOffset) | cpu.hi(OFF.tscOffset)) === 0) return;
  const lo = (out[0]! + (cpu.lo(OFF.tscOffset) >>> 0)) >>> 0;
  out[1] = out[1]! + cpu.hi(OFF.tscOffset) + (lo < out[0]! ? 1 : 0);
  out[0] = lo;
}

/** Nanoseconds of the virtual clock at which the time stamp counter, as programs see it, reaches a value. */
export function counterDeadline(cpu: X86Cpu, lo: number, hi: number): number {
  const offset = cpu.hi(OFF.tscOffset) * 2 ** 32 + (cpu.lo(OFF.tscOffset) >>> 0);
  return (hi >>> 0) * 2 ** 32 + (lo >>> 0) - offset;
}

const APIC_BASE: Msr = {
  read(cpu, out) {
    if (cpu.apic !== undefined) return cpu.apic.readBase(out);
    out[0] = cpu.lo(OFF.apicBase);
    out[1] = cpu.hi(OFF.apicBase);
  },
  write(cpu, lo, hi) {
    if (cpu.apic === undefined) return cpu.set(OFF.apicBase, lo, hi);
    if (!cpu.apic.writeBase(lo, hi)) cpu.fault(EXC.GP, 0);
    cpu.apicMoved();
  },
};

const CORES: Msr = {
  read(cpu, out) {
    const { threads, cores } = cpu.config.topology;
    out[0] = threads * cores + cores * 65536;
    out[1] = 0;
  },
};

const PAT: Msr = field(OFF.pat, (cpu, lo, hi) => {
  for (const half of [lo, hi])
    for (let n = 0; n < 32; n += 8) {
      const type = (half >>> n) & 0xff;
      if (type > 7 || type === 2 || type === 3) cpu.fault(EXC.GP, 0);
    }
  cpu.set(OFF.pat, lo, hi);
});

/** Registers by number. Runs of them follow below. */
const TABLE: ReadonlyMap<number, Msr> = new Map<number, Msr>([
  [0x10, TSC],
  [0x1b, APIC_BASE],
  [0x35, CORES],
  [0x3b, field(SYS.tscAdjust, writeTscAdjust)],
  [
    0x8b,
    { read: (cpu, out) => void ((out[0] = cpu.config.microcode[0]), (out[1] = cpu.config.microcode[1])), write() {} },
  ],
  [0xfe, value(MTRR_COUNT | 0x500, 0)],
  [0x174, word(OFF.sysenterCs)],
  [0x175, field(OFF.sysenterEsp)],
  [0x176, field(OFF.sysenterEip)],
  [0x179, { read: (cpu, out) => void ((out[0] = cpu.has("mca") ? 0x0100_010a : 0), (out[1] = 0)) }],
  [0x17a, field(SYS.mcgStatus)],
  [0x17b, field(SYS.mcgCtl)],
  [0x198, value(1000, 4 << 8)],
  [0x1a0, field(OFF.miscEnable)],
  [0x277, PAT],
  [0x2ff, field(SYS.mtrrDefault)],
  [0xc000_0080, field(OFF.efer, writeEfer)],
  [0xc000_0081, field(OFF.star)],
  [0xc000_0082, address(OFF.lstar)],
  [0xc000_0083, address(OFF.cstar)],
  [0xc000_0084, word(OFF.fmask)],
  [0xc000_0100, address(segOffset(SEG.fs) + SEG_FIELD.base)],
  [0xc000_0101, address(segOffset(SEG.gs) + SEG_FIELD.base)],
  [0xc000_0102, address(OFF.kernelGsBase)],
  [0xc000_0103, field(OFF.tscAux)],
  [0xc001_0117, field(SYS.hsave)],
  ...[0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f].map((number, n): [number, Msr] => [
    number,
    field(SYS.mtrrFix + 8 * n),
  ]),
  ...Array.from({ length: 2 * MTRR_COUNT }, (_, n): [number, Msr] => [0x200 + n, field(SYS.mtrrVar + 8 * n)]),
  ...Array.from({ length: 4 * MC_BANKS }, (_, n): [number, Msr] => [0x400 + n, field(SYS.mcBanks + 8 * n)]),
]);

function writeTscAdjust(cpu: X86Cpu, lo: number, hi: number): void {
  const oldLo = cpu.lo(SYS.tscAdjust);
  const dLo = (lo - oldLo) | 0;
  const dHi = (hi - cpu.hi(SYS.tscAdjust) - (lo >>> 0 < oldLo >>> 0 ? 1 : 0)) | 0;
  cpu.set(SYS.tscAdjust, lo, hi);
  const base = cpu.lo(OFF.tscOffset);
  const sum = (base + dLo) | 0;
  cpu.set(OFF.tscOffset, sum, (cpu.hi(OFF.tscOffset) + dHi + (sum >>> 0 < base >>> 0 ? 1 : 0)) | 0);
  cpu.apic?.timeChanged?.();
}

const toApic = (number: number): boolean => (number >= 0x800 && number < 0x840) || number === 0x6e0;

/** RDMSR into `out`: low, high half. */
export function readMsr(cpu: X86Cpu, number: number, out: Uint32Array): void {
  out[0] = out[1] = 0;
  const n = number >>> 0;
  if (toApic(n)) {
    if (cpu.apic !== undefined && !cpu.apic.readMsr(n, out)) cpu.fault(EXC.GP, 0);
    return;
  }
  TABLE.get(n)?.read(cpu, out);
}

/** WRMSR. */
export function writeMsr(cpu: X86Cpu, number: number, lo: number, hi: number): void {
  const n = number >>> 0;
  if (toApic(n)) {
    if (cpu.apic !== undefined && !cpu.apic.writeMsr(n, lo, hi)) cpu.fault(EXC.GP, 0);
    return;
  }
  TABLE.get(n)?.write?.(cpu, lo, hi);
}
