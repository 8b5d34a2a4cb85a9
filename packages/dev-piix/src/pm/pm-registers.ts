import { defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

/** Ticks of the power management timer per second: three times the PC's colour clock. */
export const PM_TIMER_HZ = 3_579_545;
/** Offset of the timer. */
const TIMER = 8;

/** Bits of the PM1 status and enable registers. */
export const PM1 = {
  TIMER: 0x0001,
  GLOBAL: 0x0020,
  POWER_BUTTON: 0x0100,
  SLEEP_BUTTON: 0x0200,
  RTC: 0x0400,
  WAKE: 0x8000,
} as const;
const EVENTS = PM1.TIMER | PM1.GLOBAL | PM1.POWER_BUTTON | PM1.RTC;
const SCI_ENABLE = 1;
const SLEEP_ENABLE = 0x2000;

/** Bits of the general purpose event register. */
export const GPE = { PCI_HOTPLUG: 1, CPU_HOTPLUG: 2 } as const;

const word = z.int().min(0).max(0xffff).default(0);
const State = defineState("acpi-pm", 1, {
  status: word,
  enable: word,
  control: word,
  gpeStatus: word,
  gpeEnable: word,
});
type State = z.infer<typeof State>;

/** What {@link PmRegisters} are wired to. */
export interface PmPins {
  /** Now on the virtual clock, ns. */
  now(): number;
  /** Call {@link PmRegisters.expire} at this virtual time, ns; `undefined` cancels. */
  arm(deadlineNs: number | undefined): void;
  /** System control interrupt. */
  sci(level: boolean): void;
  /** The guest asks for sleep: the type that it wrote, 0..7. */
  sleep(type: number): void;
}

/** ACPI fixed hardware: PM1 event and control blocks, timer, one general purpose event block. Source: ACPI 6.4, 4.8.3 and 4.8.4. */
export class PmRegisters implements Registers, Stateful {
  readonly #pins: PmPins;
  #s: State = State.parse({});

  constructor(pins: PmPins) {
    this.#pins = pins;
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.settle();
  }

  /** The 64 bytes at the power management base. */
  read(offset: number, size: number): number {
    if (size === 4) {
      // All 24 bits of the timer at once: two looks could find it before and after a carry.
      if (offset === TIMER) return this.#ticks() % 0x100_0000;
      return (this.#word(offset) | (this.#word(offset + 2) << 16)) >>> 0;
    }
    const word = this.#word(offset & ~1);
    return size === 1 ? (word >> (8 * (offset & 1))) & 0xff : word;
  }

  write(offset: number, size: number, value: number): void {
    if (size === 4) {
      this.write(offset, 2, value & 0xffff);
      this.write(offset + 2, 2, value >>> 16);
      return;
    }
    const at = offset & ~1;
    const shift = 8 * (offset & 1);
    const mask = size === 1 ? 0xff << shift : 0xffff;
    const bits = (value << shift) & mask;
    const s = this.#s;
    if (at === 0) {
      this.#latchTimer();
      s.status &= ~bits;
    } else if (at === 2) {
      this.#latchTimer();
      s.enable = (s.enable & ~mask) | bits;
    } else if (at === 4) {
      s.control = ((s.control & ~mask) | bits) & ~SLEEP_ENABLE;
      if ((bits & SLEEP_ENABLE) !== 0) this.#pins.sleep((s.control >> 10) & 7);
    }
    this.settle();
  }

  /** The four bytes of the general purpose event block: status, then enable. */
  readonly gpe: Registers = {
    read: (offset, size) => {
      const word = offset < 2 ? this.#s.gpeStatus : this.#s.gpeEnable;
      return size === 1 ? (word >> (8 * (offset & 1))) & 0xff : word;
    },
    write: (offset, size, value) => {
      const s = this.#s;
      const shift = 8 * (offset & 1);
      const mask = size === 1 ? 0xff << shift : 0xffff;
      const bits = (value << shift) & mask;
      if (offset < 2) s.gpeStatus &= ~bits;
      else s.gpeEnable = (s.gpeEnable & ~mask) | bits;
      this.settle();
    },
  };

  /** An event of {@link PM1} happened. */
  event(bits: number): void {
    this.#s.status |= bits;
    this.settle();
  }

  /** Whether events of {@link PM1} interrupt. */
  enabled(bits: number): boolean {
    return (this.#s.enable & bits) !== 0;
  }

  /** A general purpose event of {@link GPE} happened. */
  generalEvent(bit: number): void {
    this.#s.gpeStatus |= 1 << bit;
    this.settle();
  }

  /** The operating system takes over from firmware, or gives back. */
  setAcpiMode(on: boolean): void {
    this.#s.control = (this.#s.control & ~SCI_ENABLE) | (on ? SCI_ENABLE : 0);
  }

  /** The armed time has come. */
  expire(): void {
    this.#latchTimer();
    this.settle();
  }

  /** Counts of the timer since the machine began. */
  #ticks(): number {
    const ns = this.#pins.now();
    const seconds = Math.floor(ns / 1e9);
    return seconds * PM_TIMER_HZ + Math.floor(((ns - seconds * 1e9) * PM_TIMER_HZ) / 1e9);
  }

  #word(at: number): number {
    const s = this.#s;
    switch (at) {
      case 0:
        this.#latchTimer();
        return s.status;
      case 2:
        return s.enable;
      case 4:
        return s.control;
      case 8:
        return this.#ticks() & 0xffff;
      case 10:
        return (this.#ticks() / 0x10000) & 0xff;
      default:
        return 0;
    }
  }

  /** The timer's status bit says that its highest bit has changed since the bit was cleared. */
  #overflow = -1;
  #latchTimer(): void {
    const half = Math.floor(this.#ticks() / 0x80_0000);
    if (this.#overflow >= 0 && half !== this.#overflow) this.#s.status |= PM1.TIMER;
    this.#overflow = half;
  }

  /** The interrupt follows the registers; the timer's next overflow is armed when it interrupts. */
  settle(): void {
    const s = this.#s;
    this.#pins.sci((s.status & s.enable & EVENTS) !== 0 || (s.gpeStatus & s.gpeEnable) !== 0);
    if ((s.enable & PM1.TIMER) === 0 || (s.status & PM1.TIMER) !== 0) return this.#pins.arm(undefined);
    const next = (Math.floor(this.#ticks() / 0x80_0000) + 1) * 0x80_0000;
    const seconds = Math.floor(next / PM_TIMER_HZ);
    this.#pins.arm(seconds * 1e9 + Math.ceil(((next - seconds * PM_TIMER_HZ) * 1e9) / PM_TIMER_HZ));
  }
}
