import { E, fail } from "../errno.ts";
import type { Process } from "../process.ts";
import { SI, SIG } from "../signals/siginfo.ts";
import { Countdown } from "./countdown.ts";

/** Timers that timer_create may make. */
const MAX_TIMERS = 1024;

/** A timer of timer_create. */
export interface PosixTimer {
  readonly countdown: Countdown;
  readonly clock: number;
  overrun: number;
}

/** The interval timers and POSIX timers of a process. */
export class Timers {
  readonly #process: Process;
  readonly #real: Countdown;
  readonly #virtual: Countdown;
  readonly #profile: Countdown;
  readonly #posix: Map<number, PosixTimer> = new Map();
  #next = 0;

  constructor(process: Process) {
    this.#process = process;
    const { host } = process;
    const cpu = (): number => host.cpuTimeNs();
    this.#real = new Countdown(
      host,
      () => host.monotonicNs(),
      () => process.raise(SIG.ALRM, { code: SI.KERNEL }),
    );
    this.#virtual = new Countdown(host, cpu, () => process.raise(SIG.VTALRM, { code: SI.KERNEL }));
    this.#profile = new Countdown(host, cpu, () => process.raise(SIG.PROF, { code: SI.KERNEL }));
  }

  /** setitimer's timers: 0 real, 1 virtual, 2 profiling. */
  interval(which: number): { readonly timer: Countdown; now(): number } {
    const { host } = this.#process;
    if (which === 0) return { timer: this.#real, now: () => host.monotonicNs() };
    if (which === 1) return { timer: this.#virtual, now: () => host.cpuTimeNs() };
    if (which === 2) return { timer: this.#profile, now: () => host.cpuTimeNs() };
    return fail(E.INVAL);
  }

  /** @param signal 0: none @returns its number */
  create(clock: number, now: () => number, signal: number, value: number | undefined): number {
    if (this.#posix.size >= MAX_TIMERS) fail(E.AGAIN);
    const id = this.#next++;
    const timer: PosixTimer = {
      clock,
      overrun: 0,
      countdown: new Countdown(this.#process.host, now, (times) => {
        timer.overrun = times - 1;
        if (signal === 0) return;
        this.#process.raise(signal, { code: SI.TIMER, timerId: id, overrun: times - 1, value: value ?? id });
      }),
    };
    this.#posix.set(id, timer);
    return id;
  }

  get(id: number): PosixTimer {
    return this.#posix.get(id) ?? fail(E.INVAL);
  }

  delete(id: number): void {
    this.get(id).countdown.stop();
    this.#posix.delete(id);
  }

  close(): void {
    for (const timer of [this.#real, this.#virtual, this.#profile]) timer.stop();
    for (const { countdown } of this.#posix.values()) countdown.stop();
    this.#posix.clear();
  }
}
