/** Debug registers. */
import type { X86Cpu } from "../cpu.ts";

/** The breakpoints of DR0..DR3. */
export class BreakPoints {
  readonly #cpu: X86Cpu;
  constructor(cpu: X86Cpu) {
    this.#cpu = cpu;
  }
  /** DR7 or an address changed. */
  changed(): void {
    void this.#cpu;
  }
}
