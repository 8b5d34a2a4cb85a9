/** What locked instructions and fences call where vCPUs run at the same time. */
import { ENV, type Helper } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { REG, regOffset, type WordSize } from "../state.ts";
import { carry } from "./memory.ts";

/** CMPXCHG16B at an aligned address; RAX, RDX, RBX, RCX are in the state. @returns whether it stored; 0 when it raised */
function exchange16(cpu: X86Cpu, lo: number, hi: number, mmu: number): number {
  const { engine, env } = cpu;
  const above = (lo + 8) | 0;
  const aboveHi = (hi + carry(above, lo)) | 0;
  return engine.exclusive(() => {
    if (!engine.load(env, above, aboveHi, 8, mmu)) return 0;
    const highLo = cpu.lo(ENV.scratch);
    const highHi = cpu.hi(ENV.scratch);
    if (!engine.load(env, lo, hi, 8, mmu)) return 0;
    const lowLo = cpu.lo(ENV.scratch);
    const lowHi = cpu.hi(ENV.scratch);
    const same = holds(cpu, REG.ax, lowLo, lowHi) && holds(cpu, REG.dx, highLo, highHi);
    if (same) {
      cpu.copy(ENV.scratch, regOffset(REG.bx));
      if (!engine.store(env, lo, hi, 8, mmu)) return 0;
      cpu.copy(ENV.scratch, regOffset(REG.cx));
      return engine.store(env, above, aboveHi, 8, mmu) ? 1 : 0;
    }
    cpu.set(regOffset(REG.ax), lowLo, lowHi);
    cpu.set(regOffset(REG.dx), highLo, highHi);
    return 0;
  });
}

function holds(cpu: X86Cpu, n: number, lo: number, hi: number): boolean {
  return cpu.lo(regOffset(n)) === lo && cpu.hi(regOffset(n)) === hi;
}

/** Everything before is seen by all before anything behind it. */
function fence(cpu: X86Cpu): void {
  Atomics.add(cpu.i32, (cpu.env + ENV.scratch + 24) >> 2, 0);
}

/** Helpers for a word size. */
export function lockedHelpers(word: WordSize): Helper[] {
  const all: Helper[] = [
    { name: "fence", params: [], mayFault: false, reads: [], writes: [], impl: { kind: "js", fn: fence } },
  ];
  if (word === 64)
    all.push({
      // exchange16(address, mmu) -> ZF
      name: "exchange16",
      params: ["i64", "i32"],
      result: "i32",
      mayFault: true,
      reads: ["rax", "rbx", "rcx", "rdx"],
      writes: ["rax", "rdx"],
      impl: { kind: "js", fn: exchange16 },
    });
  return all;
}
