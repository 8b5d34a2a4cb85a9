/** A running program, as system calls see it. */
import type { Abi } from "./abi.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { SigInfo } from "./signals/siginfo.ts";
import type { Signals } from "./signals/signals.ts";

/** Result of a call, or a negated error number; a promise while the thread waits. */
export type SyscallResult = number | Promise<number>;

/**
 * How an argument is taken from its register, and how `-strace` prints it. Numbers that a register can't hold exactly as
 * a JavaScript number (addresses and sizes of 2^53 and more) arrive rounded: they are out of every range that is checked.
 */
export type ArgKind =
  | "int" // s32
  | "uint" // u32
  | "long" // signed, register width
  | "ulong" // unsigned, register width: sizes
  | "ptr" // unsigned, register width: an address
  | "path" // ptr to a string, printed as one
  | "buf" // ptr to bytes, printed as an address
  | "fd" // s32
  | "atfd" // s32, AT_FDCWD printed by name
  | "octal" // u32 mode
  | "hex" // u32 flags
  | "signal" // s32, printed by name
  | "open-flags"
  | "prot"
  | "map-flags"
  | "loff"; // signed 64 bits, two registers on 32-bit ABIs

/** A system call: one row of the table. */
export interface SyscallDef {
  readonly name: string;
  readonly args: readonly ArgKind[];
  run(process: Process, ...args: never[]): SyscallResult;
}

/** What runs the calls of a process: made by `createSyscalls` of syscalls/. */
export interface Syscalls {
  /**
   * Runs a call. `lo` and `hi` are the halves of its six argument registers (`hi` is zero on 32-bit ABIs); they are reused.
   * Never throws for what the guest did.
   */
  call(number: number, lo: Int32Array, hi: Int32Array): SyscallResult;
  /** The program is over: files are closed. */
  close(): void;
}

/** A thread: today there is one. */
export interface Thread {
  readonly tid: number;
  /** Address that is cleared and woken when the thread ends (set_tid_address), or 0. */
  clearChildTid: number;
  robustList: number;
  robustListSize: number;
}

/** What of the auxiliary vector and start-up the kernel keeps showing (/proc/self). */
export interface ProgramInfo {
  /** Absolute path of the program in the guest's view. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Bytes of the auxiliary vector. */
  readonly auxv: Uint8Array;
  readonly startCode: number;
  readonly endCode: number;
  readonly startData: number;
  readonly endData: number;
  readonly startStack: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
}

/** Time in nanoseconds, and randomness: what a process needs of the host besides files. */
export interface ProcessHost {
  /** CLOCK_MONOTONIC. */
  monotonicNs(): number;
  /** CLOCK_REALTIME: whole seconds and nanoseconds since 1970. */
  realtime(): { readonly sec: number; readonly nsec: number };
  /** Processor time of this process. */
  cpuTimeNs(): number;
  random(bytes: Uint8Array): void;
  /** Calls `fn` once after a while. @returns how to cancel it */
  after(ns: number, fn: () => void): () => void;
  /** Lets the host's events happen. */
  yield(): Promise<void>;
  /**
   * The program's memory is reserved: the host may tell its kernel how to back it.
   * @returns what is called when the program maps much at once (2 MiB or more, without a file)
   */
  reserved?(memory: ArrayBufferLike): () => void;
  /** Sends a signal to another process. @returns 0 or a negated error number */
  kill?(pid: number, signal: number): number;
  /** Stops this process as a job, until it is continued. */
  stop?(signal: number): void;
  /** Real identity, for getpid, getuid and so on. */
  readonly ids: {
    readonly pid: number;
    readonly ppid: number;
    /** Process group; 0 when its leader lives outside the pid namespace. Absent = the process leads its own. */
    readonly pgid?: number;
    /** Session; 0 when its leader lives outside the pid namespace. Absent = the process leads its own. */
    readonly sid?: number;
    /** PR_GET_NO_NEW_PRIVS at the start: 1 in many containers. */
    readonly noNewPrivs?: number;
    readonly uid: number;
    readonly euid: number;
    readonly gid: number;
    readonly egid: number;
    readonly groups: readonly number[];
  };
}

/** A process. */
export interface Process {
  readonly abi: Abi;
  readonly memory: GuestMemory;
  readonly host: ProcessHost;
  readonly info: ProgramInfo;
  readonly threads: readonly Thread[];
  /** The thread that makes the call. */
  readonly current: Thread;
  readonly pid: number;
  readonly signals: Signals;
  /** Resource limits by number, as [soft, hard]; Infinity: none. The memory map obeys RLIMIT_AS (9), RLIMIT_DATA (2) and RLIMIT_STACK (3). */
  readonly limits: [number, number][];
  /** Guest instructions executed. */
  readonly executed: number;

  /** exit_group: the program ends after this call with a status of 0..255. */
  exit(status: number): void;
  /** Sends a signal to this process (SIGPIPE, SIGXFSZ, ...). */
  raise(signal: number, info?: Partial<SigInfo>): void;
  /**
   * Makes the calling thread wait. `start` begins to wait for something and returns how to stop; it calls `done` with the
   * call's result. A signal stops the wait with `interrupted`: −EINTR, or a negated number of `RESTART` (default:
   * −RESTART.sys), or a function that computes it.
   */
  block(start: (done: (result: number) => void) => () => void, interrupted?: number | (() => number)): Promise<number>;
  /** Instructions were written by others than the program (`riscv_flush_icache`): nothing to do, stores are watched. */
  flushInstructions(address: number, length: number): void;
  /** The calling thread's stack pointer. */
  readonly stackPointer: number;
  /** Sends a signal to another process of the host; −ESRCH without this method. */
  signalOther?(pid: number, signal: number): number;
  /** A line of `-d unimp`. */
  unimplemented(text: string): void;
  /** A line of `-strace`; undefined when it is off. */
  readonly strace: ((text: string) => void) | undefined;
}
