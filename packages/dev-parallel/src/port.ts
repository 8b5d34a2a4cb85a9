import { defineState } from "@mimus/machine-core";
import type { Registers, Stateful } from "@mimus/machine-core";
import { z } from "zod";

const byte = z.int().min(0).max(0xff);
const State = defineState("parallel", 1, {
  data: byte.default(0),
  /** As it is written: STROBE, AUTOFD, INIT, SELECT, interrupt enable, direction. */
  control: z.int().min(0).max(0x3f).default(0x0c),
  /** The printer has taken a character, and the guest has not looked since: an interrupt. */
  acknowledged: z.boolean().default(false),
  /** A character that the printer does not take yet. */
  busy: z.boolean().default(false),
});

/** Bits of the status port; BUSY and ACK are low when they are true. */
const STATUS = { NO_INTERRUPT: 0x04, ERROR_NOT: 0x08, SELECT: 0x10, ACK_NOT: 0x40, READY: 0x80 } as const;
const CONTROL = { STROBE: 1, INIT_NOT: 4, SELECT: 8, IRQ: 0x10, INPUT: 0x20 } as const;

/** The pins of a {@link ParallelPort}. */
export interface ParallelPins {
  irq(level: boolean): void;
  /** Gives the printer a character; false: not now. */
  print(byte: number): boolean;
}

/**
 * A parallel port of the PC with a printer: data, status, control. Characters take no time.
 * Source: IBM Personal System/2 Hardware Interface Technical Reference (S84F-9808), "Parallel port controller"; IEEE 1284-1994, compatibility mode.
 */
export class ParallelPort implements Registers, Stateful {
  readonly #pins: ParallelPins;
  #s = State.parse({});

  constructor(pins: ParallelPins) {
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
    this.#settle();
  }

  read(offset: number): number {
    const s = this.#s;
    switch (offset) {
      case 0:
        return s.control & CONTROL.INPUT ? 0xff : s.data;
      case 1:
        return this.#readStatus();
      case 2:
        return 0xc0 | s.control;
      default:
        return 0xff;
    }
  }

  write(offset: number, _size: number, value: number): void {
    const s = this.#s;
    if (offset === 0) s.data = value & 0xff;
    else if (offset === 2) {
      const was = s.control;
      s.control = value & 0x3f;
      // The printer takes the character at the end of the strobe.
      const strobed = was & CONTROL.STROBE && !(value & CONTROL.STROBE);
      if (strobed && value & CONTROL.INIT_NOT && value & CONTROL.SELECT) this.#print();
    }
    this.#settle();
  }

  /** The printer takes characters again. */
  ready(): void {
    if (!this.#s.busy) return;
    this.#print();
    this.#settle();
  }

  #readStatus(): number {
    const s = this.#s;
    const { acknowledged } = s;
    s.acknowledged = false;
    this.#settle();
    return (
      STATUS.ERROR_NOT |
      STATUS.SELECT |
      (acknowledged ? 0 : STATUS.ACK_NOT | STATUS.NO_INTERRUPT) |
      (s.busy ? 0 : STATUS.READY)
    );
  }

  #print(): void {
    const s = this.#s;
    s.busy = !this.#pins.print(s.data);
    if (!s.busy) s.acknowledged = true;
  }

  #settle(): void {
    const { acknowledged, control } = this.#s;
    this.#pins.irq(acknowledged && (control & CONTROL.IRQ) !== 0);
  }
}
