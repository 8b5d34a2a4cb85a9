import { z } from "zod";
import type { Registers, Stateful } from "@mimus/machine-core";

const U32 = 2 ** 32;

/** All times are nanoseconds since 1970 in two halves, as the registers hold them. */
const State = z
  .strictObject({
    /** Guest time minus host time, ns. */
    offset: z.number().default(0),
    alarmLow: z.uint32().default(0),
    alarmHigh: z.uint32().default(0),
    timeHigh: z.uint32().default(0),
    armed: z.boolean().default(false),
    pending: z.boolean().default(false),
    enabled: z.boolean().default(false),
  })
  .meta({ id: "goldfish-rtc", version: 1 });
type State = z.infer<typeof State>;

const REG = {
  TIME_LOW: 0x00,
  TIME_HIGH: 0x04,
  ALARM_LOW: 0x08,
  ALARM_HIGH: 0x0c,
  IRQ_ENABLED: 0x10,
  CLEAR_ALARM: 0x14,
  ALARM_STATUS: 0x18,
  CLEAR_INTERRUPT: 0x1c,
} as const;

/** What a {@link GoldfishRtc} is wired to. */
export interface GoldfishPins {
  /** Host time, ns since 1970 (a JavaScript number: about 256 ns of resolution). */
  now(): number;
  irq(level: boolean): void;
  /** Call {@link GoldfishRtc.expire} at this host time, ns; `undefined` cancels. */
  arm(deadlineNs: number | undefined): void;
}

/**
 * Real-time clock of the Android emulator's "goldfish" board.
 * Source: Android emulator documentation, GOLDFISH-VIRTUAL-HARDWARE.TXT, section "Goldfish RTC".
 */
export class GoldfishRtc implements Registers, Stateful {
  #s: State = State.parse({});
  readonly #pins: GoldfishPins;

  constructor(pins: GoldfishPins) {
    this.#pins = pins;
  }

  /** A clock keeps its time over a reset: only the alarm and the interrupt are cleared. */
  reset(): void {
    this.load({ offset: this.#s.offset });
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.expire();
  }

  /** Looks at the alarm; called when the armed time has come. */
  expire(): void {
    const s = this.#s;
    if (s.armed) {
      const alarm = s.alarmHigh * U32 + s.alarmLow;
      if (alarm <= this.#now()) {
        s.armed = false;
        s.pending = true;
      }
      this.#pins.arm(s.armed ? alarm - s.offset : undefined);
    } else this.#pins.arm(undefined);
    this.#pins.irq(s.pending && s.enabled);
  }

  read(offset: number, _size: number): number {
    const s = this.#s;
    switch (offset) {
      case REG.TIME_LOW: {
        const now = this.#now();
        s.timeHigh = Math.floor(now / U32) >>> 0;
        return (now % U32) >>> 0;
      }
      case REG.TIME_HIGH:
        return s.timeHigh;
      case REG.ALARM_LOW:
        return s.alarmLow;
      case REG.ALARM_HIGH:
        return s.alarmHigh;
      case REG.IRQ_ENABLED:
        return s.enabled ? 1 : 0;
      case REG.ALARM_STATUS:
        return s.armed ? 1 : 0;
      default:
        return 0;
    }
  }

  write(offset: number, _size: number, value: number): void {
    const s = this.#s;
    const now = this.#now();
    switch (offset) {
      case REG.TIME_LOW:
        s.offset += Math.floor(now / U32) * U32 + value - now;
        break;
      case REG.TIME_HIGH:
        s.offset += value * U32 + (now % U32) - now;
        break;
      case REG.ALARM_LOW:
        s.alarmLow = value;
        s.armed = true;
        break;
      case REG.ALARM_HIGH:
        s.alarmHigh = value;
        break;
      case REG.IRQ_ENABLED:
        s.enabled = (value & 1) !== 0;
        break;
      case REG.CLEAR_ALARM:
        s.armed = false;
        break;
      case REG.CLEAR_INTERRUPT:
        s.pending = false;
        break;
      default: // read-only or reserved
    }
    this.expire();
  }

  #now(): number {
    return Math.max(0, this.#pins.now() + this.#s.offset);
  }
}
