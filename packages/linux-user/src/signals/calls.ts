/** System calls about signals. Source: Linux man-pages, section 2. */
import { E, fail, RESTART } from "../errno.ts";
import { layout } from "../layout.ts";
import type { Process, SyscallDef } from "../process.ts";
import { onAltStack } from "./deliver.ts";
import { NSIG, SI, SIG, SIGINFO_SIZE, readSigInfo, sigInfo, writeSigInfo, type SigInfo } from "./siginfo.ts";
import { SS, UNBLOCKABLE } from "./signals.ts";

/** struct sigaction of ABIs whose C library brings no restorer. */
const SIGACTION = layout({ handler: "ptr", flags: "ulong", mask: "b64" });
const STACK = layout({ sp: "ptr", flags: "s32", size: "ulong" });
/** struct __kernel_timespec: 64 bits on all ABIs that take it. */
const TIMESPEC = layout({ sec: "s64", nsec: "long" });
/** sigset_t as system calls take it. */
const SET_SIZE = 8;
/** Smallest alternate stack that is accepted: room for a frame. */
const LEAST_STACK = 2048;

const readSet = (p: Process, address: number): bigint => {
  const lo = p.memory.u32(address);
  return (BigInt(p.memory.u32(address + 4)) << 32n) | BigInt(lo);
};
const writeSet = (p: Process, address: number, set: bigint): void => {
  p.memory.setU32(address, Number(set & 0xffff_ffffn));
  p.memory.setU32(address + 4, Number(set >> 32n));
};
const checkSize = (size: number): void => {
  if (size !== SET_SIZE) fail(E.INVAL);
};

/** Reads the mask that a call takes for the time that it waits; undefined when it has none. */
export function waitMask(p: Process, address: number, size: number): bigint | undefined {
  if (address === 0) return undefined;
  checkSize(size);
  return readSet(p, address);
}

function sigaction(p: Process, signal: number, act: number, old: number, size: number): number {
  checkSize(size);
  if (signal < 1 || signal > NSIG || (act !== 0 && (signal === SIG.KILL || signal === SIG.STOP))) return -E.INVAL;
  const before = p.signals.action(signal);
  if (act !== 0) {
    const { handler, flags, mask } = p.memory.get(SIGACTION, act);
    p.signals.setAction(signal, { handler, flags: Number(flags % 2 ** 32), mask: mask & ~UNBLOCKABLE, restorer: 0 });
  }
  if (old !== 0) p.memory.put(SIGACTION, old, before);
  return 0;
}

function sigprocmask(p: Process, how: number, set: number, old: number, size: number): number {
  checkSize(size);
  const before = p.signals.mask;
  if (set !== 0) {
    const given = readSet(p, set);
    if (how === 0) p.signals.mask = before | given;
    else if (how === 1) p.signals.mask = before & ~given;
    else if (how === 2) p.signals.mask = given;
    else return -E.INVAL;
  }
  if (old !== 0) writeSet(p, old, before);
  return 0;
}

function sigaltstack(p: Process, ss: number, old: number): number {
  const { altStack } = p.signals;
  const on = onAltStack(p.signals, p.stackPointer);
  if (ss !== 0) {
    const { sp, flags, size } = p.memory.get(STACK, ss);
    if (on) return -E.PERM;
    const mode = flags & ~SS.AUTODISARM;
    if (mode !== 0 && mode !== SS.DISABLE && mode !== SS.ONSTACK) return -E.INVAL;
    if (mode === SS.DISABLE) p.signals.altStack = { sp: 0, flags: SS.DISABLE, size: 0 };
    else if (size < LEAST_STACK) return -E.NOMEM;
    else p.signals.altStack = { sp, flags: flags & SS.AUTODISARM, size };
  }
  if (old !== 0) p.memory.put(STACK, old, { ...altStack, flags: altStack.flags | (on ? SS.ONSTACK : 0) });
  return 0;
}

/** Sends to the process itself; there are no others. */
function send(p: Process, pid: number, info: SigInfo): number {
  if (info.signo < 0 || info.signo > NSIG) return -E.INVAL;
  // Group 0 and -1 reach other processes too: this one is the only one that is known here.
  if (pid !== p.pid && pid !== 0 && pid !== -p.pid && pid !== -1) return p.signalOther?.(pid, info.signo) ?? -E.SRCH;
  if (info.signo !== 0) p.signals.raise(info);
  return 0;
}

const sender = (p: Process, signal: number, code: number): SigInfo =>
  sigInfo(signal, { code, pid: p.pid, uid: p.host.ids.uid });

function queue(p: Process, pid: number, signal: number, address: number): number {
  const at = p.memory.bytes(address, SIGINFO_SIZE, "r");
  const info = readSigInfo(new DataView(at.buffer, at.byteOffset, at.byteLength), 0, p.abi);
  // Only the kernel may say that it or kill sent a signal, but to oneself everything may be sent.
  if ((info.code >= 0 || info.code === SI.TKILL) && pid !== p.pid) return -E.PERM;
  return send(p, pid, { ...info, signo: signal });
}

const suspend = (p: Process, address: number, size: number): Promise<number> => {
  checkSize(size);
  p.signals.maskForWait(readSet(p, address));
  return p.block(() => () => {}, -RESTART.noHand);
};

function timedWait(p: Process, set: number, out: number, timeout: number, size: number): number | Promise<number> {
  checkSize(size);
  const wanted = readSet(p, set) & ~UNBLOCKABLE;
  const limit = timeout === 0 ? undefined : p.memory.get(TIMESPEC, timeout);
  if (limit !== undefined && (limit.sec < 0 || limit.nsec < 0 || limit.nsec >= 1e9)) return -E.INVAL;
  const take = (): number | undefined => {
    const info = p.signals.take(wanted);
    if (info === undefined) return undefined;
    if (out !== 0) {
      const bytes = p.memory.bytes(out, SIGINFO_SIZE, "w");
      writeSigInfo(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, info, p.abi);
    }
    return info.signo;
  };
  const now = take();
  if (now !== undefined) return now;
  if (limit !== undefined && limit.sec === 0 && limit.nsec === 0) return -E.AGAIN;
  return p.block((done) => {
    const stop = p.signals.onPending(() => {
      const taken = take();
      if (taken !== undefined) done(taken);
    });
    const cancel = limit === undefined ? undefined : p.host.after(limit.sec * 1e9 + limit.nsec, () => done(-E.AGAIN));
    return () => {
      stop();
      cancel?.();
    };
  }, -E.INTR);
}

/** The rows of the table of system calls that this part brings; rt_sigreturn is the process's own. */
export const signalCalls = [
  { name: "rt_sigaction", args: ["signal", "ptr", "ptr", "ulong"], run: sigaction },
  { name: "rt_sigprocmask", args: ["int", "ptr", "ptr", "ulong"], run: sigprocmask },
  {
    name: "rt_sigpending",
    args: ["ptr", "ulong"],
    run: (p: Process, set: number, size: number): number => {
      if (size > SET_SIZE) return -E.INVAL;
      writeSet(p, set, p.signals.pending & p.signals.mask);
      return 0;
    },
  },
  { name: "rt_sigsuspend", args: ["ptr", "ulong"], run: suspend },
  { name: "rt_sigtimedwait", args: ["ptr", "ptr", "ptr", "ulong"], run: timedWait },
  { name: "sigaltstack", args: ["ptr", "ptr"], run: sigaltstack },
  {
    name: "kill",
    args: ["int", "signal"],
    run: (p: Process, pid: number, signal: number): number => send(p, pid, sender(p, signal, SI.USER)),
  },
  {
    name: "tkill",
    args: ["int", "signal"],
    run: (p: Process, tid: number, signal: number): number =>
      tid <= 0 ? -E.INVAL : tid === p.current.tid ? send(p, p.pid, sender(p, signal, SI.TKILL)) : -E.SRCH,
  },
  {
    name: "tgkill",
    args: ["int", "int", "signal"],
    run: (p: Process, pid: number, tid: number, signal: number): number =>
      pid <= 0 || tid <= 0
        ? -E.INVAL
        : pid === p.pid && tid === p.current.tid
          ? send(p, pid, sender(p, signal, SI.TKILL))
          : -E.SRCH,
  },
  { name: "rt_sigqueueinfo", args: ["int", "signal", "ptr"], run: queue },
  {
    name: "rt_tgsigqueueinfo",
    args: ["int", "int", "signal", "ptr"],
    run: (p: Process, pid: number, tid: number, signal: number, address: number): number =>
      tid === p.current.tid ? queue(p, pid, signal, address) : -E.SRCH,
  },
] as const satisfies readonly SyscallDef[];
