import type { ClockSet } from "@mimus/machine-core";
import type { SystemHost } from "./host.ts";
import type { Mailbox } from "./mailbox.ts";
import { Pace } from "./pace.ts";
import { SampledTime } from "./sampled-time.ts";

/** Nanoseconds to a deadline that are waited for rather than filled with guest code: a slice overshoots by more. */
const SPIN_NS = 1000;
const MOST_LOOKS = 64;

/** A vCPU as the loop sees it. */
export interface RunnableCpu {
  /** Runs about `budget` instructions. */
  run(budget: number): "budget" | "halted" | "kick" | "debug";
  /** Ends the current slice soon. */
  kick(): void;
  /** Instructions executed since the machine was made. */
  readonly executed: number;
  /** While it runs: falls by one with each instruction, or jumps; 0: not known. Without it guest time is asked of the host each time. */
  readonly mark?: number;
  /** False while it waits for an interrupt that has not come. */
  readonly runnable: boolean;
}

/** Guest time from a count of instructions. */
export interface Icount {
  /** Nanoseconds of guest time per instruction. */
  readonly nsPerInsn: number;
  /** Idle time passes at once instead of being slept through. */
  readonly skipIdle: boolean;
}

/** How a {@link RunLoop} divides time. All in nanoseconds. */
export interface LoopOptions {
  /** Longest stretch of guest code between two looks at the host. Default 4 ms. */
  readonly yieldEveryNs?: number;
  /** Longest turn of one vCPU while another one waits. Default 1 ms. */
  readonly turnNs?: number;
  /** Time is the number of executed instructions. */
  readonly icount?: Icount;
}

/** Why one step ended. */
export type StepResult = "ran" | "idle" | "debug";

/**
 * Takes turns between vCPUs, timers and the outside, on one thread. Guest code runs up to the next deadline; a machine whose vCPUs all wait
 * sleeps until a deadline or a post.
 */
export class RunLoop {
  readonly #cpus: readonly RunnableCpu[];
  readonly #clocks: ClockSet;
  readonly #host: SystemHost;
  readonly #mailbox: Mailbox;
  readonly #time: SampledTime;
  readonly #pace: Pace = new Pace();
  readonly #yieldEvery: number;
  readonly #turn: number;
  readonly #icount: Icount | undefined;
  #current: RunnableCpu | undefined;
  #next = 0;
  /** Host time at which the present turn should be over. */
  #end = Infinity;
  /** What the vCPU had executed when its present turn began. */
  #before = 0;
  #wake: (() => void) | undefined;
  #lastYield = 0;
  /** Set from outside the loop: it stops at the next boundary. */
  #stopped = true;
  /** The guest sleeps: timers run, vCPUs don't. */
  suspended = false;
  /** Which vCPU stopped for the debugger. */
  debugStop: number | undefined;

  constructor(
    cpus: readonly RunnableCpu[],
    clocks: ClockSet,
    host: SystemHost,
    mailbox: Mailbox,
    options: LoopOptions = {},
  ) {
    this.#cpus = cpus;
    this.#clocks = clocks;
    this.#host = host;
    this.#mailbox = mailbox;
    this.#yieldEvery = options.yieldEveryNs ?? 4e6;
    this.#turn = options.turnNs ?? 1e6;
    this.#icount = options.icount;
    this.#time = new SampledTime(
      () => host.now(),
      () => (this.#current === undefined ? 1 : (this.#current.mark ?? 0)),
    );
    if (this.#icount === undefined) {
      clocks.virtual.setSource(() => this.#look());
      clocks.virtual.soon = (deadline) => this.#spin(deadline);
      clocks.virtual.exact = () => this.#time.forget();
    } else {
      const { nsPerInsn } = this.#icount;
      clocks.virtual.setSource(() => this.executed * nsPerInsn);
    }
    mailbox.onPost = () => this.interrupt();
    clocks.onEarlier(() => this.#current?.kick());
  }

  /** An interrupt input of a vCPU went up: one that waits gets its turn soon. */
  interrupted(index: number): void {
    const cpu = this.#cpus[index];
    if (cpu === undefined || cpu === this.#current) return;
    if (this.#current !== undefined) this.#current.kick();
    else this.#wake?.();
  }

  /** Instructions executed by all vCPUs. */
  get executed(): number {
    const cpus = this.#cpus;
    let sum = 0;
    for (let i = 0; i < cpus.length; i++) sum += cpus[i]!.executed;
    return sum;
  }

  /** Ends the current slice or sleep, so that the loop looks around. */
  interrupt(): void {
    this.#current?.kick();
    this.#wake?.();
  }

  /** Makes {@link RunLoop.run} return at the next boundary. */
  stop(): void {
    this.#stopped = true;
    this.interrupt();
  }

  /** Runs until {@link RunLoop.stop}, or a debugger stop. */
  async run(): Promise<"stopped" | "debug"> {
    this.#stopped = false;
    this.#lastYield = this.#time.fresh();
    while (!this.#stopped) {
      const result = this.step();
      if (this.#stopped) break;
      if (result === "debug") return "debug";
      if (result === "idle") await this.#idle();
      else if (this.#time.now() - this.#lastYield >= this.#yieldEvery) await this.#yield();
    }
    return "stopped";
  }

  /**
   * One round without waiting: posts, timers, then a turn of each runnable vCPU. @param maxInsns bounds each turn (default: by time)
   */
  step(maxInsns: number = Infinity): StepResult {
    this.#mailbox.deliver();
    this.#time.fresh();
    this.#clocks.run();
    const { virtual } = this.#clocks;
    if (this.#icount === undefined && this.#spin(virtual.timers.next)) this.#clocks.run();
    let ran = false;
    for (let i = 0; i < this.#cpus.length && !this.suspended; i++) {
      const index = (this.#next + i) % this.#cpus.length;
      const cpu = this.#cpus[index] as RunnableCpu;
      if (!cpu.runnable) continue;
      ran = true;
      if (this.#slice(cpu, maxInsns) === "debug") {
        this.debugStop = index;
        this.#next = index;
        return "debug";
      }
      if (!this.#mailbox.empty || this.#due()) {
        this.#next = (index + 1) % this.#cpus.length;
        return "ran";
      }
    }
    return ran || !this.#mailbox.empty ? "ran" : "idle";
  }

  /** The host's time. Code that accesses devices is slower than its budget assumes: who looks at a clock too late ends the turn. */
  #look(): number {
    const now = this.#time.now();
    if (now >= this.#end && this.#current !== undefined) {
      this.#end = Infinity;
      this.#current.kick();
    }
    return now;
  }

  /**
   * Code was translated, which takes as long as thousands of instructions: a turn that has gone on for too long ends. One in which nothing
   * ran goes on: translations of code outside RAM are not kept, and without this there might never be time to run one.
   */
  translated(): void {
    if (this.#icount !== undefined || this.#current === undefined || this.#current.executed === this.#before) return;
    this.#time.forget();
    this.#look();
  }

  /** A deadline that is all but reached: guest code up to there costs more than the wait. */
  #spin(deadline: number): boolean {
    const { virtual } = this.#clocks;
    if (!virtual.running || deadline - virtual.now() > SPIN_NS) return false;
    // Bounded, for hosts whose clock has a coarse grain.
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      this.#time.fresh();
      if (virtual.now() >= deadline) return true;
    }
    return false;
  }

  #due(): boolean {
    return this.#clocks.nextDeadline() <= this.#clocks.virtual.now();
  }

  #slice(cpu: RunnableCpu, maxInsns: number): string {
    const left = this.#clocks.nextDeadline() - this.#clocks.virtual.now();
    const turn = this.#cpus.length > 1 ? this.#turn : this.#yieldEvery;
    let budget: number;
    if (this.#icount === undefined) budget = this.#pace.budget(Math.min(left, turn));
    else budget = Math.max(1, Math.min(Math.ceil(left / this.#icount.nsPerInsn), 100_000));
    if (budget > maxInsns) budget = maxInsns;
    const insns = (this.#before = cpu.executed);
    const start = this.#time.now();
    this.#time.forget();
    this.#end = start + Math.min(left, turn);
    this.#current = cpu;
    const reason = cpu.run(budget);
    this.#current = undefined;
    const end = this.#time.fresh();
    if (this.#icount === undefined && reason === "budget") this.#pace.observe(cpu.executed - insns, end - start);
    return reason;
  }

  async #yield(): Promise<void> {
    await this.#host.yield();
    this.#lastYield = this.#time.fresh();
  }

  /** Nothing to run: time passes. */
  async #idle(): Promise<void> {
    this.#time.fresh();
    const left = this.#clocks.nextDeadline() - this.#clocks.virtual.now();
    if (this.#icount !== undefined && left < Infinity) {
      // Guest time stands still while no instruction runs: move it to the deadline, after sleeping or at once.
      if (!this.#icount.skipIdle && left > 0) {
        const start = this.#time.now();
        await this.#sleep(left);
        this.#clocks.virtual.advance(Math.min(left, this.#time.fresh() - start));
      } else {
        if (left > 0) this.#clocks.virtual.advance(left);
        if (this.#time.now() - this.#lastYield >= this.#yieldEvery) await this.#yield();
      }
      return;
    }
    if (left <= 0) return;
    await this.#sleep(left);
  }

  async #sleep(ns: number): Promise<void> {
    if (!this.#mailbox.empty || this.#stopped) return;
    let woken = false;
    const sleeping = this.#host.sleepUntil(this.#host.now() + ns, (wake) => {
      this.#wake = () => {
        if (woken) return;
        woken = true;
        wake();
      };
    });
    await sleeping;
    this.#wake = undefined;
    this.#lastYield = this.#time.fresh();
  }
}
