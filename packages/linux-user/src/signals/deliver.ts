/** Entering and leaving handlers. Source: POSIX.1-2017, 2.4.3 and 2.4.4; Linux man-pages, sigaction(2), sigaltstack(2), signal(7). */
import type { Abi } from "../abi.ts";
import { E, Errno, RESTART } from "../errno.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { UserCpu, UserTarget } from "../target.ts";
import { SIG, sigInfo, writeSigInfo, type SigInfo } from "./siginfo.ts";
import { bit, defaultAction, SA, SIG_DFL, SIG_IGN, SS, type Signals } from "./signals.ts";

/** What delivery needs of the process. */
export interface DeliveryContext {
  readonly abi: Abi;
  readonly cpu: UserCpu;
  readonly memory: AddressSpace;
  readonly signals: Signals;
  readonly target: UserTarget;
  /** Address of the trampoline. */
  readonly trampoline: number;
  /** The program ends by a signal. */
  kill(info: SigInfo): void;
  /** The program stops until it is continued. */
  stop(signal: number): void;
}

/** How the call in progress ended: its result, or undefined when none is in progress. */
export type PendingResult = number | undefined;

const isRestart = (result: number): boolean => result <= -RESTART.sys && result >= -RESTART.block;

/**
 * Delivers pending signals, and ends the system call in progress. The CPU's state is precise; with a call in progress,
 * it is at the calling instruction.
 */
export function deliverSignals(context: DeliveryContext, result: PendingResult): void {
  const { signals } = context;
  let open = result;
  for (;;) {
    const set = signals.deliverable;
    if (set === 0n) break;
    const info = signals.take(set)!;
    const action = signals.action(info.signo);
    if (action.handler === SIG_IGN) continue;
    if (action.handler === SIG_DFL) {
      const effect = defaultAction(info.signo);
      if (effect === "ignore") continue;
      if (effect === "stop") {
        context.stop(info.signo);
        continue;
      }
      return context.kill(info);
    }
    if (open !== undefined) endCall(context.cpu, open, action.flags);
    open = undefined;
    if (!enter(context, info)) return;
  }
  if (open !== undefined) endCall(context.cpu, open, undefined);
  signals.restoreSaved();
}

/** Ends a call; `flags` are those of the action whose handler is entered, undefined when there is none. */
function endCall(cpu: UserCpu, result: number, flags: number | undefined): void {
  if (!isRestart(result)) return cpu.syscallResult(result);
  const again =
    flags === undefined || result === -RESTART.noIntr || (result === -RESTART.sys && (flags & SA.RESTART) !== 0);
  if (again) cpu.syscallRestart();
  else cpu.syscallResult(-E.INTR);
}

/** Enters the handler of a signal. @returns false when the frame could not be written, which ends the program */
function enter(context: DeliveryContext, info: SigInfo): boolean {
  const { cpu, signals, memory, target, abi } = context;
  const action = signals.action(info.signo);
  const { altStack } = signals;
  const on = onAltStack(signals, cpu.sp);
  const useAlt = (action.flags & SA.ONSTACK) !== 0 && !(altStack.flags & SS.DISABLE) && altStack.size > 0 && !on;
  const address = cpu.frameAddress(useAlt ? altStack.sp + altStack.size : cpu.sp);
  let at: number;
  try {
    // On the alternate stack, a frame that goes beyond its end is an overflow.
    if (on && (action.flags & SA.ONSTACK) !== 0 && address < altStack.sp) throw Errno.of(E.FAULT);
    at = memory.at(address, target.frame.size, "w");
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    context.kill(sigInfo(SIG.SEGV, { code: 128, addr: address }));
    return false;
  }
  const mask = signals.takeSaved();
  const flags = (altStack.flags & ~SS.ONSTACK) | (on ? SS.ONSTACK : 0);
  cpu.enterHandler(
    {
      signal: info.signo,
      handler: action.handler,
      restorer: (action.flags & SA.RESTORER) !== 0 && action.restorer !== 0 ? action.restorer : context.trampoline,
      maskLo: Number(BigInt.asIntN(32, mask)),
      maskHi: Number(BigInt.asIntN(32, mask >> 32n)),
      altStack: { ...altStack, flags },
    },
    at,
    address,
  );
  writeSigInfo(memory.view, at + target.frame.siginfo, info, abi);
  if (altStack.flags & SS.AUTODISARM) signals.altStack = { sp: 0, flags: SS.DISABLE, size: 0 };
  if ((action.flags & SA.RESETHAND) !== 0)
    signals.setAction(info.signo, { ...action, handler: SIG_DFL, flags: action.flags & ~SA.SIGINFO });
  signals.mask |= action.mask | ((action.flags & SA.NODEFER) === 0 ? bit(info.signo) : 0n);
  return true;
}

/** Whether a stack pointer is on the alternate stack. */
export function onAltStack({ altStack }: Signals, sp: number): boolean {
  return !(altStack.flags & (SS.DISABLE | SS.AUTODISARM)) && sp > altStack.sp && sp <= altStack.sp + altStack.size;
}

/** rt_sigreturn. */
export function returnFromHandler(context: DeliveryContext): void {
  const { cpu, memory, signals, target } = context;
  const { sp } = cpu;
  let at: number;
  try {
    if (sp % 16 !== 0) throw Errno.of(E.FAULT);
    at = memory.at(sp, target.frame.size, "r");
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    return context.kill(sigInfo(SIG.SEGV, { code: 128, addr: sp }));
  }
  const { maskLo, maskHi, altStack } = cpu.leaveHandler(at);
  const { flags } = altStack;
  signals.altStack =
    flags & SS.DISABLE ? { sp: 0, flags: SS.DISABLE, size: 0 } : { ...altStack, flags: flags & SS.AUTODISARM };
  signals.mask = (BigInt(maskHi >>> 0) << 32n) | BigInt(maskLo >>> 0);
  deliverSignals(context, undefined);
}
