/** The signal state of a process with one thread: actions, mask, pending signals, alternate stack. Source: POSIX.1-2017, 2.4. */
import { NSIG, SIG, type SigInfo } from "./siginfo.ts";

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
  readonly sp: number;
  readonly flags: number;
  readonly size: number;
}

/** Special handlers. */
export const SIG_DFL = 0;
export const SIG_IGN = 1;
/** Flags of an action. Source: Linux, asm-generic/signal-defs.h (numbers). */
export const SA = {
  NOCLDSTOP: 1, NOCLDWAIT: 2, SIGINFO: 4, ONSTACK: 0x0800_0000, RESTART: 0x1000_0000, NODEFER: 0x4000_0000,
  RESETHAND: 0x8000_0000, RESTORER: 0x0400_0000,
} as const; // prettier-ignore
/** Flags of an alternate stack. */
export const SS = { ONSTACK: 1, DISABLE: 2, AUTODISARM: 0x8000_0000 } as const;

const DEFAULT: SigAction = { handler: SIG_DFL, flags: 0, restorer: 0, mask: 0n };
/** Queued instances of one real-time signal at most. Source: Linux, RLIMIT_SIGPENDING (order of magnitude). */
const MOST_QUEUED = 4096;

const BITS: readonly bigint[] = Array.from({ length: NSIG + 1 }, (_, signal) =>
  signal === 0 ? 0n : 1n << BigInt(signal - 1),
);
/** Bit of a signal in a mask. */
export const bit = (signal: number): bigint => BITS[signal]!;
/** Signals that nothing blocks or catches. */
export const UNBLOCKABLE: bigint = bit(SIG.KILL) | bit(SIG.STOP);
/** Signals of the running instruction: they are delivered first. */
const SYNCHRONOUS = [SIG.SEGV, SIG.BUS, SIG.ILL, SIG.TRAP, SIG.FPE, SIG.SYS];

/** What a signal does by default. */
export type DefaultAction = "terminate" | "core" | "ignore" | "stop";

/** Source: POSIX.1-2017, signal.h; Linux man-pages, signal(7). */
export function defaultAction(signal: number): DefaultAction {
  switch (signal) {
    case SIG.CHLD:
    case SIG.CONT:
    case SIG.URG:
    case SIG.WINCH:
      return "ignore";
    case SIG.STOP:
    case SIG.TSTP:
    case SIG.TTIN:
    case SIG.TTOU:
      return "stop";
    case SIG.QUIT:
    case SIG.ILL:
    case SIG.TRAP:
    case SIG.ABRT:
    case SIG.BUS:
    case SIG.FPE:
    case SIG.SEGV:
    case SIG.XCPU:
    case SIG.XFSZ:
    case SIG.SYS:
      return "core";
    default:
      return "terminate";
  }
}

/** The signal state of a process with one thread: actions, mask, pending signals, alternate stack. Source: POSIX.1-2017, 2.4. */
export class Signals {
  #mask = 0n;
  #pending = 0n;
  /** Blocked signals to go back to after a wait with another mask. */
  #saved: bigint | undefined;
  readonly #queues: Map<number, SigInfo[]> = new Map();
  readonly #actions: SigAction[] = Array.from({ length: NSIG + 1 }, () => DEFAULT);
  readonly #watchers: Set<() => void> = new Set();
  /** What sigaltstack set. */
  altStack: AltStack = { sp: 0, flags: SS.DISABLE, size: 0 };
  /** Called when a signal can be delivered that could not before. */
  onDeliverable: () => void = () => {};
  /** Called when an action changes, with whether the signal is caught or ignored: hosts forward signals that are. */
  onAction: (signal: number, action: SigAction) => void = () => {};

  get mask(): bigint {
    return this.#mask;
  }
  set mask(mask: bigint) {
    this.#mask = mask & ~UNBLOCKABLE;
    if (this.deliverable !== 0n) this.onDeliverable();
  }

  /** Pending signals, blocked or not. */
  get pending(): bigint {
    return this.#pending;
  }
  /** Pending and not blocked. */
  get deliverable(): bigint {
    return this.#pending === 0n ? 0n : this.#pending & ~this.#mask;
  }

  action(signal: number): SigAction {
    return this.#actions[signal]!;
  }
  /** Sets what a signal does; pending ones that it ignores go. */
  setAction(signal: number, action: SigAction): void {
    this.#actions[signal] = action;
    if (this.ignored(signal)) this.#discard(signal);
    this.onAction(signal, action);
  }

  /** Whether a signal has no effect. */
  ignored(signal: number): boolean {
    const { handler } = this.#actions[signal]!;
    return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === "ignore");
  }

  /** A signal becomes pending, unless it is ignored and not blocked; a wait that it interrupts ends. */
  raise(info: SigInfo): void {
    const { signo } = info;
    if (signo < 1 || signo > NSIG) return;
    if (signo === SIG.CONT) for (const other of [SIG.STOP, SIG.TSTP, SIG.TTIN, SIG.TTOU]) this.#discard(other);
    const blocked = (this.#mask & bit(signo)) !== 0n;
    if (this.ignored(signo) && !blocked && this.#watchers.size === 0) return;
    let queue = this.#queues.get(signo);
    if (queue === undefined) this.#queues.set(signo, (queue = []));
    // A standard signal that is pending already stays one; real-time signals queue.
    if (queue.length > 0 && (signo < 32 || queue.length >= MOST_QUEUED)) return;
    queue.push(info);
    this.#pending |= bit(signo);
    for (const fn of this.#watchers) fn();
    if (!blocked) this.onDeliverable();
  }

  /** A fault of the running instruction: where it can't be handled, the default action ends the program. */
  force(info: SigInfo): void {
    const { signo } = info;
    if ((this.#mask & bit(signo)) !== 0n || this.#actions[signo]!.handler === SIG_IGN) {
      this.#actions[signo] = DEFAULT;
      this.#mask &= ~bit(signo);
    }
    this.#discard(signo);
    this.raise(info);
  }

  #discard(signal: number): void {
    this.#queues.delete(signal);
    this.#pending &= ~bit(signal);
  }

  /** Takes a pending signal of a set: those of the running instruction first, then by number. */
  take(set: bigint): SigInfo | undefined {
    const candidates = this.#pending & set;
    if (candidates === 0n) return undefined;
    let signal: number | undefined = SYNCHRONOUS.find((n) => (candidates & bit(n)) !== 0n);
    for (let n = 1; signal === undefined; n++) if ((candidates & bit(n)) !== 0n) signal = n;
    const queue = this.#queues.get(signal)!;
    const info = queue.shift();
    if (queue.length === 0) this.#discard(signal);
    return info;
  }

  /**
   * For calls that wait with another mask (ppoll, pselect6, epoll_pwait, rt_sigsuspend): sets it until the call has
   * returned and a handler that interrupted it has been entered.
   */
  maskForWait(mask: bigint): void {
    this.#saved ??= this.#mask;
    this.mask = mask;
  }
  /** The mask that a handler returns to: of before a wait with another one. */
  takeSaved(): bigint {
    const mask = this.#saved ?? this.#mask;
    this.#saved = undefined;
    return mask;
  }
  /** No handler was entered: the mask is as before the wait. */
  restoreSaved(): void {
    if (this.#saved === undefined) return;
    const mask = this.#saved;
    this.#saved = undefined;
    this.mask = mask;
  }

  /** Calls `fn` when a signal becomes pending; for signalfd. @returns how to stop */
  onPending(fn: () => void): () => void {
    this.#watchers.add(fn);
    return () => this.#watchers.delete(fn);
  }
}
