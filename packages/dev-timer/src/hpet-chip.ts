import { defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

const U32 = 2 ** 32;
/** Nanoseconds of a tick. */
const TICK_NS = 10;
const FEMTOSECONDS = TICK_NS * 1e6;

const REG = { CAPABILITIES: 0x00, CONFIG: 0x10, STATUS: 0x20, COUNTER: 0xf0, TIMERS: 0x100 } as const;
const TIMER = { CONFIG: 0x00, COMPARATOR: 0x08, MESSAGE: 0x10, SIZE: 0x20 } as const;
const ENABLE = 1;
const LEGACY = 2;

/** Bits of a timer's configuration. */
const LEVEL = 0x0002;
const INTERRUPTS = 0x0004;
const PERIODIC = 0x0008;
const CAN_PERIODIC = 0x0010;
const CAN_64 = 0x0020;
const SET_VALUE = 0x0040;
const MODE_32 = 0x0100;
const MESSAGES = 0x4000;
const CAN_MESSAGES = 0x8000;
const WRITABLE = LEVEL | INTERRUPTS | PERIODIC | SET_VALUE | MODE_32 | 0x3e00;

/** Ticks by which a comparator may be too late: ten seconds. */
const RECENT = 1e9;
/** Ticks that a periodic timer is behind at most: older interrupts are lost. A quarter of a second. */
const MOST_BEHIND = 25e6;
/** Most timers of a block. */
const MOST = 32;

interface TimerState {
  config: number;
  /** Comparator, halves. */
  low: number;
  high: number;
  /** What is added to the comparator when it matches, halves. */
  periodLow: number;
  periodHigh: number;
  message: number;
  address: number;
}

const u32 = z.uint32().default(0);
const timerState: z.ZodType<TimerState, unknown> = z.strictObject({
  config: u32,
  low: z.uint32().default(U32 - 1),
  high: z.uint32().default(U32 - 1),
  periodLow: u32,
  periodHigh: u32,
  message: u32,
  address: u32,
});

const State = defineState("hpet", 1, {
  config: z.int().min(0).max(3).default(0),
  status: u32,
  /** The counter when it is halted; counter minus elapsed ticks while it runs. Halves. */
  baseLow: u32,
  baseHigh: u32,
  timers: z.array(timerState).max(MOST).default([]),
});

/** What a {@link Hpet} is wired to. */
export interface HpetPins {
  /** Now on the virtual clock, ns. */
  now(): number;
  /** Call {@link Hpet.expire} for the timer at this virtual time, ns; `undefined` cancels. */
  arm(timer: number, deadlineNs: number | undefined): void;
  /** Interrupt line 0..31 of the I/O APIC. */
  line(n: number, level: boolean): void;
  /** In legacy mode 0 takes the place of the interval timer, 1 of the clock; else they pass on what these say. */
  legacy(n: number, level: boolean): void;
  /** A message signalled interrupt. */
  message(address: number, data: number): void;
}

/** How a {@link Hpet} is made. */
export interface HpetOptions {
  /** Number of timers, 3..32. */
  readonly timers: number;
  /** Timers can send messages. */
  readonly messages: boolean;
  /** Lines that a timer may be routed to, a bit each. */
  readonly routes: number;
}

/** High precision event timers. Source: IA-PC HPET Specification 1.0a. */
export class Hpet implements Registers, Stateful {
  readonly #pins: HpetPins;
  readonly #o: HpetOptions;
  #config = 0;
  #status = 0;
  #baseLow = 0;
  #baseHigh = 0;
  #timers: TimerState[];
  /** Levels of the interval timer's and the clock's outputs. */
  readonly #inputs: boolean[] = [false, false];
  /** The counter as last computed. */
  #low = 0;
  #high = 0;

  constructor(options: HpetOptions, pins: HpetPins) {
    this.#o = options;
    this.#pins = pins;
    this.#timers = Array.from({ length: options.timers }, () => timerState.parse({}));
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({
      config: this.#config,
      status: this.#status,
      baseLow: this.#baseLow,
      baseHigh: this.#baseHigh,
      timers: this.#timers.map((t) => ({ ...t })),
    });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    for (let n = 0; n < MOST; n++) this.#pins.line(n, false);
    this.#config = s.config;
    this.#status = s.status;
    this.#baseLow = s.baseLow;
    this.#baseHigh = s.baseHigh;
    this.#timers = Array.from({ length: this.#o.timers }, (_, n) => s.timers[n] ?? timerState.parse({}));
    for (const [n, t] of this.#timers.entries()) {
      t.config &= WRITABLE | MESSAGES;
      this.#schedule(n);
      if ((t.config & LEVEL) !== 0 && ((this.#status >>> n) & 1) !== 0) this.#level(n, true);
    }
    this.#passOn();
  }

  /** The interval timer's (0) or the clock's (1) output. */
  input(n: number, level: boolean): void {
    this.#inputs[n] = level;
    if (!this.#isLegacy) this.#pins.legacy(n, level);
  }

  /** The armed time of a timer has come. */
  expire(n: number): void {
    const t = this.#timers[n];
    if (t === undefined || !this.#counts) return;
    this.#read();
    // It may pass while this is done: it has not matched yet.
    if (this.#left(t) > 0) return this.#schedule(n, true);
    if ((t.config & PERIODIC) !== 0) {
      this.#advance(t);
      this.#schedule(n);
    }
    this.#fire(n);
  }

  read(offset: number, _size: number): number {
    if (offset >= REG.TIMERS) return this.#readTimer(offset);
    switch (offset) {
      case REG.CAPABILITIES:
        return (0x8086_0000 | 0xa000 | ((this.#o.timers - 1) << 8) | 1) >>> 0;
      case REG.CAPABILITIES + 4:
        return FEMTOSECONDS;
      case REG.CONFIG:
        return this.#config;
      case REG.STATUS:
        return this.#status;
      case REG.COUNTER:
        this.#read();
        return this.#low;
      case REG.COUNTER + 4:
        this.#read();
        return this.#high;
      default:
        return 0;
    }
  }

  write(offset: number, _size: number, value: number): void {
    if (offset >= REG.TIMERS) return this.#writeTimer(offset, value);
    switch (offset) {
      case REG.CONFIG:
        return this.#setConfig(value & (ENABLE | LEGACY));
      case REG.STATUS:
        for (let n = 0; n < this.#timers.length; n++) {
          if (((this.#status & value) >>> n) % 2 === 0) continue;
          this.#status = (this.#status & ~(1 << n)) >>> 0;
          this.#level(n, false);
        }
        return;
      case REG.COUNTER:
        this.#read();
        return this.#setCounter(value, this.#high);
      case REG.COUNTER + 4:
        this.#read();
        return this.#setCounter(this.#low, value);
      default: // read-only or not there
    }
  }

  /** Both halves of one moment. */
  readWide(offset: number, out: Uint32Array): void {
    out[0] = this.read(offset, 4);
    out[1] = offset === REG.COUNTER ? this.#high : this.read(offset + 4, 4);
  }

  writeWide(offset: number, lo: number, hi: number): void {
    if (offset === REG.COUNTER) return this.#setCounter(lo, hi);
    const n = (offset - REG.TIMERS) >> 5;
    const t = this.#timers[n];
    if (t !== undefined && offset >= REG.TIMERS && (offset & 0x1f) === TIMER.COMPARATOR) {
      const sets = (t.config & SET_VALUE) !== 0;
      this.#setComparator(t, lo, true);
      if (sets) t.config |= SET_VALUE;
      this.#setComparator(t, hi, false);
      return this.#schedule(n, true);
    }
    this.write(offset, 4, lo);
    this.write(offset + 4, 4, hi);
  }

  get #counts(): boolean {
    return (this.#config & ENABLE) !== 0;
  }
  get #isLegacy(): boolean {
    return (this.#config & LEGACY) !== 0;
  }

  #ticks(): number {
    return Math.floor(this.#pins.now() / TICK_NS);
  }

  /** Brings the counter up to date. */
  #read(): void {
    const ticks = this.#counts ? this.#ticks() : 0;
    const low = this.#baseLow + (ticks >>> 0);
    this.#low = low >>> 0;
    this.#high = (this.#baseHigh + Math.floor(ticks / U32) + (low >= U32 ? 1 : 0)) >>> 0;
  }

  /** Sets the counter, running or halted. */
  #setCounter(low: number, high: number): void {
    const ticks = this.#counts ? this.#ticks() : 0;
    const base = low - (ticks >>> 0);
    this.#baseLow = base >>> 0;
    this.#baseHigh = (high - Math.floor(ticks / U32) - (base < 0 ? 1 : 0)) >>> 0;
    for (let n = 0; n < this.#timers.length; n++) this.#schedule(n);
  }

  #setConfig(value: number): void {
    const changed = value ^ this.#config;
    if ((changed & ENABLE) !== 0) {
      this.#read();
      const [low, high] = [this.#low, this.#high];
      this.#config = (this.#config & ~ENABLE) | (value & ENABLE);
      this.#setCounter(low, high);
      if (!this.#counts) for (let n = 0; n < this.#timers.length; n++) this.#level(n, false);
    }
    this.#config = value;
    if ((changed & LEGACY) !== 0) this.#passOn();
  }

  /** The lines that legacy mode takes over, when it begins or ends. */
  #passOn(): void {
    for (const n of [0, 1]) this.#pins.legacy(n, !this.#isLegacy && this.#inputs[n]!);
  }

  #readTimer(offset: number): number {
    const t = this.#timers[(offset - REG.TIMERS) >> 5];
    if (t === undefined) return 0;
    switch (offset & 0x1f) {
      case TIMER.CONFIG:
        return t.config | CAN_PERIODIC | CAN_64 | (this.#o.messages ? CAN_MESSAGES : 0);
      case TIMER.CONFIG + 4:
        return this.#o.routes >>> 0;
      case TIMER.COMPARATOR:
        return t.low;
      case TIMER.COMPARATOR + 4:
        return (t.config & MODE_32) !== 0 ? 0 : t.high;
      case TIMER.MESSAGE:
        return t.message;
      case TIMER.MESSAGE + 4:
        return t.address;
      default:
        return 0;
    }
  }

  #writeTimer(offset: number, value: number): void {
    const n = (offset - REG.TIMERS) >> 5;
    const t = this.#timers[n];
    if (t === undefined) return;
    switch (offset & 0x1f) {
      case TIMER.CONFIG: {
        const before = t.config;
        t.config = value & (WRITABLE | (this.#o.messages ? MESSAGES : 0));
        // A line that is no longer this timer's falls.
        if (((before ^ t.config) & (0x3e00 | LEVEL | INTERRUPTS)) !== 0) this.#release(n, before);
        if ((t.config & MODE_32) !== 0) t.high = t.periodHigh = 0;
        break;
      }
      case TIMER.COMPARATOR:
        this.#setComparator(t, value, true);
        break;
      case TIMER.COMPARATOR + 4:
        if ((t.config & MODE_32) === 0) this.#setComparator(t, value, false);
        break;
      case TIMER.MESSAGE:
        t.message = value;
        return;
      case TIMER.MESSAGE + 4:
        t.address = value;
        return;
      default:
        return;
    }
    this.#schedule(n, (offset & 0x18) === TIMER.COMPARATOR);
  }

  /** In periodic mode a write gives the period, and the comparator too when the timer was told so. */
  #setComparator(t: TimerState, value: number, low: boolean): void {
    const periodic = (t.config & PERIODIC) !== 0;
    if (!periodic || (t.config & SET_VALUE) !== 0) {
      if (low) t.low = value;
      else t.high = value;
    }
    if (periodic) {
      if (low) t.periodLow = value;
      else t.periodHigh = value;
    }
    t.config &= ~SET_VALUE;
  }

  /**
   * Ticks until the comparator matches; 0 or less: it has, a short while ago. Large numbers are not exact.
   * A comparator that was set a little too late matches at once: a real one would after a whole round of the counter.
   */
  #left(t: TimerState): number {
    const wide = (t.config & MODE_32) === 0;
    const left = wide ? ((t.high - this.#high) | 0) * U32 + (t.low - this.#low) : (t.low - this.#low) | 0;
    return left >= -RECENT ? left : left + (wide ? U32 * U32 : U32);
  }

  /** Moves a periodic comparator on: by one period, so that a slow machine loses no ticks, or behind a counter that is far ahead. */
  #advance(t: TimerState): void {
    const period = t.periodHigh * U32 + t.periodLow;
    if (period === 0) return;
    const late = -this.#left(t);
    const steps = late > MOST_BEHIND ? (Math.floor(late / period) + 1) * period : period;
    const low = t.low + (steps >>> 0);
    t.low = low >>> 0;
    if ((t.config & MODE_32) === 0) t.high = (t.high + Math.floor(steps / U32) + (low >= U32 ? 1 : 0)) >>> 0;
  }

  /** After a snapshot was loaded, when the clock shows its time. */
  loaded(): void {
    for (let n = 0; n < this.#timers.length; n++) this.#schedule(n);
  }

  /** Arms a timer. A comparator that has passed matches only when it has just been written, or is periodic. */
  #schedule(n: number, written = false): void {
    const t = this.#timers[n]!;
    if (!this.#counts || (t.config & INTERRUPTS) === 0) return this.#pins.arm(n, undefined);
    this.#read();
    const left = this.#left(t);
    const ticks = this.#ticks() + Math.max(0, left);
    const passed = (t.config & PERIODIC) !== 0 ? t.periodLow + t.periodHigh === 0 : !written;
    const never = left > 2 ** 49 || (left <= 0 && passed);
    this.#pins.arm(n, never ? undefined : ticks * TICK_NS);
  }

  #fire(n: number): void {
    const t = this.#timers[n]!;
    if ((t.config & MESSAGES) !== 0) return this.#pins.message(t.address, t.message);
    if ((t.config & LEVEL) !== 0) {
      this.#status = (this.#status | (1 << n)) >>> 0;
      this.#level(n, true);
    } else {
      this.#drive(n, t.config, true);
      this.#drive(n, t.config, false);
    }
  }

  #level(n: number, level: boolean): void {
    this.#drive(n, this.#timers[n]!.config, level);
  }

  #release(n: number, config: number): void {
    this.#drive(n, config, false);
    const now = this.#timers[n]!.config;
    if ((now & LEVEL) === 0 || (now & INTERRUPTS) === 0) return;
    if (((this.#status >>> n) & 1) !== 0) this.#level(n, true);
  }

  #drive(n: number, config: number, level: boolean): void {
    if (this.#isLegacy && n < 2) this.#pins.legacy(n, level);
    else this.#pins.line((config >> 9) & 31, level);
  }
}
