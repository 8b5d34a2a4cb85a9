import { defineState, type Registers, stateBytes, type Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { character } from "./characters.ts";

/** Everything a snapshot holds. Defaults are the values after the internal reset circuit has run. */
const State = defineState("hd44780", 1, {
  ddram: stateBytes(80, true).default(() => new Uint8Array(80).fill(0x20)),
  cgram: stateBytes(64, true).default(() => new Uint8Array(64)),
  /** Address counter: 7 bits for DDRAM, 6 for CGRAM. */
  ac: z.int().min(0).max(0x7f).default(0),
  inCgram: z.boolean().default(false),
  increment: z.boolean().default(true),
  shiftOnWrite: z.boolean().default(false),
  displayOn: z.boolean().default(false),
  cursorOn: z.boolean().default(false),
  blinkOn: z.boolean().default(false),
  /** Characters that the display is shifted to the left. */
  shift: z.int().min(0).max(79).default(0),
  eightBit: z.boolean().default(true),
  twoLines: z.boolean().default(false),
  /** The high half of a transfer in 4-bit mode, or -1 between transfers. */
  nibble: z.int().min(-1).max(0xf).default(-1),
  /** The byte whose low half is read next in 4-bit mode, or -1. */
  reading: z.int().min(-1).max(0xff).default(-1),
  /** Guest time, in nanoseconds, when the running instruction ends. */
  busyUntil: z.number().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
});

/** Offsets of the two registers: the RS pin is address line 0. */
export const IR = 0;
export const DR = 1;

/** Execution times at 270 kHz. Source: HD44780U data sheet ADE-207-272(Z), table 6. */
const SHORT_NS = 37_000;
const LONG_NS = 1_520_000;

/** What the chip needs from outside. */
export interface LcdSurroundings {
  /** Guest time in nanoseconds. */
  now(): number;
  /** Whether instructions take time and the busy flag shows it. */
  readonly timing: boolean;
  guestError(message: string): void;
}

/** A HD44780 display controller: two registers in, characters out. Knows no bus. */
export class Lcd implements Registers, Stateful {
  #s = State.parse({});
  readonly #around: LcdSurroundings;

  constructor(around: LcdSurroundings) {
    this.#around = around;
  }

  reset(): void {
    this.#s = State.parse({});
  }

  save(): unknown {
    const { ddram, cgram, ...rest } = this.#s;
    return { ...rest, ddram: ddram.slice(), cgram: cgram.slice() };
  }

  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = { ...s, ddram: s.ddram.slice(), cgram: s.cgram.slice() };
  }

  read(offset: number): number {
    const s = this.#s;
    if (s.eightBit) return this.#readByte(offset);
    if (s.reading >= 0) {
      const low = (s.reading & 0xf) << 4;
      s.reading = -1;
      return low;
    }
    s.reading = this.#readByte(offset);
    return s.reading & 0xf0;
  }

  write(offset: number, _size: number, value: number): void {
    const s = this.#s;
    if (s.eightBit) {
      this.#writeByte(offset, value & 0xff);
    } else if (s.nibble < 0) {
      s.nibble = (value >>> 4) & 0xf;
    } else {
      const byte = (s.nibble << 4) | ((value >>> 4) & 0xf);
      s.nibble = -1;
      this.#writeByte(offset, byte);
    }
  }

  /** The visible characters of a display with `columns` × `rows`, blanks when it is off. Rows 3 and 4 continue 1 and 2. */
  text(columns: number, rows: number): string[] {
    const { ddram, displayOn, shift, twoLines } = this.#s;
    const line = twoLines ? 40 : 80;
    return Array.from({ length: rows }, (_, row) => {
      const start = twoLines ? (row & 1) * 40 : 0;
      const skip = (row >> (twoLines ? 1 : 0)) * columns;
      return Array.from({ length: columns }, (__, column) =>
        displayOn ? character(ddram[start + ((skip + column + shift) % line)] ?? 0x20) : " ",
      ).join("");
    });
  }

  get #busy(): boolean {
    return this.#around.timing && this.#around.now() < this.#s.busyUntil;
  }

  #readByte(offset: number): number {
    const s = this.#s;
    if (offset === IR) return (this.#busy ? 0x80 : 0) | s.ac;
    const value = s.inCgram ? s.cgram[s.ac & 0x3f]! : s.ddram[this.#index(s.ac)]!;
    this.#step(s.increment);
    return value;
  }

  #writeByte(offset: number, value: number): void {
    if (this.#busy) {
      this.#around.guestError(`${offset === IR ? "instruction" : "data"} 0x${value.toString(16)} written while busy`);
      return;
    }
    const s = this.#s;
    const long = offset === IR && value < 4;
    s.busyUntil = this.#around.timing ? this.#around.now() + (long ? LONG_NS : SHORT_NS) : 0;
    if (offset === IR) this.#instruction(value);
    else this.#data(value);
  }

  #data(value: number): void {
    const s = this.#s;
    if (s.inCgram) s.cgram[s.ac & 0x3f] = value;
    else s.ddram[this.#index(s.ac)] = value;
    this.#step(s.increment);
    if (s.shiftOnWrite && !s.inCgram) this.#scroll(s.increment);
  }

  /** The highest bit set is the instruction. Source: HD44780U data sheet ADE-207-272(Z), table 6. */
  #instruction(value: number): void {
    const s = this.#s;
    if (value & 0x80) {
      s.inCgram = false;
      s.ac = value & 0x7f;
    } else if (value & 0x40) {
      s.inCgram = true;
      s.ac = value & 0x3f;
    } else if (value & 0x20) {
      s.eightBit = (value & 0x10) !== 0;
      s.twoLines = (value & 0x08) !== 0;
      s.nibble = s.reading = -1;
    } else if (value & 0x10) {
      const right = (value & 0x04) !== 0;
      if (value & 0x08) this.#scroll(!right);
      else this.#step(right);
    } else if (value & 0x08) {
      s.displayOn = (value & 0x04) !== 0;
      s.cursorOn = (value & 0x02) !== 0;
      s.blinkOn = (value & 0x01) !== 0;
    } else if (value & 0x04) {
      s.increment = (value & 0x02) !== 0;
      s.shiftOnWrite = (value & 0x01) !== 0;
    } else if (value & 0x03) {
      if ((value & 0x02) === 0) {
        s.ddram.fill(0x20);
        s.increment = true;
      }
      s.inCgram = false;
      s.ac = s.shift = 0;
    }
  }

  #scroll(left: boolean): void {
    const s = this.#s;
    const line = s.twoLines ? 40 : 80;
    s.shift = (s.shift + (left ? 1 : line - 1)) % line;
  }

  /** Moves the address counter by one place, past the gap between the two lines. */
  #step(up: boolean): void {
    const s = this.#s;
    if (s.inCgram) s.ac = (s.ac + (up ? 1 : 0x3f)) & 0x3f;
    else s.ac = this.#address((this.#index(s.ac) + (up ? 1 : 79)) % 80);
  }

  /** Place in `ddram` of a DDRAM address: the second line starts at address 0x40. Addresses that have no cell wrap. */
  #index(address: number): number {
    if (!this.#s.twoLines) return address % 80;
    return address < 0x40 ? address % 40 : 40 + ((address - 0x40) % 40);
  }

  #address(index: number): number {
    return this.#s.twoLines && index >= 40 ? 0x40 + index - 40 : index;
  }
}
