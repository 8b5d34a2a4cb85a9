import { defineState, stateBytes } from "@mimus/machine-core";
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";
import type { Ps2Device } from "./port.ts";
import { TRANSLATION } from "./scancodes.ts";

/** Bits of the status register. Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller". */
export const STATUS = {
  OUTPUT_FULL: 0x01,
  INPUT_FULL: 0x02,
  SYSTEM: 0x04,
  COMMAND: 0x08,
  UNLOCKED: 0x10,
  AUX_FULL: 0x20,
} as const;

/** Bits of the command byte, which is byte 0 of the controller's memory. */
const CONFIG = { KBD_IRQ: 1, AUX_IRQ: 2, SYSTEM: 4, KBD_OFF: 0x10, AUX_OFF: 0x20, TRANSLATE: 0x40 } as const;

const COMMAND = {
  READ_MEMORY: 0x20,
  WRITE_MEMORY: 0x60,
  AUX_OFF: 0xa7,
  AUX_ON: 0xa8,
  AUX_TEST: 0xa9,
  SELF_TEST: 0xaa,
  KBD_TEST: 0xab,
  KBD_OFF: 0xad,
  KBD_ON: 0xae,
  READ_INPUT: 0xc0,
  READ_OUTPUT: 0xd0,
  WRITE_OUTPUT: 0xd1,
  WRITE_KBD_BUFFER: 0xd2,
  WRITE_AUX_BUFFER: 0xd3,
  WRITE_AUX: 0xd4,
  A20_OFF: 0xdd,
  A20_ON: 0xdf,
  PULSE: 0xf0,
} as const;

/** Bits of the output port. The lines to the devices and those that lead nowhere are high. */
const OUTPUT = { NOT_RESET: 1, A20: 2, KBD_IRQ: 0x10, AUX_IRQ: 0x20, LINES: 0xcc } as const;

/** Who filled the output buffer. */
const FROM = { KEYBOARD: 0, AUX: 1, CONTROLLER: 2 } as const;

const byte = z.int().min(0).max(0xff);
const State = defineState("i8042", 1, {
  /** The controller's memory from byte 1 on; byte 0 is `config`. */
  memory: stateBytes(32, true).optional(),
  config: byte.default(CONFIG.KBD_IRQ | CONFIG.AUX_IRQ),
  output: byte.default(OUTPUT.NOT_RESET | OUTPUT.A20 | OUTPUT.LINES),
  /** The command whose parameter is awaited; 0 for none. */
  command: byte.default(0),
  /** Whether what was written last was a command. */
  wasCommand: z.boolean().default(true),
  full: z.boolean().default(false),
  data: byte.default(0),
  from: z.int().min(0).max(2).default(0),
  /** An answer that waits for the output buffer; 0x100 for the auxiliary device's side, -1 for none. */
  waiting: z.int().min(-1).max(0x1ff).default(-1),
  /** A break prefix of set 2 was swallowed. */
  breaking: z.boolean().default(false),
});

/** The pins of an {@link I8042}. */
export interface I8042Pins {
  keyboardIrq(level: boolean): void;
  auxIrq(level: boolean): void;
  a20(level: boolean): void;
  /** The processor's reset line was pulled. */
  resetPulse(): void;
}

/**
 * The PC's keyboard and auxiliary device controller: an 8042 with the PS/2's program.
 * Source: IBM PS/2 Hardware Interface Technical Reference (S84F-9808), "Keyboard and auxiliary device controller"; Intel UPI-42.
 */
export class I8042 implements Stateful {
  readonly #pins: I8042Pins;
  readonly #keyboard: Ps2Device;
  readonly #aux: Ps2Device;
  readonly #memory: Uint8Array = new Uint8Array(32);
  #s = State.parse({});

  constructor(keyboard: Ps2Device, aux: Ps2Device, pins: I8042Pins) {
    this.#keyboard = keyboard;
    this.#aux = aux;
    this.#pins = pins;
    keyboard.onReady = aux.onReady = () => this.#fill();
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, memory: this.#memory.slice() });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = s;
    this.#memory.fill(0);
    if (s.memory !== undefined) this.#memory.set(s.memory);
    this.#settle();
  }

  /** Port 64, read. */
  get status(): number {
    const s = this.#s;
    return (
      STATUS.UNLOCKED |
      (s.full ? STATUS.OUTPUT_FULL : 0) |
      (s.full && s.from === FROM.AUX ? STATUS.AUX_FULL : 0) |
      (s.config & CONFIG.SYSTEM ? STATUS.SYSTEM : 0) |
      (s.wasCommand ? STATUS.COMMAND : 0)
    );
  }

  /** Port 60, read: takes the byte out of the output buffer; an empty buffer still holds the last one. */
  readData(): number {
    const s = this.#s;
    const { data } = s;
    if (s.full) {
      s.full = false;
      this.#settle(); // the line falls before the next byte raises it
      this.#fill();
    }
    return data;
  }

  /** Port 64, written. */
  writeCommand(value: number): void {
    const s = this.#s;
    s.wasCommand = true;
    s.command = 0;
    if (value >= COMMAND.READ_MEMORY && value < COMMAND.READ_MEMORY + 32) this.#answer(this.#readMemory(value & 31));
    else if (value >= COMMAND.WRITE_MEMORY && value < COMMAND.WRITE_MEMORY + 32) s.command = value;
    else if (value >= COMMAND.PULSE) this.#pulse(value);
    else this.#command(value);
    this.#settle();
    this.#fill();
  }

  /** Port 60, written: a parameter of the controller's command, or a byte for the keyboard. */
  writeData(value: number): void {
    const s = this.#s;
    const { command } = s;
    s.wasCommand = false;
    s.command = 0;
    switch (command) {
      case 0:
        s.config &= ~CONFIG.KBD_OFF; // writing to the keyboard enables it
        this.#keyboard.write(value);
        break;
      case COMMAND.WRITE_OUTPUT:
        this.#writeOutput(value);
        break;
      case COMMAND.WRITE_KBD_BUFFER:
        this.#answer(value);
        break;
      case COMMAND.WRITE_AUX_BUFFER:
        this.#answer(value | 0x100);
        break;
      case COMMAND.WRITE_AUX:
        s.config &= ~CONFIG.AUX_OFF;
        this.#aux.write(value);
        break;
      default:
        if (command === COMMAND.WRITE_MEMORY) s.config = value;
        else this.#memory[command & 31] = value;
    }
    this.#settle();
    this.#fill();
  }

  #command(value: number): void {
    const s = this.#s;
    switch (value) {
      case COMMAND.AUX_OFF:
        s.config |= CONFIG.AUX_OFF;
        return;
      case COMMAND.AUX_ON:
        s.config &= ~CONFIG.AUX_OFF;
        return;
      case COMMAND.AUX_TEST:
      case COMMAND.KBD_TEST:
        this.#answer(0x00);
        return;
      case COMMAND.SELF_TEST:
        s.config |= CONFIG.SYSTEM;
        this.#answer(0x55);
        return;
      case COMMAND.KBD_OFF:
        s.config |= CONFIG.KBD_OFF;
        return;
      case COMMAND.KBD_ON:
        s.config &= ~CONFIG.KBD_OFF;
        return;
      case COMMAND.READ_INPUT:
        this.#answer(0x80); // not locked
        return;
      case COMMAND.READ_OUTPUT:
        this.#answer(this.#outputPort());
        return;
      case COMMAND.WRITE_OUTPUT:
      case COMMAND.WRITE_KBD_BUFFER:
      case COMMAND.WRITE_AUX_BUFFER:
      case COMMAND.WRITE_AUX:
        s.command = value;
        return;
      case COMMAND.A20_OFF:
        s.output &= ~OUTPUT.A20;
        return;
      case COMMAND.A20_ON:
        s.output |= OUTPUT.A20;
        return;
      default: // not a command of this controller
    }
  }

  #readMemory(at: number): number {
    return at === 0 ? this.#s.config : this.#memory[at]!;
  }

  #outputPort(): number {
    const { output, full, from } = this.#s;
    if (!full) return output;
    return output | (from === FROM.AUX ? OUTPUT.AUX_IRQ : OUTPUT.KBD_IRQ);
  }

  #writeOutput(value: number): void {
    const s = this.#s;
    s.output = value | OUTPUT.NOT_RESET;
    if (!(value & OUTPUT.NOT_RESET)) this.#pins.resetPulse();
  }

  /** Pulses the output port's low bits that are 0 in the command; bit 0 is the processor's reset. */
  #pulse(value: number): void {
    if (!(value & OUTPUT.NOT_RESET)) this.#pins.resetPulse();
  }

  #answer(value: number): void {
    this.#s.waiting = value;
  }

  /** Puts the next byte into the output buffer when it is empty: the controller's answer, the keyboard's, the mouse's. */
  #fill(): void {
    const s = this.#s;
    if (s.full) return;
    if (s.waiting >= 0) {
      const { waiting } = s;
      s.waiting = -1;
      this.#put(waiting & 0xff, waiting >= 0x100 ? FROM.AUX : FROM.CONTROLLER);
      return;
    }
    while (!(s.config & CONFIG.KBD_OFF)) {
      const next = this.#keyboard.take();
      if (next === undefined) break;
      if (!(s.config & CONFIG.TRANSLATE)) s.breaking = false;
      else if (next === 0xf0) {
        s.breaking = true;
        continue;
      }
      this.#put(this.#translated(next), FROM.KEYBOARD);
      return;
    }
    if (s.config & CONFIG.AUX_OFF) return;
    const next = this.#aux.take();
    if (next !== undefined) this.#put(next, FROM.AUX);
  }

  #translated(value: number): number {
    const s = this.#s;
    if (!(s.config & CONFIG.TRANSLATE)) return value;
    const code = TRANSLATION[value]! | (s.breaking ? 0x80 : 0);
    s.breaking = false;
    return code;
  }

  #put(value: number, from: number): void {
    const s = this.#s;
    s.data = value;
    s.from = from;
    s.full = true;
    this.#settle();
  }

  #settle(): void {
    const { full, from, config, output } = this.#s;
    this.#pins.keyboardIrq(full && from !== FROM.AUX && (config & CONFIG.KBD_IRQ) !== 0);
    this.#pins.auxIrq(full && from === FROM.AUX && (config & CONFIG.AUX_IRQ) !== 0);
    this.#pins.a20((output & OUTPUT.A20) !== 0);
  }
}
