import { defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { Counter, counterState, type CounterState } from "./pit-counter.ts";
import { TickRate } from "./ticks.ts";

/** Ticks per second: a twelfth of 14.31818 MHz. */
export const PIT_HZ = 1_193_182;

/** Ticks that a guest which runs too slowly is behind at most: older events of counter 0 are lost. */
const MOST_BEHIND = PIT_HZ / 4;

const start = (): CounterState => counterState.parse({});
const State = defineState("i8254", 1, {
  counters: z
    .array(counterState)
    .length(3)
    .default(() => [start(), start(), start()]),
  /** The output of counter 0 does not reach the interrupt line: HPET has taken its place. */
  disabled: z.boolean().default(false),
});

/** What a {@link Pit} is wired to. */
export interface PitPins {
  /** Now on the virtual clock, ns. */
  now(): number;
  /** Output of counter 0. */
  output(level: boolean): void;
  /** Call {@link Pit.expire} at this virtual time, ns; `undefined` cancels. */
  arm(deadlineNs: number | undefined): void;
}

/** Programmable interval timer: three counters at 1.19 MHz. Source: Intel 8254 data sheet (231164-005). */
export class Pit implements Registers, Stateful {
  readonly #pins: PitPins;
  readonly #rate: TickRate = new TickRate(PIT_HZ);
  readonly #counters: readonly [Counter, Counter, Counter] = [new Counter(), new Counter(), new Counter()];
  #disabled = false;
  /** Tick of the next event of counter 0. */
  #due: number = Infinity;

  constructor(pins: PitPins) {
    this.#pins = pins;
  }

  reset(): void {
    const gates = this.#counters.map((c) => c.s.gate);
    this.load({});
    for (const [i, c] of this.#counters.entries()) {
      c.s.start = this.#now();
      c.s.gate = gates[i]!;
    }
    // The sheet leaves this open: square waves of the longest period, as firmware of the PC knows them.
    for (const { s } of this.#counters) {
      s.mode = 3;
      s.loaded = true;
    }
    this.#schedule(this.#now());
  }
  save(): unknown {
    return State.parse({ counters: this.#counters.map((c) => ({ ...c.s })), disabled: this.#disabled });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    for (const [i, c] of this.#counters.entries()) c.s = s.counters[i]!;
    this.#disabled = s.disabled;
    this.#schedule(this.#now());
  }

  /** After a snapshot was loaded, when the clock shows its time. */
  loaded(): void {
    this.#schedule(this.#now());
  }

  /** The gate of a counter, 0..2. */
  setGate(n: number, level: boolean): void {
    const now = this.#now();
    this.#counters[n]?.setGate(level, now);
    if (n === 0) this.#schedule(now);
  }

  gate(n: number): boolean {
    return this.#counters[n]?.s.gate ?? false;
  }

  /** The output of a counter, 0..2. */
  out(n: number): boolean {
    return this.#counters[n]?.out(this.#now()) ?? false;
  }

  /** Mode and period of a counter: what a loudspeaker has to play. Hz; 0: no tone. */
  frequency(n: number): number {
    const c = this.#counters[n];
    return c === undefined || c.s.mode !== 3 || !c.s.loaded || !c.s.gate ? 0 : PIT_HZ / c.s.count;
  }

  /** Whether the output of counter 0 reaches the interrupt line. */
  enableOutput(on: boolean): void {
    this.#disabled = !on;
    this.#schedule(this.#now());
  }

  read(port: number, _size: number): number {
    return this.#counters[port]?.read(this.#now()) ?? 0;
  }

  write(port: number, _size: number, value: number): void {
    const now = this.#now();
    if (port < 3) {
      if (this.#counters[port]!.write(value, now) || this.#counters[port]!.s.mode === 0) this.#touched(port, now);
      return;
    }
    const select = value >> 6;
    if (select === 3) return this.#readBack(value, now);
    const counter = this.#counters[select]!;
    if ((value & 0x30) === 0) return counter.latchCount(now);
    counter.control(value, now);
    this.#touched(select, now);
  }

  /** The armed time has come: the output follows, and the next event is armed. */
  expire(): void {
    const due = this.#due;
    const now = this.#now();
    if (due === Infinity || now < due) return this.#arm();
    const counter = this.#counters[0];
    if (!this.#disabled) {
      if (counter.pulses) this.#pins.output(false);
      this.#pins.output(counter.pulses || counter.out(due));
    }
    this.#due = counter.next(now - due > MOST_BEHIND ? now : due);
    this.#arm();
  }

  #readBack(value: number, now: number): void {
    for (const [i, c] of this.#counters.entries()) {
      if ((value & (2 << i)) === 0) continue;
      if ((value & 0x20) === 0) c.latchCount(now);
      if ((value & 0x10) === 0) c.latchStatus(now);
    }
  }

  #touched(n: number, now: number): void {
    if (n === 0) this.#schedule(now);
  }

  /** After a change: the line shows what the pin is, and the next event is armed. */
  #schedule(now: number): void {
    const counter = this.#counters[0];
    this.#pins.output(!this.#disabled && (counter.pulses || counter.out(now)));
    this.#due = counter.next(now);
    this.#arm();
  }

  #arm(): void {
    const due = this.#due;
    this.#pins.arm(due === Infinity || this.#disabled ? undefined : this.#rate.nsOf(due));
  }

  #now(): number {
    return this.#rate.ticksAt(this.#pins.now());
  }
}
