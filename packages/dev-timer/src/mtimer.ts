import { z } from "zod";
import type { Registers, Stateful } from "@mimus/machine-core";
import { Halves, TickRate } from "./ticks.ts";

const U32 = 2 ** 32;
/** Deadlines beyond this many nanoseconds are never reached (292 years would not fit anyway). */
const NEVER = Number.MAX_SAFE_INTEGER;

/** What a {@link MTimer} is wired to. */
export interface MTimerPins {
  /** Now on the virtual clock, ns. */
  now(): number;
  /** Waits out a virtual time that is all but reached; true when it has been. */
  soon?(deadlineNs: number): boolean;
  /** Machine timer interrupt of a hart. */
  output(hart: number, level: boolean): void;
  /** Call {@link MTimer.expire} for the hart at this virtual time, ns; `undefined` cancels. */
  arm(hart: number, deadlineNs: number | undefined): void;
  guestError(message: string): void;
}

/** Where the registers are, bytes from the device's base. */
export interface MTimerLayout {
  readonly harts: number;
  readonly frequency: number;
  readonly timecmpBase: number;
  readonly timeBase: number;
}

/**
 * Machine-level timer of the RISC-V ACLINT, and of the SiFive CLINT that it was taken from.
 * Source: RISC-V Advanced Core Local Interruptor Specification 1.0-rc4, chapter 2.
 */
export class MTimer implements Registers, Stateful {
  readonly #l: MTimerLayout;
  readonly #pins: MTimerPins;
  readonly #rate: TickRate;
  /** mtimecmp per hart: low half, high half. */
  readonly #compare: Uint32Array;
  /** Written minus counted time, modulo 2^64. */
  readonly #delta: Halves = new Halves();
  readonly #time: Halves = new Halves();
  /** The virtual time that `#time` shows mtime of; -1 when it shows something else. */
  #shown = -1;
  readonly #schema: z.ZodType<Saved>;
  /** Called when mtime was set: whoever computed a deadline from it has to do so again. */
  onJump: (() => void) | undefined;

  constructor(layout: MTimerLayout, pins: MTimerPins) {
    this.#l = layout;
    this.#pins = pins;
    this.#rate = new TickRate(layout.frequency);
    this.#compare = new Uint32Array(2 * layout.harts).fill(0xffffffff);
    this.#schema = z
      .strictObject({
        compare: z.array(z.uint32()).length(2 * layout.harts),
        delta: z.tuple([z.uint32(), z.uint32()]),
      })
      .meta({ id: "aclint-mtimer", version: 1 });
  }

  /** The specification leaves mtimecmp undefined after reset; all ones keeps the interrupt away. mtime starts at 0. */
  reset(): void {
    this.#compare.fill(0xffffffff);
    this.#shown = -1;
    this.#time.setNumber(this.#rate.ticksAt(this.#pins.now()));
    this.#delta.set(0, 0);
    this.#delta.sub(this.#time.lo, this.#time.hi);
    this.#jumped();
  }

  save(): unknown {
    return { compare: [...this.#compare], delta: [this.#delta.lo, this.#delta.hi] } satisfies Saved;
  }

  load(raw: unknown): void {
    const s = this.#schema.parse(raw);
    this.#compare.set(s.compare);
    this.#delta.set(s.delta[0], s.delta[1]);
    this.#shown = -1;
    this.#jumped();
  }

  /** mtime now, into `out`: low half, high half. Also what `rdtime` reads. */
  time(out: Uint32Array): void {
    const t = this.#now();
    out[0] = t.lo;
    out[1] = t.hi;
  }

  /** The virtual time (ns) at which mtime reaches `lo`,`hi`; `undefined` when it has, Infinity when it never will. */
  deadline(lo: number, hi: number): number | undefined {
    const now = this.#pins.now();
    const ticks = this.#rate.ticksAt(now);
    this.#shown = now;
    const t = this.#at(ticks);
    if (t.atLeast(lo, hi)) return undefined;
    const left = (hi - t.hi) * U32 + (lo - t.lo);
    const ns = this.#rate.nsOf(ticks + left);
    return ns < NEVER ? ns : Infinity;
  }

  /** Compares a hart's mtimecmp with the time: the line follows, and the next moment to look is armed. */
  expire(hart: number): void {
    const lo = this.#compare[2 * hart] as number;
    const hi = this.#compare[2 * hart + 1] as number;
    let deadline = this.deadline(lo, hi);
    if (deadline !== undefined && this.#pins.soon?.(deadline) === true) deadline = undefined;
    this.#pins.arm(hart, deadline === Infinity ? undefined : deadline);
    this.#pins.output(hart, deadline === undefined);
  }

  read(offset: number, _size: number): number {
    const time = offset - this.#l.timeBase;
    if (time === 0) return this.#now().lo;
    const word = this.#wordAt(offset);
    if (word >= 0) return this.#compare[word] as number;
    if (time === 4) return this.#now().hi;
    this.#pins.guestError(`read of unknown timer register 0x${offset.toString(16)}`);
    return 0;
  }

  write(offset: number, _size: number, value: number): void {
    const word = this.#wordAt(offset);
    if (word >= 0) {
      this.#compare[word] = value;
      return this.expire(word >> 1);
    }
    const time = offset - this.#l.timeBase;
    const t = this.#now();
    if (time === 0) this.#setTime(value, t.hi);
    else if (time === 4) this.#setTime(t.lo, value);
    else this.#pins.guestError(`write of unknown timer register 0x${offset.toString(16)}`);
  }

  readWide(offset: number, out: Uint32Array): void {
    if (offset === this.#l.timeBase) return this.time(out);
    out[0] = this.read(offset, 4);
    out[1] = this.read(offset + 4, 4);
  }

  writeWide(offset: number, lo: number, hi: number): void {
    const word = this.#wordAt(offset);
    if (word >= 0 && word % 2 === 0) {
      this.#compare[word] = lo;
      this.#compare[word + 1] = hi;
      this.expire(word >> 1);
    } else if (offset === this.#l.timeBase) this.#setTime(lo, hi);
    else this.#pins.guestError(`write of unknown timer register 0x${offset.toString(16)}`);
  }

  #jumped(): void {
    for (let hart = 0; hart < this.#l.harts; hart++) this.expire(hart);
    this.onJump?.();
  }

  #wordAt(offset: number): number {
    const word = (offset - this.#l.timecmpBase) >> 2;
    return offset >= this.#l.timecmpBase && word < 2 * this.#l.harts ? word : -1;
  }

  #now(): Halves {
    const now = this.#pins.now();
    if (now === this.#shown) return this.#time;
    this.#shown = now;
    return this.#at(this.#rate.ticksAt(now));
  }

  #at(ticks: number): Halves {
    const t = this.#time;
    t.setNumber(ticks);
    t.add(this.#delta.lo, this.#delta.hi);
    return t;
  }

  #setTime(lo: number, hi: number): void {
    this.#shown = -1;
    this.#time.setNumber(this.#rate.ticksAt(this.#pins.now()));
    this.#delta.set(lo, hi);
    this.#delta.sub(this.#time.lo, this.#time.hi);
    this.#jumped();
  }
}

interface Saved {
  compare: number[];
  delta: [number, number];
}
