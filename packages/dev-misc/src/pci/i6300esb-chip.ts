import { defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

/** Registers in memory. */
const REG = { TIMER1: 0x00, TIMER2: 0x04, STATUS: 0x08, RELOAD: 0x0c } as const;
const MOST = 0xf_ffff;
const RELOADED = 0x100;
const TIMED_OUT = 0x200;
/** Nanoseconds of a tick of the PCI clock. */
const PCI_NS = 30;

/** Bits of the configuration and lock registers. */
const NO_REBOOT = 0x20;
const FAST = 0x04;
const INTERRUPT_TYPE = 0x03;
const LOCK = 0x01;
const ENABLE = 0x02;
const FREE_RUN = 0x04;

const flag = z.boolean().default(false);
const preload = z.int().min(0).max(MOST).default(MOST);
const State = defineState("i6300esb", 1, {
  config: z.int().min(0).max(0x27).default(0),
  locked: flag,
  enabled: flag,
  freeRun: flag,
  preload1: preload,
  preload2: preload,
  /** How much of the sequence 80h, 86h was written. */
  unlocked: z.int().min(0).max(2).default(0),
  stage: z.int().min(1).max(2).default(1),
  timedOut: flag,
  ends: z.number().min(-1).max(Number.MAX_SAFE_INTEGER).default(-1),
});
type State = z.infer<typeof State>;

/** What an {@link Esb} is wired to. */
export interface EsbPins {
  now(): number;
  arm(deadlineNs: number | undefined): void;
  /** The second stage has run out. */
  bite(): void;
}

/** The two-stage watchdog of the Intel 6300ESB. Source: Intel 6300ESB I/O Controller Hub data sheet (300641-003), chapter 15. */
export class Esb implements Registers, Stateful {
  readonly #pins: EsbPins;
  #s: State = State.parse({});

  constructor(pins: EsbPins) {
    this.#pins = pins;
  }

  /** That it has bitten stays known over the reset that it caused. */
  reset(): void {
    this.load({ timedOut: this.#s.timedOut });
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#pins.arm(this.#s.ends < 0 ? undefined : this.#s.ends);
  }

  /** Configuration register 60h. */
  get config(): number {
    return this.#s.config;
  }
  set config(value: number) {
    this.#s.config = value & (NO_REBOOT | FAST | INTERRUPT_TYPE);
  }

  /** Configuration register 68h. */
  get lock(): number {
    const s = this.#s;
    return (s.locked ? LOCK : 0) | (s.enabled ? ENABLE : 0) | (s.freeRun ? FREE_RUN : 0);
  }
  set lock(value: number) {
    const s = this.#s;
    if (s.locked) return;
    s.locked = (value & LOCK) !== 0;
    s.freeRun = (value & FREE_RUN) !== 0;
    const was = s.enabled;
    s.enabled = (value & ENABLE) !== 0;
    if (s.enabled && !was) this.#start(1);
    else if (!s.enabled) this.#end();
  }

  read(offset: number, _size: number): number {
    return offset === REG.RELOAD && this.#s.timedOut ? 0x1200 : 0;
  }

  write(offset: number, size: number, value: number): void {
    const s = this.#s;
    if (offset === REG.RELOAD && value === 0x80) s.unlocked = 1;
    else if (offset === REG.RELOAD && value === 0x86 && s.unlocked === 1) s.unlocked = 2;
    else if (s.unlocked === 2) {
      if (offset === REG.RELOAD && size >= 2) {
        if ((value & RELOADED) !== 0) this.#start(1);
        if ((value & TIMED_OUT) !== 0) s.timedOut = false;
      } else if (offset === REG.TIMER1) s.preload1 = value & MOST;
      else if (offset === REG.TIMER2) s.preload2 = value & MOST;
      s.unlocked = 0;
    }
  }

  /** The armed time has come. */
  expire(): void {
    const s = this.#s;
    if (!s.enabled || s.ends < 0) return;
    if (s.stage === 1) return this.#start(2);
    this.#end();
    if ((s.config & NO_REBOOT) === 0) {
      s.timedOut = true;
      this.#pins.bite();
      this.reset();
    } else if (s.freeRun) this.#start(1);
  }

  #start(stage: 1 | 2): void {
    const s = this.#s;
    if (!s.enabled) return;
    s.stage = stage;
    const ticks = (stage === 1 ? s.preload1 : s.preload2) * ((s.config & FAST) !== 0 ? 2 ** 5 : 2 ** 15);
    s.ends = this.#pins.now() + ticks * PCI_NS;
    this.#pins.arm(s.ends);
  }

  #end(): void {
    this.#s.ends = -1;
    this.#pins.arm(undefined);
  }
}
