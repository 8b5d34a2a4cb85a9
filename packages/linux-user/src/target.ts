/**
 * What a `target-*` package offers for user mode. The packages of instruction sets lie below this one: they have the same
 * shapes of their own, and TypeScript compares them where a program is composed.
 */
import type { Engine, Target, TargetCpu, Translation } from "@mimus/tcg";
import type { Abi } from "./abi.ts";

/** An instruction set that programs can be run on. */
export interface UserTarget {
  /** `riscv64`: as in the command and in `uname -m`. */
  readonly name: string;
  readonly abi: Abi;
  readonly elf: {
    /** e_machine. */
    readonly machine: number;
    /** Why a program with these e_flags can't run, or undefined. */
    refuse?(flags: number): string | undefined;
  };
  /** AT_HWCAP and AT_HWCAP2. */
  readonly hwcap: number;
  readonly hwcap2: number;
  /** AT_PLATFORM. */
  readonly platform: string | undefined;
  /** Code that a signal handler returns to when its action has no restorer: it calls rt_sigreturn. */
  readonly trampoline: Uint8Array;
  /** Bytes of a signal frame, and where in it the siginfo is. */
  readonly frame: { readonly size: number; readonly siginfo: number };
  /** Number of the rt_sigreturn call. */
  readonly sigreturn: number;
  /** The instruction set for the engine. */
  target(): Target;
  createCpu(engine: Engine, env: number, kernel: CpuKernel): UserCpu;
  /** Text for `-cpu help`. */
  readonly cpus: readonly { readonly name: string; readonly summary: string }[];
}

/** What the CPU asks of the kernel. */
export interface CpuKernel {
  /**
   * Where an address leads and what may be done there.
   * @returns 0, or why not: 1 nothing is mapped, 2 not so, 3 beyond the end of the file
   */
  translate(lo: number, hi: number, access: 0 | 1 | 2, out: Translation): number;
  /** The program made a system call; its state is precise and at the calling instruction. */
  syscall(): void;
  /** The program did something that a signal answers; its state is precise. */
  fault(signal: number, code: number, lo: number, hi: number): void;
  /** The counter that programs can read, low half first. */
  time(out: Uint32Array): void;
  /** Instructions executed. */
  readonly executed: number;
}

/** What a handler is entered with. */
export interface SignalEntry {
  readonly signal: number;
  /** Address of the handler and, if the action has one, of the code that it returns to. */
  readonly handler: number;
  readonly restorer: number;
  /** Blocked signals before. */
  readonly maskLo: number;
  readonly maskHi: number;
  readonly altStack: { readonly sp: number; readonly flags: number; readonly size: number };
}

/** What a frame held besides registers. */
export interface SignalReturn {
  readonly maskLo: number;
  readonly maskHi: number;
  readonly altStack: { readonly sp: number; readonly flags: number; readonly size: number };
}

/** A CPU in user mode. */
export interface UserCpu extends TargetCpu {
  /** The program's first instruction and stack; everything else is zero. */
  start(pc: number, sp: number): void;
  readonly pc: number;
  readonly sp: number;
  syscallNumber(): number;
  /** Halves of the six arguments. */
  syscallArgs(lo: Int32Array, hi: Int32Array): void;
  /** Ends a call: the result, or a negated error number, and on to the next instruction. */
  syscallResult(value: number): void;
  /** The call will be made again: back to its instruction with its first argument as it was. */
  syscallRestart(): void;
  /** Address of a signal frame below a stack pointer. */
  frameAddress(sp: number): number;
  /** Writes all of a frame but the siginfo at `at` in the machine memory (`address` in the program), and enters the handler. */
  enterHandler(entry: SignalEntry, at: number, address: number): void;
  /** Restores what a frame holds; `at` is a multiple of 16. */
  leaveHandler(at: number): SignalReturn;
  /** Registers for messages. */
  describe(): string;
}
