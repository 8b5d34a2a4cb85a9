/** Calls of RISC-V alone. Source: Linux, Documentation/arch/riscv/hwprobe.rst, uapi/asm/hwprobe.h (keys and numbers). */
import { E } from "../../errno.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { HWPROBE } from "../structs.ts";

function flushIcache(k: Kernel, start: number, end: number, flags: number): number {
  if ((flags & ~1) !== 0) return -E.INVAL;
  if (end > start) k.process.flushInstructions(start, end - start);
  return 0;
}

/** What the processor can do: only what is certain. Misaligned accesses are done, and not slowly. */
const ANSWERS: ReadonlyMap<number, bigint> = new Map([
  [0, 0n], // MVENDORID
  [1, 0n], // MARCHID
  [2, 0n], // MIMPID
  [3, 1n], // BASE_BEHAVIOR: IMA
  [4, 3n], // IMA_EXT_0: F and D, C
  [5, 3n], // CPUPERF_0: misaligned accesses are fast
]);

function hwprobe(k: Kernel, pairs: number, count: number, setSize: number, cpus: number, flags: number): number {
  if (flags !== 0 || (setSize !== 0) !== (cpus !== 0)) return -E.INVAL;
  const { size } = HWPROBE.on(k.abi);
  for (let i = 0; i < count; i++) {
    const { key } = k.memory.get(HWPROBE, pairs + i * size);
    const value = ANSWERS.get(key);
    k.memory.put(HWPROBE, pairs + i * size, { key: value === undefined ? -1 : key, value: value ?? 0n });
  }
  return 0;
}

export const riscvCalls: readonly CallDef[] = [
  { name: "riscv_flush_icache", args: ["ptr", "ptr", "hex"], run: flushIcache },
  { name: "riscv_hwprobe", args: ["ptr", "ulong", "ulong", "ptr", "hex"], run: hwprobe },
];
