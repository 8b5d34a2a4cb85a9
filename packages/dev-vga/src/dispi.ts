import { defineState } from "@mimus/machine-core";
import type { Stateful } from "@mimus/machine-core";
import { z } from "zod";

/** Indices of the registers. Source: Bochs VBE Display API, "The VBE display interface". */
export const DISPI = {
  ID: 0,
  XRES: 1,
  YRES: 2,
  BPP: 3,
  ENABLE: 4,
  BANK: 5,
  VIRT_WIDTH: 6,
  VIRT_HEIGHT: 7,
  X_OFFSET: 8,
  Y_OFFSET: 9,
  MEMORY_64K: 10,
} as const;

/** Bits of the enable register. */
export const ENABLE = { ON: 0x01, CAPABILITIES: 0x02, DAC_8BIT: 0x20, LFB: 0x40, KEEP: 0x80 } as const;

const FIRST_ID = 0xb0c0;
const LAST_ID = 0xb0c5;
const REGISTERS = 11;
/** Largest mode. Source: Bochs VBE Display API, as QEMU's device reports it. */
const MOST = { x: 16000, y: 12000, bpp: 32 } as const;
const DEPTHS: readonly number[] = [4, 8, 15, 16, 24, 32];

const u16 = z.int().min(0).max(0xffff);
const State = defineState("bochs-dispi", 1, {
  index: u16.default(0),
  regs: z.array(u16).length(REGISTERS).default([LAST_ID, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
});

/** How the screen's pixels lie in memory. */
export interface LinearMode {
  readonly width: number;
  readonly height: number;
  /** 4 (planar), 8, 15, 16, 24 or 32. */
  readonly bpp: number;
  /** First byte of the picture in memory. */
  readonly start: number;
  /** Bytes from one line to the next. */
  readonly stride: number;
}

/** Called when registers change. */
export interface DispiEvents {
  /** The mode began or ended: clear memory unless told not to. */
  switched(on: boolean, clear: boolean): void;
  changed(): void;
  windowChanged(): void;
}

/** The display interface of Bochs: eleven 16-bit registers that set any mode. Source: Bochs VBE Display API 0.6. */
export class Dispi implements Stateful {
  readonly #memory: number;
  readonly #events: DispiEvents;
  #s = State.parse({});

  /** `memory`: bytes of video memory. */
  constructor(memory: number, events: DispiEvents) {
    this.#memory = memory;
    this.#events = events;
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#fit();
    this.#events.changed();
    this.#events.windowChanged();
  }

  get on(): boolean {
    return (this.#r(DISPI.ENABLE) & ENABLE.ON) !== 0;
  }
  get dac8(): boolean {
    return (this.#r(DISPI.ENABLE) & ENABLE.DAC_8BIT) !== 0;
  }
  /** Bytes before the window at A0000h. */
  get bank(): number {
    return this.on ? this.#r(DISPI.BANK) << 16 : 0;
  }

  /** The mode, while the interface is on and what is programmed fits into memory. */
  get mode(): LinearMode | undefined {
    if (!this.on) return undefined;
    const [width, height, bpp] = [this.#r(DISPI.XRES), this.#r(DISPI.YRES), this.#r(DISPI.BPP)];
    const stride = this.#stride();
    if (width === 0 || height === 0 || stride === 0) return undefined;
    return { width, height, bpp, start: this.#start(), stride };
  }

  /** First byte of the picture. */
  #start(): number {
    const bpp = this.#r(DISPI.BPP);
    const x = this.#r(DISPI.X_OFFSET);
    const across = bpp === 4 ? (x >> 3) * 4 : bpp === 15 ? x * 2 : x * (bpp >> 3);
    return across + this.#r(DISPI.Y_OFFSET) * this.#stride();
  }

  readIndex(): number {
    return this.#s.index;
  }
  writeIndex(value: number): void {
    this.#s.index = value & 0xffff;
  }
  readData(index: number = this.#s.index): number {
    if (index === DISPI.MEMORY_64K) return this.#memory >>> 16;
    if (index >= REGISTERS) return 0;
    if (this.#r(DISPI.ENABLE) & ENABLE.CAPABILITIES) {
      if (index === DISPI.XRES) return MOST.x;
      if (index === DISPI.YRES) return MOST.y;
      if (index === DISPI.BPP) return MOST.bpp;
    }
    return this.#r(index);
  }

  writeData(value: number, index: number = this.#s.index): void {
    const { regs } = this.#s;
    const written = value & 0xffff;
    switch (index) {
      case DISPI.ID:
        if (written >= FIRST_ID && written <= LAST_ID) regs[index] = written;
        return;
      case DISPI.XRES:
      case DISPI.YRES:
      case DISPI.BPP:
      case DISPI.VIRT_WIDTH:
      case DISPI.X_OFFSET:
      case DISPI.Y_OFFSET:
        regs[index] = written;
        this.#fit();
        this.#events.changed();
        return;
      case DISPI.BANK:
        regs[index] = written % Math.max(1, this.#memory >>> 16);
        this.#events.windowChanged();
        return;
      case DISPI.ENABLE:
        this.#enable(written);
        return;
      default: // the height of the virtual screen and the size of memory follow from the others
    }
  }

  #r(index: number): number {
    return this.#s.regs[index]!;
  }

  #enable(value: number): void {
    const { regs } = this.#s;
    const was = this.on;
    const on = (value & ENABLE.ON) !== 0;
    regs[DISPI.ENABLE] = value & 0xff;
    if (on && !was) {
      regs[DISPI.VIRT_WIDTH] = regs[DISPI.X_OFFSET] = regs[DISPI.Y_OFFSET] = 0;
      this.#fit();
    }
    if (on !== was) this.#events.switched(on, on && !(value & ENABLE.KEEP));
    this.#events.changed();
    this.#events.windowChanged();
  }

  /** Bytes of a line of the virtual screen. */
  #stride(): number {
    const width = this.#r(DISPI.VIRT_WIDTH);
    const bpp = this.#r(DISPI.BPP);
    return bpp === 4 ? width >> 1 : bpp === 15 ? width * 2 : width * (bpp >> 3);
  }

  /** Brings what is programmed into what the memory holds, while the interface is on. */
  #fit(): void {
    if (!this.on) return;
    const { regs } = this.#s;
    if (!DEPTHS.includes(regs[DISPI.BPP]!)) regs[DISPI.BPP] = 8;
    regs[DISPI.XRES] = Math.min(Math.max(regs[DISPI.XRES]! & ~7, 8), MOST.x);
    regs[DISPI.VIRT_WIDTH] = Math.min(Math.max(regs[DISPI.VIRT_WIDTH]! & ~7, regs[DISPI.XRES]!), MOST.x);
    let lines = Math.floor(this.#memory / this.#stride());
    if (lines < regs[DISPI.YRES]!) {
      regs[DISPI.VIRT_WIDTH] = regs[DISPI.XRES]!;
      lines = Math.floor(this.#memory / this.#stride());
    }
    regs[DISPI.YRES] = Math.min(Math.max(regs[DISPI.YRES]!, 1), MOST.y, lines);
    regs[DISPI.VIRT_HEIGHT] = lines & 0xffff;
    // The picture may begin anywhere from which all of it is in memory: a line may go on in the next.
    const room = this.#memory - regs[DISPI.YRES]! * this.#stride();
    if (this.#start() > room) regs[DISPI.Y_OFFSET] = 0;
    if (this.#start() > room) regs[DISPI.X_OFFSET] = 0;
  }
}
