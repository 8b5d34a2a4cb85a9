import { closeSync, openSync, readFileSync, readSync } from "node:fs";

import { adviseHugePages } from "./huge-pages.ts";
import { E, seeded, SIG, signalName, type LinuxProcess, type ProcessHost } from "@mimus/linux-user";

/** setTimeout's longest delay. */
const LONGEST_MS = 2 ** 31 - 1;
const MS = 1e6;
/** A program that runs for longer than this has its memory backed by large pages. */
const ADVISE_AFTER_MS = 30;

/** Time, randomness, identity and signals of this process, for a program that runs in it. */
export function nodeProcessHost(options: { readonly seed?: number } = {}): ProcessHost {
  const id = (name: "getuid" | "geteuid" | "getgid" | "getegid"): number => process[name]?.() ?? 0;
  let seed = options.seed;
  // Both count from the same clock; this one is a plain number.
  const origin = Number(process.hrtime.bigint()) - performance.now() * MS;
  return {
    monotonicNs: () => origin + performance.now() * MS,
    realtime: () => {
      const ns = (performance.timeOrigin + performance.now()) * MS;
      return { sec: Math.floor(ns / 1e9), nsec: Math.floor(ns % 1e9) };
    },
    cpuTimeNs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) * 1000;
    },
    random: (bytes) => {
      if (seed === undefined) unpredictable(bytes);
      else seeded(seed++, bytes);
    },
    after,
    yield: () => new Promise((resolve) => setImmediate(resolve)),
    reserved: (memory) => {
      let asked = false;
      const advise = (): void => {
        if (!asked) adviseHugePages(memory);
        asked = true;
      };
      // Not at once: what it takes to ask (12 ms) would be much of what a short program costs.
      setTimeout(advise, ADVISE_AFTER_MS).unref();
      return advise;
    },
    kill: (pid, signal) => {
      try {
        process.kill(pid, signal === 0 ? 0 : signalName(signal));
        return 0;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM" ? -E.PERM : -E.SRCH;
      }
    },
    // The default action of SIGTSTP and its like can't be had by a process that handles them; SIGSTOP always stops.
    stop: () => process.kill(process.pid, "SIGSTOP"),
    ids: {
      pid: process.pid,
      ppid: process.ppid,
      ...fromProc(),
      uid: id("getuid"),
      euid: id("geteuid"),
      gid: id("getgid"),
      egid: id("getegid"),
      groups: process.getgroups?.() ?? [],
    },
  };
}

/** What only Linux's /proc tells; nothing where there is none. */
function fromProc(): { pgid?: number; sid?: number; noNewPrivs?: number } {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const [pgid, sid] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(2, 4)
      .map(Number);
    const noNewPrivs = Number(/^NoNewPrivs:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0);
    if (!Number.isSafeInteger(pgid) || !Number.isSafeInteger(sid)) return { noNewPrivs };
    return { pgid: pgid as number, sid: sid as number, noNewPrivs };
  } catch {
    return {};
  }
}

/** Loading node:crypto takes 8 ms of a cold start, for sixteen bytes on a stack: the kernel has them at once. */
function unpredictable(bytes: Uint8Array): void {
  try {
    const fd = openSync("/dev/urandom", "r");
    const count = readSync(fd, bytes);
    closeSync(fd);
    if (count === bytes.length) return;
  } catch {
    // A host without that file.
  }
  process.getBuiltinModule("node:crypto").randomFillSync(bytes);
}

function after(ns: number, fn: () => void): () => void {
  const due = performance.now() + ns / MS;
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => {
    const left = Math.max(due - performance.now(), 0);
    timer = setTimeout(left > LONGEST_MS ? arm : fn, Math.min(Math.ceil(left), LONGEST_MS));
  };
  arm();
  return () => clearTimeout(timer);
}

/** Signals of this process that a program always gets: they end it in good order, or do what it wants. */
const FORWARDED = [SIG.HUP, SIG.INT, SIG.QUIT, SIG.USR1, SIG.USR2, SIG.TERM] as const;
/** Those that it gets once it catches them. */
const ON_REQUEST: readonly number[] = [
  SIG.CHLD,
  SIG.CONT,
  SIG.WINCH,
  SIG.TSTP,
  SIG.TTIN,
  SIG.TTOU,
  SIG.ALRM,
  SIG.VTALRM,
  SIG.IO,
  SIG.URG,
  SIG.XCPU,
];

/** What of a program the forwarding needs. */
export type SignalTarget = Pick<LinuxProcess, "signals" | "raise">;

/**
 * Keeps signals that come while a program starts from ending this process: its first instructions run before there is
 * anybody to send them to. They wait for the event loop. @returns how to stop
 */
export function holdSignals(): () => void {
  const nothing = (): void => {};
  for (const signal of FORWARDED) process.on(signalName(signal) as NodeJS.Signals, nothing);
  return () => {
    for (const signal of FORWARDED) process.off(signalName(signal), nothing);
  };
}

/** Sends the signals that this process gets on to a program. @returns how to stop */
export function forwardSignals(program: SignalTarget): () => void {
  const listeners: Map<number, () => void> = new Map();
  const listen = (signal: number): void => {
    if (listeners.has(signal)) return;
    const listener = (): void => program.raise(signal);
    try {
      process.on(signalName(signal) as NodeJS.Signals, listener);
      listeners.set(signal, listener);
    } catch {
      // This host has no such signal.
    }
  };
  const forget = (signal: number): void => {
    const listener = listeners.get(signal);
    if (listener === undefined) return;
    process.off(signalName(signal), listener);
    listeners.delete(signal);
  };
  for (const signal of FORWARDED) listen(signal);
  program.signals.onAction = (signal, { handler }) => {
    if (!ON_REQUEST.includes(signal)) return;
    if (handler > 1) listen(signal);
    else forget(signal);
  };
  return () => {
    for (const signal of [...listeners.keys()]) forget(signal);
  };
}
