import { defineState, type Registers, stateBytes, type Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { dateOf, fromBcd, secondsOf, toBcd, untilAlarm } from "./rtc-calendar.ts";

const SECOND = 1e9;
/** Registers. Those of the time and 0Ah..0Dh are the chip's, what is behind is battery-backed memory. */
const REG = {
  SECONDS: 0,
  SECONDS_ALARM: 1,
  MINUTES: 2,
  MINUTES_ALARM: 3,
  HOURS: 4,
  HOURS_ALARM: 5,
  WEEKDAY: 6,
  DAY: 7,
  MONTH: 8,
  YEAR: 9,
  A: 0x0a,
  B: 0x0b,
  C: 0x0c,
  D: 0x0d,
  CENTURY: 0x32,
} as const;
const UIP = 0x80;
const SET = 0x80;
const PIE = 0x40;
const AIE = 0x20;
const UIE = 0x10;
const SQWE = 0x08;
const BINARY = 0x04;
const HOURS24 = 0x02;
const IRQF = 0x80;
const PF = 0x40;
const AF = 0x20;
const UF = 0x10;
/** The time may not be read for so long before it changes, ns. */
const UPDATE_NS = 244_000;
/** Lost periodic interrupts that are made up for at most. */
const MOST_LOST = 1000;

const byte = z.int().min(0).max(0xff);
const time = z.number().min(-1e21).max(1e21);

const State = defineState("mc146818", 1, {
  index: z.int().min(0).max(0x7f).default(0),
  a: byte.default(0x26),
  b: byte.default(HOURS24),
  c: byte.default(0),
  nvram: stateBytes(128, true).optional(),
  /** Guest time minus host time, ns; guest time is a calendar date taken as UTC. */
  offset: time.default(0),
  /** Guest time up to which the flags are known, ns. */
  seen: time.default(0),
  /** The time when it was stopped, ns. */
  stoppedAt: time.default(0),
  lost: z.int().min(0).max(MOST_LOST).default(0),
});
type State = Omit<z.infer<typeof State>, "nvram">;

/** What an {@link Rtc} is wired to. */
export interface RtcPins {
  /** Host time, ns since 1970. */
  now(): number;
  irq(level: boolean): void;
  /** Call {@link Rtc.expire} at this host time, ns; `undefined` cancels. */
  arm(deadlineNs: number | undefined): void;
}

/** How an {@link Rtc} is made. */
export interface RtcOptions {
  /** Year that the year register 0 stands for, without the century register. */
  readonly baseYear: number;
  /** Whether periodic interrupts that the guest was too slow for come later. */
  readonly slew: boolean;
}

/** Real-time clock and battery-backed memory. Source: Motorola MC146818A data sheet; century at 32h as in the PC. */
export class Rtc implements Registers, Stateful {
  readonly #pins: RtcPins;
  readonly #options: RtcOptions;
  readonly #nvram: Uint8Array = new Uint8Array(128);
  #s: State;

  constructor(options: RtcOptions, pins: RtcPins) {
    this.#options = options;
    this.#pins = pins;
    this.#s = State.parse({ seen: pins.now() });
  }

  /** The battery keeps time, memory and modes; interrupts end. */
  reset(): void {
    const s = this.#s;
    s.b &= ~(PIE | AIE | UIE | SQWE);
    s.c = 0;
    s.lost = 0;
    s.index = 0;
    s.seen = this.#time();
    this.#settle();
  }
  save(): unknown {
    return State.parse({ ...this.#s, nvram: this.#nvram.slice() });
  }
  load(raw: unknown): void {
    const { nvram, ...s } = State.parse(raw);
    if (nvram !== undefined) this.#nvram.set(nvram);
    this.#s = s;
    this.#settle();
  }

  /** Called at an alarm that interrupts: what else it does is the board's affair. */
  onAlarm: (() => void) | undefined;

  /** A byte of the memory, set from outside: what the board tells the firmware. */
  setCmos(index: number, value: number): void {
    this.#nvram[index & 0x7f] = value;
  }

  cmos(index: number): number {
    return this.#register(index & 0x7f);
  }

  /** Sets the clock: guest time minus host time, ns. */
  setOffset(offsetNs: number): void {
    this.#s.offset = offsetNs;
    this.#s.seen = this.#time();
    this.#settle();
  }

  read(port: number, _size: number): number {
    if (port === 0) return 0xff;
    const { index } = this.#s;
    if (index !== REG.C) return this.#register(index);
    this.#look();
    const s = this.#s;
    const flags = s.c;
    s.c = 0;
    if (s.lost > 0 && (s.b & PIE) !== 0) {
      s.lost--;
      s.c = PF;
    }
    // The line falls before it rises again.
    this.#pins.irq(false);
    this.#settle();
    return flags;
  }

  write(port: number, _size: number, value: number): void {
    const s = this.#s;
    if (port === 0) {
      s.index = value & 0x7f;
      return;
    }
    const { index } = s;
    if (index === REG.C || index === REG.D) return;
    this.#look();
    if (index === REG.A) this.#setModes(value & ~UIP, s.b);
    else if (index === REG.B) this.#setModes(s.a, value);
    else if (isTime(index)) {
      if (!this.#stopped) this.#showTime();
      this.#nvram[index] = value;
      if (!this.#stopped) this.#takeTime(this.#time() % SECOND);
    } else this.#nvram[index] = value;
    this.#settle();
  }

  /** The armed time has come. */
  expire(): void {
    this.#look();
    this.#settle();
  }

  /** The clock stands still: it is being set, or its divider is held in reset. */
  get #stopped(): boolean {
    return (this.#s.b & SET) !== 0 || (this.#s.a & 0x60) === 0x60;
  }

  /** Guest time, ns. */
  #time(): number {
    return this.#stopped ? this.#s.stoppedAt : this.#pins.now() + this.#s.offset;
  }

  #setModes(a: number, b: number): void {
    const s = this.#s;
    const before = this.#time();
    const stopped = this.#stopped;
    const held = (s.a & 0x60) === 0x60;
    if (!stopped) this.#showTime();
    s.a = a;
    // Setting the time ends update interrupts.
    s.b = (b & SET) !== 0 ? b & ~UIE : b;
    if (!stopped && this.#stopped) s.stoppedAt = before;
    // A divider that is let go gives its first update after half a second.
    if (stopped && !this.#stopped) this.#takeTime(held ? SECOND / 2 : this.#pins.now() % SECOND);
    s.seen = this.#time();
  }

  #register(index: number): number {
    const s = this.#s;
    switch (index) {
      case REG.A:
        return s.a | (this.#updating() ? UIP : 0);
      case REG.B:
        return s.b;
      case REG.C:
        this.#look();
        return s.c;
      case REG.D:
        return 0x80;
      default:
        if (isTime(index) && !this.#stopped) this.#showTime();
        return this.#nvram[index]!;
    }
  }

  #updating(): boolean {
    return !this.#stopped && this.#time() % SECOND >= SECOND - UPDATE_NS;
  }

  #encode(value: number): number {
    return (this.#s.b & BINARY) !== 0 ? value : toBcd(value);
  }
  #decode(value: number): number {
    return (this.#s.b & BINARY) !== 0 ? value : fromBcd(value);
  }
  #decodeHour(raw: number): number {
    if ((this.#s.b & HOURS24) !== 0) return this.#decode(raw);
    const hour = this.#decode(raw & 0x7f) % 12;
    return (raw & 0x80) !== 0 ? hour + 12 : hour;
  }

  /** Puts the time into the registers. */
  #showTime(): void {
    const seconds = Math.floor(this.#time() / SECOND);
    const ofDay = ((seconds % 86400) + 86400) % 86400;
    const date = dateOf(seconds);
    const r = this.#nvram;
    const hour = Math.floor(ofDay / 3600);
    r[REG.SECONDS] = this.#encode(ofDay % 60);
    r[REG.MINUTES] = this.#encode(Math.floor(ofDay / 60) % 60);
    r[REG.HOURS] =
      (this.#s.b & HOURS24) !== 0 ? this.#encode(hour) : this.#encode(hour % 12 || 12) | (hour >= 12 ? 0x80 : 0);
    r[REG.WEEKDAY] = this.#encode(date.weekday);
    r[REG.DAY] = this.#encode(date.day);
    r[REG.MONTH] = this.#encode(date.month);
    const year = Math.max(0, date.year - this.#options.baseYear);
    r[REG.YEAR] = this.#encode(year % 100);
    r[REG.CENTURY] = this.#encode(Math.floor(year / 100) % 100);
  }

  /** Takes the time out of the registers; it is `fraction` ns into its second. */
  #takeTime(fraction: number): void {
    const r = this.#nvram;
    const year = this.#decode(r[REG.YEAR]!) + this.#options.baseYear + this.#decode(r[REG.CENTURY]!) * 100;
    const seconds = secondsOf(
      year,
      this.#decode(r[REG.MONTH]!),
      this.#decode(r[REG.DAY]!),
      this.#decodeHour(r[REG.HOURS]!),
      this.#decode(r[REG.MINUTES]!),
      this.#decode(r[REG.SECONDS]!),
    );
    const s = this.#s;
    s.offset = seconds * SECOND + fraction - this.#pins.now();
    s.seen = this.#time();
  }

  /** Ticks of 32768 Hz between periodic interrupts; 0: none. */
  get #period(): number {
    const { a } = this.#s;
    const rate = a & 15;
    if (rate === 0 || (a & 0x60) !== 0x20) return 0;
    return rate <= 2 ? 1 << (rate + 6) : 1 << (rate - 1);
  }

  #untilAlarm(time: number): number | undefined {
    const r = this.#nvram;
    const second = Math.floor(time / SECOND);
    const left = untilAlarm(
      { second: r[REG.SECONDS_ALARM]!, minute: r[REG.MINUTES_ALARM]!, hour: r[REG.HOURS_ALARM]! },
      ((second % 86400) + 86400) % 86400,
      (field, raw) => (field === "hour" ? this.#decodeHour(raw) : this.#decode(raw)),
    );
    return left === undefined ? undefined : (second + left) * SECOND;
  }

  /** Brings the flags up to date with the time. */
  #look(): void {
    const s = this.#s;
    const now = this.#time();
    const from = s.seen;
    s.seen = now;
    if (now <= from || this.#stopped) return;
    if (Math.floor(now / SECOND) > Math.floor(from / SECOND)) {
      s.c |= UF;
      const alarm = this.#untilAlarm(from);
      if (alarm !== undefined && alarm <= now) {
        s.c |= AF;
        if ((s.b & AIE) !== 0) this.onAlarm?.();
      }
    }
    const period = this.#period;
    if (period === 0) return;
    const passed = Math.floor(ticks(now) / period) - Math.floor(ticks(from) / period);
    if (passed <= 0) return;
    const lost = passed - ((s.c & PF) === 0 ? 1 : 0);
    if (this.#options.slew && (s.b & PIE) !== 0) s.lost = Math.min(MOST_LOST, s.lost + lost);
    s.c |= PF;
  }

  /** The line follows the flags, and the next moment at which it may rise is armed. */
  #settle(): void {
    const s = this.#s;
    const on = (s.c & s.b & (PF | AF | UF)) !== 0;
    s.c = on ? s.c | IRQF : s.c & ~IRQF;
    this.#pins.irq(on);
    this.#pins.arm(this.#next());
  }

  #next(): number | undefined {
    const s = this.#s;
    if (this.#stopped) return undefined;
    const now = s.seen;
    let next = Infinity;
    const period = this.#period;
    if ((s.b & PIE) !== 0 && period > 0 && ((s.c & PF) === 0 || this.#options.slew)) {
      const tick = (Math.floor(ticks(now) / period) + 1) * period;
      const second = Math.floor(tick / 32768);
      next = second * SECOND + Math.ceil(((tick - second * 32768) * SECOND) / 32768);
    }
    if ((s.b & UIE) !== 0 && (s.c & UF) === 0) next = Math.min(next, (Math.floor(now / SECOND) + 1) * SECOND);
    if ((s.b & AIE) !== 0 && (s.c & AF) === 0) next = Math.min(next, this.#untilAlarm(now) ?? Infinity);
    return next === Infinity ? undefined : next - s.offset;
  }
}

function isTime(index: number): boolean {
  return index === REG.CENTURY || (index <= REG.YEAR && (index > REG.HOURS_ALARM || index % 2 === 0));
}

/** Ticks of 32768 Hz at a time in ns. */
function ticks(ns: number): number {
  const seconds = Math.floor(ns / SECOND);
  return seconds * 32768 + Math.floor(((ns - seconds * SECOND) * 32768) / SECOND);
}
