/** Port accesses. Source: Intel SDM volume 1 (2023), chapter 19. */
import type { X86Cpu } from "../cpu.ts";
import { MMU, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { noteHits } from "./debug.ts";
import { carry, read } from "./memory.ts";
import { EXC } from "./vectors.ts";

/** IN. */
export function portIn(cpu: X86Cpu, port: number, size: number): number {
  return cpu.ports.in(port, size) | 0;
}

/** OUT. */
export function portOut(cpu: X86Cpu, port: number, size: number, value: number): void {
  cpu.ports.out(port, size, size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff);
}

/** A program without I/O privilege asks the permission map of its task: #GP(0) unless all bits are clear. Source: 19.5.2. */
export function checkPort(cpu: X86Cpu, port: number, size: number): void {
  const at = segOffset(SEG.tr);
  const limit = cpu.lo(at + SEG_FIELD.limit) >>> 0;
  const attr = cpu.lo(at + SEG_FIELD.attr);
  // A 16-bit task state has no map.
  if ((attr & 0x8000) === 0 || (attr & 0x800) === 0 || limit < 103) cpu.fault(EXC.GP, 0);
  const map = word(cpu, at, 0x66) + (port >>> 3);
  if (map + 1 > limit) cpu.fault(EXC.GP, 0);
  const bits = word(cpu, at, map) >>> (port & 7);
  if (bits & ((1 << size) - 1)) cpu.fault(EXC.GP, 0);
}

function word(cpu: X86Cpu, at: number, offset: number): number {
  const base = cpu.lo(at + SEG_FIELD.base);
  const lo = (base + offset) | 0;
  return read(cpu, lo, (cpu.hi(at + SEG_FIELD.base) + carry(lo, base)) | 0, 2, MMU.kernel);
}

/** Breakpoints on a port, noted for the end of the instruction. */
export function watchPort(cpu: X86Cpu, port: number, size: number): void {
  noteHits(cpu, cpu.breakPoints.port(port, size));
}
