/** Delivery of interrupts and exceptions. */
import type { X86Cpu } from "../cpu.ts";

/** Takes an enabled pending interrupt, if there is one. */
export function takeInterrupt(_cpu: X86Cpu): boolean {
  return false;
}

/** Enters the handler of an exception. */
export function deliverException(_cpu: X86Cpu, _vector: number): void {}
