import { z } from "zod";

const flag = z.boolean().default(false);
const ticks = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const count = z.int().min(1).max(0x10000).default(0x10000);

/** State of one counter of an 8254. Times are ticks of its clock. */
export interface CounterState {
  /** 0..5. */
  mode: number;
  bcd: boolean;
  /** 1: low byte, 2: high byte, 3: low then high. */
  access: number;
  readsHigh: boolean;
  writesHigh: boolean;
  /** The byte that was written first. */
  low: number;
  /** What is counted now, 1..10000h. */
  count: number;
  /** What is counted from the next load on. */
  reload: number;
  /** A count was written since the control word. */
  loaded: boolean;
  /** In modes 1 and 5: the gate has started it. */
  triggered: boolean;
  start: number;
  /** Ticks counted when the gate stopped it; -1: it runs. */
  held: number;
  gate: boolean;
  latched: boolean;
  latch: number;
  statusLatched: boolean;
  status: number;
}

/** Checks a {@link CounterState}; what is missing is as at power-on. */
export const counterState: z.ZodType<CounterState, unknown> = z.strictObject({
  mode: z.int().min(0).max(5).default(0),
  bcd: flag,
  access: z.int().min(1).max(3).default(3),
  readsHigh: flag,
  writesHigh: flag,
  low: z.int().min(0).max(0xff).default(0),
  count,
  reload: count,
  loaded: flag,
  triggered: flag,
  start: ticks.default(0),
  held: ticks.or(z.literal(-1)).default(-1),
  gate: z.boolean().default(true),
  latched: flag,
  latch: z.int().min(0).max(0xffff).default(0),
  statusLatched: flag,
  status: z.int().min(0).max(0xff).default(0),
});

/** One counter of an 8254. All times are ticks. Source: Intel 8254 data sheet (231164-005), "Mode definitions". */
export class Counter {
  s: CounterState = counterState.parse({});

  /** A control word for this counter; not the latch command. */
  control(value: number, now: number): void {
    const s = this.s;
    s.access = (value >> 4) & 3;
    s.mode = (value >> 1) & 7;
    if (s.mode > 5) s.mode -= 4;
    s.bcd = (value & 1) !== 0;
    s.readsHigh = s.writesHigh = s.loaded = s.triggered = false;
    s.latched = s.statusLatched = false;
    s.start = now;
    s.held = -1;
  }

  /** Keeps the count until it has been read. */
  latchCount(now: number): void {
    const s = this.s;
    if (s.latched) return;
    s.latched = true;
    s.latch = this.value(now);
  }

  latchStatus(now: number): void {
    const s = this.s;
    if (s.statusLatched) return;
    s.statusLatched = true;
    const pending = !s.loaded || s.reload !== s.count;
    s.status = (this.out(now) ? 0x80 : 0) | (pending ? 0x40 : 0) | (s.access << 4) | (s.mode << 1) | (s.bcd ? 1 : 0);
  }

  read(now: number): number {
    const s = this.s;
    if (s.statusLatched) {
      s.statusLatched = false;
      return s.status;
    }
    const value = s.latched ? s.latch : this.value(now);
    const high = s.access === 2 || (s.access === 3 && s.readsHigh);
    if (s.access === 3) s.readsHigh = !s.readsHigh;
    if (s.access !== 3 || high) s.latched = false;
    return high ? value >> 8 : value & 0xff;
  }

  /** A byte of a count. True when the count is complete. */
  write(value: number, now: number): boolean {
    const s = this.s;
    if (s.access === 3 && !s.writesHigh) {
      s.low = value;
      s.writesHigh = true;
      // The first byte stops mode 0.
      if (s.mode === 0) s.loaded = false;
      return false;
    }
    s.writesHigh = false;
    this.#load(s.access === 1 ? value : s.access === 2 ? value << 8 : (value << 8) | s.low, now);
    return true;
  }

  #load(raw: number, now: number): void {
    const s = this.s;
    s.reload = s.bcd ? fromBcd(raw) || 10_000 : raw || 0x10000;
    const running = s.loaded;
    s.loaded = true;
    // A running rate generator takes the new count at the end of its period, a one-shot at its next trigger.
    if (running && (s.mode === 2 || s.mode === 3)) return;
    if (s.mode === 1 || s.mode === 5) {
      if (!s.triggered) s.count = s.reload;
      return;
    }
    s.count = s.reload;
    s.start = now;
    s.held = s.gate ? -1 : 0;
  }

  setGate(level: boolean, now: number): void {
    const s = this.s;
    if (s.gate === level) return;
    const elapsed = this.elapsed(now);
    s.gate = level;
    if (s.mode === 1 || s.mode === 5) {
      if (!level) return;
      s.triggered = true;
      s.count = s.reload;
      s.start = now;
      return;
    }
    if (!level) s.held = elapsed;
    else {
      // Modes 2 and 3 begin anew, 0 and 4 go on.
      s.count = s.mode === 2 || s.mode === 3 ? s.reload : s.count;
      s.start = s.mode === 2 || s.mode === 3 ? now : Math.max(0, now - Math.max(0, s.held));
      s.held = -1;
    }
  }

  /** Ticks that the present count has been counted for. Brings a period that has ended up to date. */
  elapsed(now: number): number {
    const s = this.s;
    const passed = s.held >= 0 ? s.held : Math.max(0, now - s.start);
    if (s.reload === s.count || passed < s.count || s.held >= 0 || (s.mode !== 2 && s.mode !== 3)) return passed;
    s.start += s.count;
    s.count = s.reload;
    return Math.max(0, now - s.start);
  }

  get #idle(): boolean {
    const s = this.s;
    return !s.loaded || ((s.mode === 1 || s.mode === 5) && !s.triggered);
  }

  /** What a read of the counting element gives. */
  value(now: number): number {
    const s = this.s;
    const passed = this.#idle ? 0 : this.elapsed(now);
    const range = s.bcd ? 10_000 : 0x10000;
    let left: number;
    if (s.mode === 2) left = s.count - (passed % s.count);
    else if (s.mode === 3) left = s.count - ((2 * passed) % s.count);
    else left = s.count - (passed % range);
    left = ((left % range) + range) % range;
    return s.bcd ? toBcd(left) : left;
  }

  /** The output pin. */
  out(now: number): boolean {
    const s = this.s;
    if (this.#idle) return s.mode !== 0;
    const passed = this.elapsed(now);
    switch (s.mode) {
      case 0:
      case 1:
        return passed >= s.count;
      case 2:
        return s.held >= 0 || passed % s.count !== s.count - 1;
      case 3:
        return s.held >= 0 || passed % s.count < (s.count + 1) >> 1;
      default:
        return passed !== s.count;
    }
  }

  /**
   * The tick after `at` at which the output rises or falls; Infinity: none. The one-tick low pulses of modes 2, 4 and 5
   * count as one event, at their end or start: see {@link pulses}.
   */
  next(at: number): number {
    const s = this.s;
    if (this.#idle || s.held >= 0) return Infinity;
    const passed = this.elapsed(at);
    if (s.mode === 2) return s.start + (Math.floor(passed / s.count) + 1) * s.count;
    if (s.mode === 3) {
      const half = (s.count + 1) >> 1;
      const phase = passed % s.count;
      return s.start + passed - phase + (phase < half && half < s.count ? half : s.count);
    }
    return passed < s.count ? s.start + s.count : Infinity;
  }

  /** Whether an event of the output is a pulse: down and up again. */
  get pulses(): boolean {
    return this.s.mode === 2 || this.s.mode >= 4;
  }
}

function fromBcd(raw: number): number {
  let value = 0;
  for (let shift = 12; shift >= 0; shift -= 4) value = value * 10 + Math.min(9, (raw >> shift) & 15);
  return value;
}

function toBcd(value: number): number {
  return (
    ((Math.floor(value / 1000) % 10) << 12) |
    ((Math.floor(value / 100) % 10) << 8) |
    ((Math.floor(value / 10) % 10) << 4) |
    (value % 10)
  );
}
