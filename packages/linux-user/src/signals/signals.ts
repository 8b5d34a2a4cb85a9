/** The signal state of a process with one thread: actions, mask, pending signals, alternate stack. */
import type { SigInfo } from "./siginfo.ts";

/** What rt_sigaction sets. `mask` is 64 bits, signal n is bit n − 1. */
export interface SigAction {
  /** 0 default, 1 ignore, else an address. */
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  readonly mask: bigint;
}

/** sigaltstack. */
export interface AltStack {
  sp: number;
  flags: number;
  size: number;
}

/** As system calls other than those about signals see it. */
export interface Signals {
  /** Blocked signals. */
  mask: bigint;
  /** Pending and not blocked. */
  readonly deliverable: bigint;
  /** Pending signals. */
  readonly pending: bigint;
  action(signal: number): SigAction;
  setAction(signal: number, action: SigAction): void;
  /** A signal becomes pending, unless it is ignored; a wait that it interrupts ends. */
  raise(info: SigInfo): void;
  /**
   * For calls that wait with another mask (ppoll, pselect6, epoll_pwait, rt_sigsuspend): sets it until the call has returned and
   * a handler that interrupted it has been entered.
   */
  maskForWait(mask: bigint): void;
  /** Calls `fn` when a signal becomes pending; for signalfd. @returns how to stop */
  onPending(fn: () => void): () => void;
  /** Takes a pending signal of a set. */
  take(set: bigint): SigInfo | undefined;
}
