import type { InputEvent, InputKind, InputSink } from "@mimus/display";
import { BUTTONS } from "@mimus/display";
import { defineState } from "@mimus/machine-core";
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { ByteQueue } from "./byte-queue.ts";
import type { Ps2Device } from "./port.ts";
import { ANSWER } from "./port.ts";

/** Bytes of movements that wait; more movement adds up instead. */
const BUFFER = 16;
/** Movements that add up while nobody reads; more is lost. */
const MOST_MOVED = 0x7fff;
const byte = z.int().min(0).max(0xff);
const moved = z.int().min(-MOST_MOVED).max(MOST_MOVED).default(0);

const State = defineState("ps2-mouse", 1, {
  /** Reports by itself when something happens. */
  reporting: z.boolean().default(false),
  remote: z.boolean().default(false),
  wrap: z.boolean().default(false),
  scaling: z.boolean().default(false),
  resolution: z.int().min(0).max(3).default(2),
  rate: byte.default(100),
  /** 0 plain, 3 with wheel, 4 with wheel and five buttons. */
  id: z.union([z.literal(0), z.literal(3), z.literal(4)]).default(0),
  /** How much of a rate sequence that changes the id has been seen: 0, 1 (200), 2 (200 100), 3 (200 200). */
  knock: z.int().min(0).max(3).default(0),
  command: byte.default(0),
  last: byte.default(0),
  dx: moved,
  dy: moved,
  dz: moved,
  buttons: z.int().min(0).max(31).default(0),
  reported: z.int().min(0).max(31).default(0),
  answers: z.array(byte).max(16).default([]),
  events: z.array(byte).max(BUFFER).default([]),
});

const COMMAND = {
  SCALE_1: 0xe6,
  SCALE_2: 0xe7,
  RESOLUTION: 0xe8,
  STATUS: 0xe9,
  STREAM: 0xea,
  READ: 0xeb,
  WRAP_OFF: 0xec,
  WRAP_ON: 0xee,
  REMOTE: 0xf0,
  IDENTIFY: 0xf2,
  RATE: 0xf3,
  ENABLE: 0xf4,
  DISABLE: 0xf5,
  DEFAULTS: 0xf6,
  RESEND: 0xfe,
  RESET: 0xff,
} as const;

const BIT: Readonly<Record<number, number>> = {
  [BUTTONS["left"]!]: 1,
  [BUTTONS["right"]!]: 2,
  [BUTTONS["middle"]!]: 4,
  [BUTTONS["side"]!]: 8,
  [BUTTONS["extra"]!]: 16,
};

const clamp = (n: number, most: number): number => Math.max(-most, Math.min(most, n));

/**
 * A mouse with wheel and five buttons, for those who knock; a plain one for others.
 * Source: IBM PS/2 Hardware Interface Technical Reference (S84F-9808), "Auxiliary device"; Microsoft, "Mouse and keyboard device
 * class: Intellimouse and Explorer" (identifiers 3 and 4).
 */
export class Ps2Mouse implements Ps2Device, InputSink, Stateful {
  readonly name = "QEMU PS/2 Mouse";
  readonly kinds: readonly InputKind[] = ["relative"];
  onReady: (() => void) | undefined;
  readonly #queue: ByteQueue = new ByteQueue(BUFFER);
  #s = State.parse({});

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, ...this.#queue.save() });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = s;
    this.#queue.load(s);
  }

  get ready(): boolean {
    return this.#queue.length > 0;
  }
  take(): number | undefined {
    const next = this.#queue.take();
    if (next !== undefined) this.#s.last = next;
    // There is room again for what has added up.
    this.#stream();
    return next;
  }

  input(event: InputEvent): void {
    const s = this.#s;
    if (event.type === "move" && event.axis === "x") s.dx = clamp(s.dx + event.by, MOST_MOVED);
    // The mouse counts upwards, the host downwards.
    else if (event.type === "move") s.dy = clamp(s.dy - event.by, MOST_MOVED);
    else if (event.type === "wheel") s.dz = clamp(s.dz - event.by, MOST_MOVED);
    else if (event.type === "button") {
      const bit = BIT[event.code] ?? 0;
      s.buttons = event.down ? s.buttons | bit : s.buttons & ~bit;
    }
  }
  sync(): void {
    const s = this.#s;
    if (!s.reporting) {
      s.dx = s.dy = s.dz = 0;
      return;
    }
    this.#stream();
    if (this.ready) this.onReady?.();
  }

  /** A report of nothing new: the driver of a pointer that has its data elsewhere looks there. */
  nudge(): void {
    const s = this.#s;
    if (!s.reporting || s.remote || this.#queue.room < (s.id === 0 ? 3 : 4)) return;
    this.#queue.event(this.#packet());
    this.onReady?.();
  }

  write(value: number): void {
    const s = this.#s;
    if (s.wrap && value !== COMMAND.WRAP_OFF && value !== COMMAND.RESET) this.#queue.answer(value);
    else if (s.command !== 0) {
      const { command } = s;
      s.command = 0;
      this.#parameter(command, value);
    } else this.#command(value);
    this.onReady?.();
  }

  #command(value: number): void {
    const s = this.#s;
    const q = this.#queue;
    q.answer(ANSWER.ACK);
    switch (value) {
      case COMMAND.SCALE_1:
      case COMMAND.SCALE_2:
        s.scaling = value === COMMAND.SCALE_2;
        break;
      case COMMAND.RESOLUTION:
      case COMMAND.RATE:
        s.command = value;
        break;
      case COMMAND.STATUS:
        q.answerMore(
          (s.remote ? 0x40 : 0) | (s.reporting ? 0x20 : 0) | (s.scaling ? 0x10 : 0) | this.#statusButtons(),
          s.resolution,
          s.rate,
        );
        break;
      case COMMAND.STREAM:
        s.remote = false;
        break;
      case COMMAND.REMOTE:
        s.remote = true;
        break;
      case COMMAND.READ:
        q.answerMore(...this.#packet());
        break;
      case COMMAND.WRAP_OFF:
      case COMMAND.WRAP_ON:
        s.wrap = value === COMMAND.WRAP_ON;
        break;
      case COMMAND.IDENTIFY:
        q.answerMore(s.id);
        break;
      case COMMAND.ENABLE:
      case COMMAND.DISABLE:
        s.reporting = value === COMMAND.ENABLE;
        break;
      case COMMAND.DEFAULTS:
      case COMMAND.RESET:
        this.#defaults(value === COMMAND.RESET);
        q.answer(ANSWER.ACK);
        if (value === COMMAND.RESET) q.answerMore(ANSWER.SELF_TEST, 0);
        break;
      case COMMAND.RESEND:
        q.answer(s.last);
        break;
      default:
        q.answer(ANSWER.RESEND);
    }
  }

  #parameter(command: number, value: number): void {
    const s = this.#s;
    if (command === COMMAND.RESOLUTION) s.resolution = value & 3;
    else {
      s.rate = value;
      if (value === 80 && s.knock === 2) s.id = 3;
      if (value === 80 && s.knock === 3) s.id = 4;
      s.knock = value === 200 ? (s.knock === 1 ? 3 : 1) : value === 100 && s.knock === 1 ? 2 : 0;
    }
    this.#queue.answer(ANSWER.ACK);
  }

  /** In the status the right button is bit 0 and the left bit 2. */
  #statusButtons(): number {
    const { buttons } = this.#s;
    return ((buttons & 1) << 2) | ((buttons & 2) >> 1) | ((buttons & 4) >> 1);
  }

  #defaults(all: boolean): void {
    const s = this.#s;
    s.rate = 100;
    s.resolution = 2;
    s.scaling = s.reporting = s.remote = s.wrap = false;
    s.command = s.knock = 0;
    if (all) s.id = 0;
    s.dx = s.dy = s.dz = 0;
    this.#queue.clear();
  }

  /** Reports what has happened, as long as there is room. */
  #stream(): void {
    const s = this.#s;
    if (!s.reporting || s.remote) return;
    const size = s.id === 0 ? 3 : 4;
    while (s.dx !== 0 || s.dy !== 0 || (s.dz !== 0 && s.id !== 0) || s.buttons !== s.reported) {
      if (this.#queue.room < size) return;
      this.#queue.event(this.#packet());
    }
  }

  /** The next report: at most what its fields hold of what has added up. */
  #packet(): number[] {
    const s = this.#s;
    const dx = clamp(s.dx, 127);
    const dy = clamp(s.dy, 127);
    const dz = clamp(s.dz, s.id === 4 ? 7 : 127);
    s.dx -= dx;
    s.dy -= dy;
    s.dz = s.id === 0 ? 0 : s.dz - dz;
    s.reported = s.buttons;
    const bytes = [(s.buttons & 7) | 8 | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0), dx & 0xff, dy & 0xff];
    if (s.id === 3) bytes.push(dz & 0xff);
    if (s.id === 4) bytes.push((dz & 0x0f) | ((s.buttons & 0x18) << 1));
    return bytes;
  }
}
