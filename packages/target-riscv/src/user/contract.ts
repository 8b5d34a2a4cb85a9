/** What user mode offers to, and asks of, whoever runs programs: `@mimus/linux-user` has the same shapes. */
import type { Translation } from "@mimus/tcg";

/** The kernel as a hart sees it. */
export interface CpuKernel {
  /** @returns 0 and the translation, or why there is none: 1 nothing mapped, 2 not allowed, 3 beyond a file's end */
  translate(lo: number, hi: number, access: 0 | 1 | 2, out: Translation): number;
  /** The program made a system call: pc is at it. */
  syscall(): void;
  /** A synchronous signal; `lo`, `hi` are the halves of its address. pc is at the instruction. */
  fault(signal: number, code: number, lo: number, hi: number): void;
  time(out: Uint32Array): void;
  readonly executed: number;
}

/** The alternate stack as a frame holds it. */
export interface AltStack {
  readonly sp: number;
  readonly flags: number;
  readonly size: number;
}

/** What a handler is entered with. */
export interface SignalEntry {
  readonly signal: number;
  readonly handler: number;
  /** Where the handler returns to. */
  readonly restorer: number;
  readonly maskLo: number;
  readonly maskHi: number;
  readonly altStack: AltStack;
}

/** What a frame holds besides registers. */
export interface SignalReturn {
  readonly maskLo: number;
  readonly maskHi: number;
  readonly altStack: AltStack;
}
