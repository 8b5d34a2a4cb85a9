import type { InputEvent, InputKind, InputSink } from "@mimus/display";
import { defineState, stateBytes } from "@mimus/machine-core";
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { ByteQueue } from "./byte-queue.ts";
import type { Ps2Device } from "./port.ts";
import { ANSWER } from "./port.ts";
import { KEY, scanBytes, set3Code } from "./scancodes.ts";

/** Bytes that the keyboard buffers. Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard", "Keyboard buffer". */
const BUFFER = 16;
const byte = z.int().min(0).max(0xff);

const State = defineState("ps2-kbd", 1, {
  scanning: z.boolean().default(true),
  set: z.int().min(1).max(3).default(2),
  leds: z.int().min(0).max(7).default(0),
  rate: z.int().min(0).max(0x7f).default(0x2b),
  /** The command whose parameter is awaited; 0 for none. */
  command: byte.default(0),
  /** The last byte sent, for Resend. */
  last: byte.default(0),
  shift: z.int().min(0).max(3).default(0),
  ctrl: z.int().min(0).max(3).default(0),
  alt: z.int().min(0).max(3).default(0),
  /** Of set 3, per code: bit 0 sends break codes. */
  types: stateBytes(256, true).optional(),
  answers: z.array(byte).max(16).default([]),
  events: z.array(byte).max(BUFFER).default([]),
});

const COMMAND = {
  LEDS: 0xed,
  ECHO: 0xee,
  SCAN_SET: 0xf0,
  IDENTIFY: 0xf2,
  RATE: 0xf3,
  ENABLE: 0xf4,
  DISABLE: 0xf5,
  DEFAULTS: 0xf6,
  ALL_TYPEMATIC: 0xf7,
  ALL_MAKE_BREAK: 0xf8,
  ALL_MAKE: 0xf9,
  ALL_TYPEMATIC_MAKE_BREAK: 0xfa,
  KEY_TYPEMATIC: 0xfb,
  KEY_MAKE_BREAK: 0xfc,
  KEY_MAKE: 0xfd,
  RESEND: 0xfe,
  RESET: 0xff,
} as const;

/** Keys of set 3 that send break codes at power-on: the shifts, control, alt, and the typematic ones do not. */
const BREAKING: readonly number[] = [0x11, 0x12, 0x14, 0x19, 0x59];

/**
 * A 101/102-key keyboard with the three scan code sets. A key that is held repeats as often as the host says that it goes down.
 * Source: IBM PS/2 Hardware Interface Technical Reference (S84F-9808), "Keyboard (101- and 102-key)".
 */
export class Ps2Keyboard implements Ps2Device, InputSink, Stateful {
  readonly name = "QEMU PS/2 Keyboard";
  readonly kinds: readonly InputKind[] = ["keys"];
  onReady: (() => void) | undefined;
  /** Called when the guest sets the lights: bit 0 scroll, 1 num, 2 caps. */
  onLeds: ((leds: number) => void) | undefined;
  readonly #queue: ByteQueue = new ByteQueue(BUFFER);
  #s = State.parse({});
  readonly #types: Uint8Array = new Uint8Array(256);

  constructor() {
    this.#defaults();
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, types: this.#types.slice(), ...this.#queue.save() });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = s;
    this.#queue.load(s);
    this.#defaultTypes();
    if (s.types !== undefined) this.#types.set(s.types);
  }

  get ready(): boolean {
    return this.#queue.length > 0;
  }
  /** The lights: bit 0 scroll, 1 num, 2 caps. */
  get leds(): number {
    return this.#s.leds;
  }

  take(): number | undefined {
    const next = this.#queue.take();
    if (next !== undefined) this.#s.last = next;
    return next;
  }

  input(event: InputEvent): void {
    if (event.type !== "key") return;
    const { code, down } = event;
    this.#modifier(code, down);
    if (!this.#s.scanning) return;
    const bytes = this.#bytes(code, down);
    if (bytes.length === 0) return;
    // A full buffer drops the key, and remembers that in its last place.
    if (!this.#queue.event(bytes) && this.#queue.room > 0)
      this.#queue.event(Array.from({ length: this.#queue.room }, () => (this.#s.set === 1 ? 0xff : 0x00)));
    this.onReady?.();
  }
  sync(): void {}

  write(value: number): void {
    const s = this.#s;
    const { command } = s;
    s.command = 0;
    if (command !== 0 && value < 0xed) this.#parameter(command, value);
    else this.#command(value);
    this.onReady?.();
  }

  #bytes(code: number, down: boolean): readonly number[] {
    const { set, shift, ctrl, alt } = this.#s;
    if (set !== 3) return scanBytes(set as 1 | 2, code, down, { shift: shift !== 0, ctrl: ctrl !== 0, alt: alt !== 0 });
    const one = set3Code(code);
    if (one === 0) return [];
    if (down) return [one];
    return this.#types[one] === 1 ? [0xf0, one] : [];
  }

  #modifier(code: number, down: boolean): void {
    const s = this.#s;
    const put = (was: number, bit: number): number => (down ? was | bit : was & ~bit);
    if (code === KEY.SHIFT) s.shift = put(s.shift, 1);
    else if (code === KEY.SHIFT_R) s.shift = put(s.shift, 2);
    else if (code === KEY.CTRL) s.ctrl = put(s.ctrl, 1);
    else if (code === KEY.CTRL_R) s.ctrl = put(s.ctrl, 2);
    else if (code === KEY.ALT) s.alt = put(s.alt, 1);
    else if (code === KEY.ALT_R) s.alt = put(s.alt, 2);
  }

  #command(value: number): void {
    const s = this.#s;
    const q = this.#queue;
    switch (value) {
      case COMMAND.LEDS:
      case COMMAND.SCAN_SET:
      case COMMAND.RATE:
      case COMMAND.KEY_TYPEMATIC:
      case COMMAND.KEY_MAKE_BREAK:
      case COMMAND.KEY_MAKE:
        s.command = value;
        q.answer(ANSWER.ACK);
        return;
      case COMMAND.ECHO:
        q.answer(ANSWER.ECHO);
        return;
      case COMMAND.IDENTIFY:
        q.answer(ANSWER.ACK, 0xab, 0x83);
        return;
      case COMMAND.ENABLE:
        q.clear();
        s.scanning = true;
        q.answer(ANSWER.ACK);
        return;
      case COMMAND.DISABLE:
      case COMMAND.DEFAULTS:
        q.clear();
        this.#defaults();
        s.scanning = value === COMMAND.DEFAULTS;
        q.answer(ANSWER.ACK);
        return;
      case COMMAND.ALL_TYPEMATIC:
      case COMMAND.ALL_MAKE:
        this.#types.fill(0);
        q.answer(ANSWER.ACK);
        return;
      case COMMAND.ALL_MAKE_BREAK:
      case COMMAND.ALL_TYPEMATIC_MAKE_BREAK:
        this.#types.fill(1);
        q.answer(ANSWER.ACK);
        return;
      case COMMAND.RESEND:
        q.answer(s.last);
        return;
      case COMMAND.RESET:
        q.clear();
        this.#defaults();
        s.scanning = true;
        q.answer(ANSWER.ACK, ANSWER.SELF_TEST);
        return;
      default:
        q.answer(ANSWER.RESEND);
    }
  }

  #parameter(command: number, value: number): void {
    const s = this.#s;
    const q = this.#queue;
    switch (command) {
      case COMMAND.LEDS:
        s.leds = value & 7;
        q.answer(ANSWER.ACK);
        this.onLeds?.(s.leds);
        return;
      case COMMAND.RATE:
        s.rate = value & 0x7f;
        q.answer(ANSWER.ACK);
        return;
      case COMMAND.SCAN_SET:
        if (value === 0) q.answer(ANSWER.ACK, s.set);
        else if (value <= 3) {
          s.set = value;
          q.clear();
          q.answer(ANSWER.ACK);
        } else q.answer(ANSWER.RESEND);
        return;
      default:
        // Keys of set 3; more may follow until a command comes.
        this.#types[value] = command === COMMAND.KEY_MAKE_BREAK ? 1 : 0;
        s.command = command;
        q.answer(ANSWER.ACK);
    }
  }

  #defaults(): void {
    const s = this.#s;
    s.leds = 0;
    s.rate = 0x2b;
    s.set = 2;
    this.#defaultTypes();
    this.onLeds?.(0);
  }

  #defaultTypes(): void {
    this.#types.fill(0);
    for (const code of BREAKING) this.#types[code] = 1;
  }
}
