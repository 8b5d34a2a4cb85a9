/** How an unmasked x87 exception reaches the program. Source: Intel SDM volume 1 (2023), 8.7, appendix D. */
import type { X86Cpu } from "../cpu.ts";
import { OFF } from "../state.ts";
import { X87 } from "../translate/x87/layout.ts";

const NE = 0x20;
/** Vector of #MF. */
const FLOAT_ERROR = 16;
const ASSERTED = 1;
const IGNORED = 2;

/**
 * An instruction that waits finds ES set. With CR0.NE that is #MF; else FERR# is asserted, and an interrupt that it leads
 * to comes before the instruction. If none does the instruction goes on; a real processor would stand still until one.
 * @returns 1 to leave for the run loop first
 */
export function error(cpu: X86Cpu): number {
  if (cpu.lo(OFF.cr0) & NE) {
    cpu.raise(FLOAT_ERROR);
    return 1;
  }
  const state = cpu.lo(X87.error);
  if (state & IGNORED) return 0;
  if ((state & ASSERTED) === 0) {
    cpu.setLo(X87.error, state | ASSERTED);
    cpu.signals.ferr?.(true);
  }
  return cpu.hasWork() ? 1 : 0;
}

/** IGNNE#: what port F0h is written for. FERR# goes away, and instructions no longer wait until the exception is cleared. */
export function ignoreErrors(cpu: X86Cpu): void {
  cpu.setLo(X87.error, IGNORED);
  cpu.signals.ferr?.(false);
}
