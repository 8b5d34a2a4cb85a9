import { type Clock, type ClockName, type TimerClock, TimerQueue } from "./timer.ts";

/** A clock that shows what its source says. */
export class HostClock implements TimerClock {
  readonly name: ClockName;
  readonly timers: TimerQueue = new TimerQueue();
  readonly #source: () => number;

  constructor(name: ClockName, source: () => number) {
    this.name = name;
    this.#source = source;
  }

  now(): number {
    return this.#source();
  }
}

/** Guest time: stands still while the machine is stopped, and may be driven by a count of instructions. */
export class VirtualClock implements TimerClock {
  readonly name = "virtual";
  readonly timers: TimerQueue = new TimerQueue();
  /**
   * Set by who drives the clock: waits out a deadline (nanoseconds) that is all but reached, which is sooner done than
   * arming a timer. True when the clock has reached it.
   */
  soon: ((deadlineNs: number) => boolean) | undefined;
  /** Set by who drives the clock: the next reading asks the host, whatever an earlier one found. Counters that guests poll call it. */
  exact: (() => void) | undefined;
  #source: () => number;
  #running = true;
  /** Guest time when the source showed `#base`. */
  #offset = 0;
  #base: number;

  constructor(source: () => number) {
    this.#source = source;
    this.#base = source();
  }

  now(): number {
    return this.#running ? this.#offset + (this.#source() - this.#base) : this.#offset;
  }

  get running(): boolean {
    return this.#running;
  }

  stop(): void {
    if (!this.#running) return;
    this.#offset = this.now();
    this.#running = false;
  }

  start(): void {
    if (this.#running) return;
    this.#base = this.#source();
    this.#running = true;
  }

  /** Takes time from `source` (nanoseconds, any start, never back) from now on; guest time does not jump. */
  setSource(source: () => number): void {
    this.#offset = this.now();
    this.#source = source;
    this.#base = source();
  }

  /** Sets guest time, as loading a snapshot does. Armed timers keep their deadlines. */
  set(nowNs: number): void {
    this.#offset = nowNs;
    if (this.#running) this.#base = this.#source();
  }

  /** Moves guest time on by `deltaNs` >= 0: a test's clock step, or skipping idle time. */
  advance(deltaNs: number): void {
    this.#offset += deltaNs;
  }
}

/** The clocks of one machine and the timers on them. */
export class ClockSet {
  readonly virtual: VirtualClock;
  readonly realtime: HostClock;
  readonly host: HostClock;
  readonly #earlier: (() => void)[] = [];

  /**
   * `monotonicNs`: the host's time since some start; `wallNs`: nanoseconds since 1970-01-01 UTC (default: the same).
   * Guest time starts at 0 and runs.
   */
  constructor(monotonicNs: () => number, wallNs: () => number = monotonicNs) {
    this.virtual = new VirtualClock(monotonicNs);
    this.realtime = new HostClock("realtime", monotonicNs);
    this.host = new HostClock("host", wallNs);
    for (const clock of this.all) clock.timers.onEarlier = () => this.#earlier.forEach((fn) => fn());
  }

  private get all(): readonly TimerClock[] {
    return [this.virtual, this.realtime, this.host];
  }

  get(name: ClockName): TimerClock & Clock {
    return name === "virtual" ? this.virtual : name === "realtime" ? this.realtime : this.host;
  }

  /** The nearest deadline of all clocks, in nanoseconds of guest time; Infinity when no timer can fire. */
  nextDeadline(): number {
    const now = this.virtual.now();
    let next = this.virtual.running ? this.virtual.timers.next : Number.POSITIVE_INFINITY;
    for (const clock of [this.realtime, this.host])
      if (clock.timers.size > 0) next = Math.min(next, now + Math.max(0, clock.timers.next - clock.now()));
    return next;
  }

  /** Fires every timer that is due, guest time first (only while it runs). Returns how many fired. */
  run(): number {
    let fired = this.virtual.running ? this.virtual.timers.run(this.virtual.now()) : 0;
    for (const clock of [this.realtime, this.host]) if (clock.timers.size > 0) fired += clock.timers.run(clock.now());
    return fired;
  }

  /** Calls `fn` when a deadline moved nearer: the run loop computes its budget anew. */
  onEarlier(fn: () => void): void {
    this.#earlier.push(fn);
  }

  /** Stops guest time. */
  stop(): void {
    this.virtual.stop();
  }

  start(): void {
    this.virtual.start();
  }
}
