/** Signals and what comes along with them. Source: Linux, asm-generic/signal.h and siginfo.h (numbers); POSIX.1-2017, signal.h. */
import type { Abi } from "../abi.ts";
import { layout, type Values } from "../layout.ts";

/** Signal numbers of the asm-generic ABI. */
export const SIG = {
  HUP: 1, INT: 2, QUIT: 3, ILL: 4, TRAP: 5, ABRT: 6, BUS: 7, FPE: 8, KILL: 9, USR1: 10, SEGV: 11, USR2: 12, PIPE: 13,
  ALRM: 14, TERM: 15, STKFLT: 16, CHLD: 17, CONT: 18, STOP: 19, TSTP: 20, TTIN: 21, TTOU: 22, URG: 23, XCPU: 24,
  XFSZ: 25, VTALRM: 26, PROF: 27, WINCH: 28, IO: 29, PWR: 30, SYS: 31,
} as const; // prettier-ignore

/** Highest signal number. */
export const NSIG = 64;

const names: readonly string[] = Object.keys(SIG);

/** `SIGSEGV` for 11, `SIGRT_2` for 34. */
export function signalName(number: number): string {
  if (number >= 1 && number <= names.length) return `SIG${names[number - 1]}`;
  return number > 31 && number <= NSIG ? `SIGRT_${number - 32}` : String(number);
}

/** si_code values. */
export const SI = {
  USER: 0, KERNEL: 0x80, QUEUE: -1, TIMER: -2, MESGQ: -3, ASYNCIO: -4, SIGIO: -5, TKILL: -6,
  ILL_ILLOPC: 1, FPE_INTDIV: 1, FPE_FLTDIV: 3, SEGV_MAPERR: 1, SEGV_ACCERR: 2,
  BUS_ADRALN: 1, BUS_ADRERR: 2, BUS_OBJERR: 3, TRAP_BRKPT: 1, TRAP_TRACE: 2,
} as const; // prettier-ignore

/** What a handler with SA_SIGINFO is told. Fields that do not apply are 0. */
export interface SigInfo {
  readonly signo: number;
  readonly errno: number;
  readonly code: number;
  /** Faults. */
  readonly addr: number;
  /** Sender. */
  readonly pid: number;
  readonly uid: number;
  /** Of sigqueue and timers. */
  readonly value: number;
  readonly timerId: number;
  readonly overrun: number;
  readonly band: number;
  readonly fd: number;
}

/** Bytes of a siginfo_t. */
export const SIGINFO_SIZE = 128;

/** A siginfo with all that is not given 0. */
export function sigInfo(signo: number, given: Partial<SigInfo> = {}): SigInfo {
  const none = { errno: 0, code: 0, addr: 0, pid: 0, uid: 0, value: 0, timerId: 0, overrun: 0, band: 0, fd: 0 };
  return { ...none, ...given, signo };
}

const head = { signo: "s32", errno: "s32", code: "s32" } as const;
// Each variant of the union has a field of a pointer's alignment, and so begins where the union does.
const SENT = layout({ ...head, body: layout({ pid: "s32", uid: "u32", value: "ulong" }) });
const TIMER = layout({ ...head, body: layout({ timerId: "s32", overrun: "s32", value: "ulong" }) });
const FAULT = layout({ ...head, body: layout({ addr: "ptr" }) });
const POLL = layout({ ...head, body: layout({ band: "long", fd: "s32" }) });

type Variant = typeof SENT | typeof TIMER | typeof FAULT | typeof POLL;

/** Which part of the union a signal uses. Source: Linux, kernel/signal.c, siginfo_layout (rules). */
function variant({ signo, code }: { signo: number; code: number }): Variant {
  if (code === SI.TIMER) return TIMER;
  if (code === SI.SIGIO) return POLL;
  if (code <= 0 || code === SI.KERNEL) return SENT;
  if (signo === SIG.ILL || signo === SIG.FPE || signo === SIG.SEGV || signo === SIG.BUS || signo === SIG.TRAP)
    return FAULT;
  return signo === SIG.IO ? POLL : SENT;
}

/** Writes the 128 bytes of a siginfo_t. */
export function writeSigInfo(view: DataView, at: number, info: SigInfo, abi: Abi): void {
  new Uint8Array(view.buffer, view.byteOffset + at, SIGINFO_SIZE).fill(0);
  (variant(info) as typeof SENT).on(abi).write(view, at, { ...info, body: info as never });
}

/** Reads a siginfo_t that a program made. */
export function readSigInfo(view: DataView, at: number, abi: Abi): SigInfo {
  const { signo, code } = SENT.on(abi).read(view, at);
  const { body, ...rest } = (variant({ signo, code }) as typeof SENT).on(abi).read(view, at);
  return sigInfo(signo, { ...rest, ...(body as Partial<Values<typeof SENT.fields.body.fields>>) });
}
