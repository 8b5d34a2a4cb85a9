import type { IrqSink, Stateful } from "@mimus/machine-core";
import { defineState } from "@mimus/machine-core";
import { z } from "zod";
import { C, CONTROL, DEVICE, ST } from "./spec.ts";
import type { BusMasterSide, ChannelPins, Unit } from "./unit.ts";

const State = defineState("ide-channel", 1, {
  selected: z.int().min(0).max(1).default(0),
  control: z.int().min(0).max(0xff).default(0),
  interrupt: z.boolean().default(false),
});

/** One channel: two units behind one set of registers. Source: ATA/ATAPI-6, chapters 7 and 9. */
export class Channel implements ChannelPins, Stateful {
  readonly units: (Unit | undefined)[] = [undefined, undefined];
  bus: (BusMasterSide & { interrupted(): void }) | undefined;
  readonly #irq: IrqSink;
  #s: z.infer<typeof State> = State.parse({});

  constructor(irq: IrqSink) {
    this.#irq = irq;
  }

  /** The unit that is selected. */
  get unit(): Unit | undefined {
    return this.units[this.#s.selected];
  }

  interrupt(unit: Unit): void {
    if (unit !== this.unit) return;
    this.#s.interrupt = true;
    if ((this.#s.control & CONTROL.NIEN) !== 0) return;
    this.bus?.interrupted();
    this.#irq(true);
  }
  #acknowledge(): void {
    this.#s.interrupt = false;
    this.#irq(false);
  }

  /** Reads register 1..7 of the command block. */
  read(reg: number): number {
    const { unit } = this;
    const other = this.units[1 - this.#s.selected];
    if (unit === undefined) {
      // The other unit answers for the one that is not there, with zeros in status.
      if (other === undefined || reg === 1 || reg === 7) return 0;
      return reg === 6 ? this.#device(other.s.device) : 0;
    }
    const { s } = unit;
    const hob = (this.#s.control & CONTROL.HOB) !== 0;
    switch (reg) {
      case 1:
        return hob ? s.before[0] : s.error;
      case 2:
        return hob ? s.before[1] : s.count;
      case 3:
        return hob ? s.before[2] : s.sector;
      case 4:
        return hob ? s.before[3] : s.low;
      case 5:
        return hob ? s.before[4] : s.high;
      case 6:
        return this.#device(s.device);
      default:
        this.#acknowledge();
        return s.status;
    }
  }
  #device(value: number): number {
    return (value & ~DEVICE.UNIT) | DEVICE.FIXED | (this.#s.selected << 4);
  }

  /** Writes register 1..7. All but the command go to both units. */
  write(reg: number, value: number): void {
    this.#s.control &= ~CONTROL.HOB;
    if (reg === 7) return this.#command(value);
    if (reg === 6) this.#s.selected = (value & DEVICE.UNIT) === 0 ? 0 : 1;
    for (const unit of this.units) {
      if (unit === undefined || (unit.s.status & ST.BUSY) !== 0) continue;
      const { s } = unit;
      if (reg < 6) {
        const previous = [s.feature, s.count, s.sector, s.low, s.high][reg - 1]!;
        s.before[reg - 1] = previous;
      }
      if (reg === 1) s.feature = value;
      else if (reg === 2) s.count = value;
      else if (reg === 3) s.sector = value;
      else if (reg === 4) s.low = value;
      else if (reg === 5) s.high = value;
      else s.device = value;
    }
  }

  #command(code: number): void {
    const { unit } = this;
    this.#acknowledge();
    if (code === C.DIAGNOSE) {
      for (const each of this.units) each?.softReset();
      this.#s.selected = 0;
      const first = this.unit;
      if (first !== undefined) this.interrupt(first);
      return;
    }
    if (unit === undefined) return;
    // Only DEVICE RESET gets through while a command is on the way.
    if ((unit.s.status & (ST.BUSY | ST.DRQ)) !== 0 && code !== C.DEVICE_RESET) return;
    unit.command(code);
  }

  readAlternate(): number {
    return this.unit?.s.status ?? 0;
  }
  writeControl(value: number): void {
    const before = this.#s.control;
    this.#s.control = value;
    if ((before & CONTROL.SRST) === 0 && (value & CONTROL.SRST) !== 0) {
      for (const unit of this.units) {
        unit?.softReset();
        if (unit !== undefined) unit.s.status = ST.BUSY;
      }
    } else if ((before & CONTROL.SRST) !== 0 && (value & CONTROL.SRST) === 0) {
      for (const unit of this.units) unit?.softReset();
      this.#s.selected = 0;
    }
    if ((value & CONTROL.NIEN) !== 0) this.#irq(false);
    else if (this.#s.interrupt) this.#irq(true);
  }

  readData(size: number): number {
    const { unit } = this;
    if (unit === undefined) return 0;
    const low = unit.readData();
    return size === 4 ? (low | (unit.readData() << 16)) >>> 0 : size === 2 ? low : low & 0xff;
  }
  writeData(size: number, value: number): void {
    const { unit } = this;
    unit?.writeData(value & 0xffff);
    if (size === 4) unit?.writeData(value >>> 16);
  }

  reset(): void {
    this.#s = State.parse({});
    this.#irq(false);
  }
  save(): unknown {
    return { ...this.#s };
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#irq(this.#s.interrupt && (this.#s.control & CONTROL.NIEN) === 0);
  }
}
