import { type AddressSpace, defineState, type Registers, stateBytes, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

const REG = {
  ID: 0x00,
  ALIVE: 0x04,
  FACTORIAL: 0x08,
  STATUS: 0x20,
  IRQ_STATUS: 0x24,
  IRQ_RAISE: 0x60,
  IRQ_ACK: 0x64,
  DMA_SOURCE: 0x80,
  DMA_TARGET: 0x88,
  DMA_COUNT: 0x90,
  DMA_COMMAND: 0x98,
} as const;
const ID = 0x0100_00ed;
/** Where the device's own memory is, as DMA names it. */
const BUFFER = 0x4_0000;
const BUFFER_SIZE = 4096;
const IRQ_FACTORIAL = 0x0001;
const IRQ_DMA = 0x0100;
const START = 1;
const TO_MEMORY = 2;
const INTERRUPT = 4;
/** Nanoseconds that a transfer takes. */
const DMA_NS = 100e6;
/** From here on a factorial has 32 zero bits. */
const FACTORIAL_END = 34;

const u32 = z.uint32().default(0);
const State = defineState("edu", 1, {
  alive: u32,
  factorial: u32,
  status: u32,
  irq: u32,
  source: z.array(z.uint32()).length(2).default([0, 0]),
  target: z.array(z.uint32()).length(2).default([0, 0]),
  count: z.array(z.uint32()).length(2).default([0, 0]),
  command: z.int().min(0).max(7).default(0),
  /** Virtual time at which the transfer ends, ns; -1: there is none. */
  ends: z.number().min(-1).max(Number.MAX_SAFE_INTEGER).default(-1),
  buffer: stateBytes(BUFFER_SIZE, true).default(() => new Uint8Array(BUFFER_SIZE)),
});
type State = z.infer<typeof State>;

/** What an {@link Edu} is wired to. */
export interface EduPins {
  now(): number;
  arm(deadlineNs: number | undefined): void;
  /** Level of the interrupt, and whether it has just been raised. */
  irq(level: boolean, raised: boolean): void;
  readonly dma: AddressSpace;
  /** Address bits that DMA can use. */
  readonly mask: number;
  guestError(message: string): void;
}

/** A device to learn driver writing with: a factorial, an interrupt, DMA. Source: QEMU documentation, docs/specs/edu. */
export class Edu implements Registers, Stateful {
  readonly #pins: EduPins;
  #s: State = State.parse({});

  constructor(pins: EduPins) {
    this.#pins = pins;
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, buffer: this.#s.buffer.slice() });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = { ...s, buffer: s.buffer.slice(), source: [...s.source], target: [...s.target], count: [...s.count] };
    this.#pins.irq(s.irq !== 0, false);
    this.#pins.arm(s.ends < 0 ? undefined : s.ends);
  }

  read(offset: number, size: number): number {
    const s = this.#s;
    if (size !== 4) return 2 ** (8 * size) - 1;
    switch (offset) {
      case REG.ID:
        return ID;
      case REG.ALIVE:
        return s.alive;
      case REG.FACTORIAL:
        return s.factorial;
      case REG.STATUS:
        return s.status;
      case REG.IRQ_STATUS:
        return s.irq;
      case REG.DMA_COMMAND:
        return s.command;
      default:
        return this.#address(offset)?.[(offset >> 2) & 1] ?? 0xffff_ffff;
    }
  }

  write(offset: number, size: number, value: number): void {
    const s = this.#s;
    if (size !== 4) return;
    switch (offset) {
      case REG.ALIVE:
        s.alive = ~value >>> 0;
        break;
      case REG.FACTORIAL:
        s.factorial = factorial(value);
        if ((s.status & 0x80) !== 0) this.#raise(IRQ_FACTORIAL);
        break;
      case REG.STATUS:
        s.status = value & 0x80;
        break;
      case REG.IRQ_RAISE:
        this.#raise(value);
        break;
      case REG.IRQ_ACK:
        s.irq = (s.irq & ~value) >>> 0;
        if (s.irq === 0) this.#pins.irq(false, false);
        break;
      case REG.DMA_COMMAND:
        if (s.ends >= 0 || (value & START) === 0) break;
        s.command = value & (START | TO_MEMORY | INTERRUPT);
        s.ends = this.#pins.now() + DMA_NS;
        this.#pins.arm(s.ends);
        break;
      default: {
        const register = s.ends < 0 ? this.#address(offset) : undefined;
        if (register !== undefined) register[(offset >> 2) & 1] = value;
      }
    }
  }

  /** The armed time has come: the transfer happens. */
  expire(): void {
    const s = this.#s;
    if (s.ends < 0) return;
    s.ends = -1;
    this.#transfer((s.command & TO_MEMORY) !== 0);
    const interrupts = (s.command & INTERRUPT) !== 0;
    s.command &= ~START;
    if (interrupts) this.#raise(IRQ_DMA);
  }

  #address(offset: number): number[] | undefined {
    const s = this.#s;
    const at = offset & ~4;
    return at === REG.DMA_SOURCE
      ? s.source
      : at === REG.DMA_TARGET
        ? s.target
        : at === REG.DMA_COUNT
          ? s.count
          : undefined;
  }

  #transfer(toMemory: boolean): void {
    const s = this.#s;
    const number = ([lo, hi]: readonly number[]): number => hi! * 2 ** 32 + lo!;
    const own = number(toMemory ? s.source : s.target) - BUFFER;
    const count = number(s.count);
    const { mask } = this.#pins;
    const there = number(toMemory ? s.target : s.source) % (mask + 1);
    if (own < 0 || own + count > BUFFER_SIZE) {
      this.#pins.guestError(`DMA of ${count} bytes at 0x${(own + BUFFER).toString(16)} leaves the device's memory`);
      return;
    }
    const piece = s.buffer.subarray(own, own + count);
    if (toMemory) this.#pins.dma.writeBytes(there, piece);
    else this.#pins.dma.readBytes(there, piece);
  }

  #raise(bits: number): void {
    this.#s.irq = (this.#s.irq | bits) >>> 0;
    if (this.#s.irq !== 0) this.#pins.irq(true, true);
  }
}

/** Factorial modulo 2^32. */
function factorial(n: number): number {
  if (n >= FACTORIAL_END) return 0;
  let product = 1;
  for (let i = 2; i <= n; i++) product = Math.imul(product, i);
  return product >>> 0;
}
