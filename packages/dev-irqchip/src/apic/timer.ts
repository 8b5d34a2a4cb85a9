import type { LocalApicPins } from "./pins.ts";
import { MASKED, TIMER } from "./spec.ts";
import type { ApicState } from "./state.ts";

/** Nanoseconds that a periodic timer is behind at most: older interrupts are lost. */
const MOST_BEHIND = 250e6;

/** The timer of a local APIC. It counts at 1 GHz before its divider. Source: Intel SDM vol. 3 (325384-080), 11.5.4. */
export class ApicTimer {
  readonly #pins: LocalApicPins;
  readonly #fire: () => void;
  mode: number = TIMER.ONE_SHOT;
  masked = true;
  initial = 0;
  /** Divide configuration register. */
  divide = 0;
  /** IA32_TSC_DEADLINE; 0: not armed. */
  deadlineLow = 0;
  deadlineHigh = 0;
  /** When the count was written, ns. */
  start = 0;
  /** A count in one-shot mode has reached 0: it interrupts no more. */
  ended = true;
  /** When it is to interrupt next, ns; Infinity: never. */
  #due = Infinity;

  constructor(pins: LocalApicPins, fire: () => void) {
    this.#pins = pins;
    this.#fire = fire;
  }

  /** Nanoseconds a count takes. */
  get #unit(): number {
    return 1 << (((((this.divide & 3) | ((this.divide >> 1) & 4)) + 1) & 7) as number);
  }

  /** Takes a saved state; `vector` is the timer's local vector. */
  load(s: ApicState, vector: number): void {
    this.mode = Math.min(TIMER.DEADLINE, (vector >> 17) & 3);
    this.masked = (vector & MASKED) !== 0;
    this.initial = s.initial;
    this.divide = s.divide;
    this.start = s.start;
    this.deadlineLow = s.deadlineLow;
    this.deadlineHigh = s.deadlineHigh;
    this.ended = s.ended;
    this.update();
  }

  /** The mode or the mask was written. */
  setVector(mode: number, masked: boolean): void {
    if (mode !== this.mode && (mode === TIMER.DEADLINE || this.mode === TIMER.DEADLINE)) {
      this.initial = 0;
      this.deadlineLow = this.deadlineHigh = 0;
    }
    if (mode === this.mode && masked === this.masked) return;
    // A count that ended while it was masked, or in another mode, is not made up for.
    if ((this.masked || this.mode !== TIMER.ONE_SHOT) && this.#end <= this.#pins.now()) this.ended = true;
    this.mode = mode;
    this.masked = masked;
    this.update();
  }

  setInitial(value: number): void {
    if (this.mode === TIMER.DEADLINE) return;
    this.initial = value;
    this.start = this.#pins.now();
    this.ended = value === 0;
    this.update();
  }

  setDivide(value: number): void {
    if (this.divide === value) return;
    // The count that is left goes on at the new rate.
    const left = this.current();
    this.divide = value;
    if (this.initial > 0) this.start = this.#pins.now() - (this.initial - left) * this.#unit;
    this.update();
  }

  setDeadline(lo: number, hi: number): void {
    if (this.mode !== TIMER.DEADLINE) return;
    this.deadlineLow = lo;
    this.deadlineHigh = hi;
    this.update();
  }

  /** The current count register. */
  current(): number {
    if (this.initial === 0 || this.mode === TIMER.DEADLINE) return 0;
    const passed = Math.floor(Math.max(0, this.#pins.now() - this.start) / this.#unit);
    if (this.mode === TIMER.PERIODIC) return this.initial - (passed % this.initial);
    return passed >= this.initial ? 0 : this.initial - passed;
  }

  /** Computes the next interrupt anew: after a change, a load, or when the time stamp counter was set. */
  update(): void {
    this.#due = this.#next(this.#pins.now());
    this.#arm();
  }

  /** The armed time has come. */
  expire(): void {
    const now = this.#pins.now();
    const due = this.#due;
    if (now < due) return this.#arm();
    if (this.mode === TIMER.DEADLINE) {
      this.deadlineLow = this.deadlineHigh = 0;
      this.#due = Infinity;
    } else if (this.mode === TIMER.PERIODIC) {
      const period = this.initial * this.#unit;
      this.#due = now - due > MOST_BEHIND ? this.#next(now) : due + period;
    } else {
      this.ended = true;
      this.#due = Infinity;
    }
    this.#arm();
    this.#fire();
  }

  /** When the count reaches 0 for the first time, ns. */
  get #end(): number {
    return this.start + this.initial * this.#unit;
  }

  #next(now: number): number {
    if (this.masked) return Infinity;
    if (this.mode === TIMER.DEADLINE) {
      if (this.deadlineLow === 0 && this.deadlineHigh === 0) return Infinity;
      return this.#pins.deadlineOf?.(this.deadlineLow, this.deadlineHigh) ?? Infinity;
    }
    if (this.initial === 0) return Infinity;
    // The clock may have passed the end already: counts can be shorter than what it takes to get here.
    if (this.mode === TIMER.ONE_SHOT) return this.ended ? Infinity : this.#end;
    const period = this.initial * this.#unit;
    return this.start + (Math.floor(Math.max(0, now - this.start) / period) + 1) * period;
  }

  #arm(): void {
    this.#pins.arm(this.#due === Infinity ? undefined : this.#due);
  }
}
