/** Clocks, sleeping and timers. Source: Linux man-pages, clock_gettime(2), clock_nanosleep(2), timer_create(2), timerfd_create(2), setitimer(2). */
import { E, fail, RESTART } from "../../errno.ts";
import { O } from "../../fs/constants.ts";
import { TimerFile } from "../event-files.ts";
import { CLOCKS, CLONE_FD_FLAGS } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import { settle, type Kernel } from "../kernel.ts";
import {
  ITIMERSPEC,
  ITIMERSPEC64,
  ITIMERVAL,
  putTime,
  SIGEVENT,
  TIMESPEC,
  TIMESPEC64,
  TIMEVAL,
  TMS,
} from "../structs.ts";
import type { Countdown } from "../countdown.ts";

/** Nanoseconds per tick of times(2) and in /proc: USER_HZ is 100. */
export const TICK = 1e7;

type Put = (k: Kernel, address: number, sec: number, nsec: number) => void;
const put: Put = (k, address, sec, nsec) => putTime(k.memory, address, sec, nsec);
const put64: Put = (k, address, sec, nsec) => {
  k.memory.setU64(address, sec);
  k.memory.setU64(address + 8, nsec);
};

const isRealtime = (clock: number): boolean => clock === 0 || clock === 5 || clock === 8 || clock === 11;
const isMonotonic = (clock: number): boolean => clock === 1 || clock === 4 || clock === 6 || clock === 7 || clock === 9;
/** Clocks of a process or thread: numbers below 0 hold the complement of its id in bits 3 and up. */
function isCpu(k: Kernel, clock: number): boolean {
  if (clock >= 0) return clock === 2 || clock === 3;
  const id = ~(clock >> 3);
  return (clock & 3) <= 2 && (id === 0 || id === k.process.pid || id === k.process.current.tid);
}

function gettimeOf(put: Put) {
  return (k: Kernel, clock: number, out: number): number => {
    if (isMonotonic(clock) || isCpu(k, clock)) {
      const ns = isMonotonic(clock) ? k.process.host.monotonicNs() : k.process.host.cpuTimeNs();
      const sec = Math.floor(ns / 1e9);
      put(k, out, sec, Math.floor(ns - sec * 1e9));
      return 0;
    }
    if (!isRealtime(clock)) return -E.INVAL;
    const { sec, nsec } = k.process.host.realtime();
    put(k, out, sec, nsec);
    return 0;
  };
}

const getresOf =
  (put: Put) =>
  (k: Kernel, clock: number, out: number): number => {
    if (!isMonotonic(clock) && !isRealtime(clock) && !isCpu(k, clock)) return -E.INVAL;
    if (out !== 0) put(k, out, 0, clock === 5 || clock === 6 ? 4_000_000 : 1);
    return 0;
  };

function settime(k: Kernel, clock: number): number {
  return clock === 0 ? -E.PERM : -E.INVAL;
}

/** The clock for timers and sleeping, in nanoseconds. */
function clockOf(k: Kernel, clock: number): () => number {
  const { host } = k.process;
  if (isMonotonic(clock)) return () => host.monotonicNs();
  if (isCpu(k, clock)) return () => host.cpuTimeNs();
  if (!isRealtime(clock)) return fail(E.INVAL);
  return () => {
    const { sec, nsec } = host.realtime();
    return sec * 1e9 + nsec;
  };
}

type Spec = typeof TIMESPEC;
const readSpec = (k: Kernel, layout: Spec, address: number): number => {
  const { sec, nsec } = k.memory.get(layout, address);
  if (sec < 0 || nsec < 0 || nsec >= 1e9) fail(E.INVAL);
  return sec * 1e9 + nsec;
};

const TIMER_ABSTIME = 1;

const sleepOf =
  (layout: Spec) =>
  (k: Kernel, clock: number, flags: number, request: number, rest: number): number | Promise<number> => {
    const now = clockOf(k, clock);
    if (clock === 3) return -E.INVAL;
    const wanted = readSpec(k, layout, request);
    const absolute = (flags & TIMER_ABSTIME) !== 0;
    const { host } = k.process;
    const end = absolute ? wanted : now() + wanted;
    if (end <= now()) return 0;
    return k.process.block(
      (done) => {
        let cancel: () => void;
        const wait = (): void => {
          const left = end - now();
          if (left <= 0) done(0);
          else cancel = host.after(left, wait);
        };
        cancel = host.after(Math.max(end - now(), 0), wait);
        return () => cancel();
      },
      () => {
        if (absolute) return -RESTART.noHand;
        const left = Math.max(end - now(), 0);
        if (rest !== 0)
          settle(() => {
            k.memory.put(layout, rest, { sec: Math.floor(left / 1e9), nsec: Math.floor(left % 1e9) });
            return 0;
          });
        return -E.INTR;
      },
    );
  };

const sleep = sleepOf(TIMESPEC);
const nanosleep = (k: Kernel, request: number, rest: number): number | Promise<number> => sleep(k, 1, 0, request, rest);

function gettimeofday(k: Kernel, time: number, zone: number): number {
  const { sec, nsec } = k.process.host.realtime();
  if (time !== 0) putTime(k.memory, time, sec, Math.floor(nsec / 1000));
  if (zone !== 0) k.memory.setU64(zone, 0);
  return 0;
}

function times(k: Kernel, out: number): number {
  const ticks = Math.floor(k.process.host.cpuTimeNs() / TICK);
  if (out !== 0) k.memory.put(TMS, out, { utime: ticks });
  return Math.floor(k.process.host.monotonicNs() / TICK);
}

/** Timers as pairs of interval and value. */
type Pair = { readonly interval: { sec: number; nsec: number }; readonly value: { sec: number; nsec: number } };
const split = (ns: number): { sec: number; nsec: number } => ({
  sec: Math.floor(ns / 1e9),
  nsec: Math.floor(ns % 1e9),
});
const state = (c: Countdown): Pair => ({ interval: split(c.interval), value: split(c.remaining) });
const total = ({ sec, nsec }: { sec: number; nsec: number }): number =>
  sec < 0 || nsec < 0 || nsec >= 1e9 ? fail(E.INVAL) : sec * 1e9 + nsec;

type PairLayout = typeof ITIMERSPEC;
const ITIMERSPEC_64 = ITIMERSPEC64 as unknown as PairLayout;

/** Reads new settings: due time on a clock (0: stop) and interval. */
function settings(
  k: Kernel,
  layout: PairLayout,
  address: number,
  absolute: boolean,
  now: () => number,
): [number, number] {
  const { interval, value } = k.memory.get(layout, address);
  const each = total(interval);
  const first = total(value);
  if (first === 0) return [0, 0];
  return [absolute ? first : now() + first, each];
}

function getitimer(k: Kernel, which: number, out: number): number {
  const { timer } = k.timers.interval(which);
  const usec = (ns: number): { sec: number; usec: number } => ({
    sec: Math.floor(ns / 1e9),
    usec: Math.floor((ns % 1e9) / 1e3),
  });
  k.memory.put(ITIMERVAL, out, { interval: usec(timer.interval), value: usec(timer.remaining) });
  return 0;
}

function setitimer(k: Kernel, which: number, address: number, old: number): number {
  const { timer, now } = k.timers.interval(which);
  let due = 0;
  let each = 0;
  if (address !== 0) {
    const { interval, value } = k.memory.get(ITIMERVAL, address);
    const ns = ({ sec, usec }: { sec: number; usec: number }): number =>
      sec < 0 || usec < 0 || usec >= 1e6 ? fail(E.INVAL) : sec * 1e9 + usec * 1e3;
    each = ns(interval);
    const first = ns(value);
    due = first === 0 ? 0 : now() + first;
  }
  if (old !== 0) getitimer(k, which, old);
  timer.set(due, each);
  return 0;
}

const SIGEV = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const;
const SIGALRM = 14;

function timerCreate(k: Kernel, clock: number, event: number, out: number): number {
  const now = clockOf(k, clock);
  let signal: number = SIGALRM;
  let value: number | undefined;
  if (event !== 0) {
    const given = k.memory.get(SIGEVENT, event);
    value = given.value;
    signal = given.notify === SIGEV.NONE ? 0 : given.signo;
    if (given.notify === SIGEV.THREAD || given.notify < 0 || given.notify > 4 || given.notify === 3) return -E.INVAL;
    if (given.notify !== SIGEV.NONE && (signal < 1 || signal > 64)) return -E.INVAL;
    if (given.notify === SIGEV.THREAD_ID && !k.process.threads.some(({ tid }) => tid === given.tid)) return -E.INVAL;
  }
  k.memory.bytes(out, 4, "w");
  k.memory.setU32(out, k.timers.create(clock, now, signal, value));
  return 0;
}

const timerSettimeOf =
  (layout: PairLayout) =>
  (k: Kernel, id: number, flags: number, address: number, old: number): number => {
    const timer = k.timers.get(id);
    const [due, each] = settings(k, layout, address, (flags & TIMER_ABSTIME) !== 0, clockOf(k, timer.clock));
    if (old !== 0) k.memory.put(layout, old, state(timer.countdown));
    timer.countdown.set(due, each);
    return 0;
  };

const timerGettimeOf =
  (layout: PairLayout) =>
  (k: Kernel, id: number, out: number): number => {
    k.memory.put(layout, out, state(k.timers.get(id).countdown));
    return 0;
  };

function timerfdCreate(k: Kernel, clock: number, flags: number): number {
  if ((flags & ~(O.CLOEXEC | O.NONBLOCK)) !== 0 || ![0, 1, 7, 8, 9].includes(clock)) return -E.INVAL;
  return k.install(new TimerFile(k.process, clock, clockOf(k, clock)), O.RDWR | flags, "anon_inode:[timerfd]");
}

const timerFile = (k: Kernel, fd: number): TimerFile => {
  const { file } = k.fds.get(fd);
  return file instanceof TimerFile ? file : fail(E.INVAL);
};

const timerfdSettimeOf =
  (layout: PairLayout) =>
  (k: Kernel, fd: number, flags: number, address: number, old: number): number => {
    const timer = timerFile(k, fd);
    if ((flags & ~3) !== 0) return -E.INVAL;
    const [due, each] = settings(k, layout, address, (flags & 1) !== 0, clockOf(k, timer.clock));
    if (old !== 0) k.memory.put(layout, old, state(timer.countdown));
    timer.clear();
    timer.countdown.set(due, each);
    return 0;
  };

const timerfdGettimeOf =
  (layout: PairLayout) =>
  (k: Kernel, fd: number, out: number): number => {
    k.memory.put(layout, out, state(timerFile(k, fd).countdown));
    return 0;
  };

const CLOCK = { one: CLOCKS } as const;
const TIMESPEC_64 = TIMESPEC64 as unknown as Spec;

export const timeCalls: readonly CallDef[] = [
  { name: "clock_gettime", args: [CLOCK, { structOut: TIMESPEC }], run: gettimeOf(put) },
  { name: "clock_gettime64", args: [CLOCK, { structOut: TIMESPEC64 }], run: gettimeOf(put64) },
  { name: "clock_getres", args: [CLOCK, { structOut: TIMESPEC }], run: getresOf(put) },
  { name: "clock_getres_time64", args: [CLOCK, { structOut: TIMESPEC64 }], run: getresOf(put64) },
  { name: "clock_settime", args: [CLOCK, "ptr"], run: settime },
  { name: "clock_settime64", args: [CLOCK, "ptr"], run: settime },
  { name: "clock_nanosleep", args: [CLOCK, "hex", { structIn: TIMESPEC }, "ptr"], run: sleep },
  { name: "clock_nanosleep_time64", args: [CLOCK, "hex", { structIn: TIMESPEC64 }, "ptr"], run: sleepOf(TIMESPEC_64) },
  { name: "nanosleep", args: [{ structIn: TIMESPEC }, "ptr"], run: nanosleep },
  { name: "gettimeofday", args: [{ structOut: TIMEVAL }, "ptr"], run: gettimeofday },
  { name: "settimeofday", args: ["ptr", "ptr"], run: (): number => -E.PERM },
  { name: "adjtimex", args: ["ptr"], run: (): number => -E.PERM },
  { name: "clock_adjtime", args: [CLOCK, "ptr"], run: (): number => -E.PERM },
  { name: "times", args: [{ structOut: TMS }], run: times },
  { name: "getitimer", args: ["int", { structOut: ITIMERVAL }], run: getitimer },
  { name: "setitimer", args: ["int", { structIn: ITIMERVAL }, "ptr"], run: setitimer },
  { name: "timer_create", args: [CLOCK, "ptr", "ptr"], run: timerCreate },
  { name: "timer_settime", args: ["int", "hex", { structIn: ITIMERSPEC }, "ptr"], run: timerSettimeOf(ITIMERSPEC) },
  {
    name: "timer_settime64",
    args: ["int", "hex", { structIn: ITIMERSPEC64 }, "ptr"],
    run: timerSettimeOf(ITIMERSPEC_64),
  },
  { name: "timer_gettime", args: ["int", { structOut: ITIMERSPEC }], run: timerGettimeOf(ITIMERSPEC) },
  { name: "timer_gettime64", args: ["int", { structOut: ITIMERSPEC64 }], run: timerGettimeOf(ITIMERSPEC_64) },
  { name: "timer_getoverrun", args: ["int"], run: (k: Kernel, id: number): number => k.timers.get(id).overrun },
  {
    name: "timer_delete",
    args: ["int"],
    run: (k: Kernel, id: number): number => {
      k.timers.delete(id);
      return 0;
    },
  },
  { name: "timerfd_create", args: [CLOCK, { flags: CLONE_FD_FLAGS }], run: timerfdCreate },
  { name: "timerfd_settime", args: ["fd", "hex", { structIn: ITIMERSPEC }, "ptr"], run: timerfdSettimeOf(ITIMERSPEC) },
  {
    name: "timerfd_settime64",
    args: ["fd", "hex", { structIn: ITIMERSPEC64 }, "ptr"],
    run: timerfdSettimeOf(ITIMERSPEC_64),
  },
  { name: "timerfd_gettime", args: ["fd", { structOut: ITIMERSPEC }], run: timerfdGettimeOf(ITIMERSPEC) },
  { name: "timerfd_gettime64", args: ["fd", { structOut: ITIMERSPEC64 }], run: timerfdGettimeOf(ITIMERSPEC_64) },
];
