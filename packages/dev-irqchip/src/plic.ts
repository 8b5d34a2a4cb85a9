import { z } from "zod";
import type { Registers, Stateful } from "@mimus/machine-core";

/** Where the register groups of a PLIC are; all in bytes from its base. */
export interface PlicLayout {
  /** Number of source ids including the reserved id 0. */
  readonly sources: number;
  /** Number of contexts (hart and privilege level). */
  readonly contexts: number;
  /** Highest priority; one less than a power of two makes writes wrap instead of being refused. */
  readonly priorities: number;
  readonly priorityBase: number;
  readonly pendingBase: number;
  readonly enableBase: number;
  readonly enableStride: number;
  readonly contextBase: number;
  readonly contextStride: number;
}

/**
 * RISC-V platform-level interrupt controller.
 * Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.0, chapters 3 to 9.
 */
export class Plic implements Registers, Stateful {
  readonly #l: PlicLayout;
  readonly #words: number;
  readonly #output: (context: number, level: boolean) => void;
  readonly #guestError: (message: string) => void;
  readonly #schema: z.ZodType<Saved>;
  readonly #priority: Uint32Array;
  readonly #level: Uint32Array;
  readonly #pending: Uint32Array;
  readonly #claimed: Uint32Array;
  readonly #enable: Uint32Array;
  readonly #threshold: Uint32Array;

  constructor(
    layout: PlicLayout,
    output: (context: number, level: boolean) => void,
    guestError: (message: string) => void,
  ) {
    this.#l = layout;
    this.#output = output;
    this.#guestError = guestError;
    this.#words = Math.ceil(layout.sources / 32);
    this.#priority = new Uint32Array(layout.sources);
    this.#level = new Uint32Array(this.#words);
    this.#pending = new Uint32Array(this.#words);
    this.#claimed = new Uint32Array(this.#words);
    this.#enable = new Uint32Array(this.#words * layout.contexts);
    this.#threshold = new Uint32Array(layout.contexts);
    this.#schema = savedSchema(layout, this.#words);
  }

  reset(): void {
    // The lines keep their level: it belongs to the sources.
    for (const array of [this.#priority, this.#pending, this.#claimed, this.#enable, this.#threshold]) array.fill(0);
    this.#pending.set(this.#level);
    this.#settle();
  }

  save(): unknown {
    const copy = (a: Uint32Array): number[] => [...a];
    return {
      priority: copy(this.#priority),
      level: copy(this.#level),
      pending: copy(this.#pending),
      claimed: copy(this.#claimed),
      enable: copy(this.#enable),
      threshold: copy(this.#threshold),
    } satisfies Saved;
  }

  load(raw: unknown): void {
    const s = this.#schema.parse(raw);
    this.#priority.set(s.priority);
    this.#level.set(s.level);
    this.#pending.set(s.pending);
    this.#claimed.set(s.claimed);
    this.#enable.set(s.enable);
    this.#threshold.set(s.threshold);
    this.#settle();
  }

  /** A source's level. The gateway passes one request on, then waits for its completion. */
  input(source: number, level: boolean): void {
    if (source <= 0 || source >= this.#l.sources) return;
    const word = source >>> 5;
    const bit = (1 << (source & 31)) >>> 0;
    const levels = this.#level[word] as number;
    this.#level[word] = level ? levels | bit : levels & ~bit;
    if (level && !((this.#claimed[word] as number) & bit)) {
      this.#pending[word] = (this.#pending[word] as number) | bit;
      this.#settle();
    }
  }

  read(offset: number, _size: number): number {
    const l = this.#l;
    const context = this.#contextAt(offset);
    if (context >= 0) {
      const register = offset - l.contextBase - context * l.contextStride;
      if (register === 0) return this.#threshold[context] as number;
      if (register === 4) return this.#claim(context);
    } else {
      const enable = this.#enableAt(offset);
      if (enable >= 0) return this.#enable[enable] as number;
      const pending = (offset - l.pendingBase) >> 2;
      if (offset >= l.pendingBase && pending < this.#words) return this.#pending[pending] as number;
      const source = this.#sourceAt(offset);
      if (source >= 0) return this.#priority[source] as number;
    }
    this.#guestError(`read of unknown PLIC register 0x${offset.toString(16)}`);
    return 0;
  }

  write(offset: number, _size: number, value: number): void {
    const l = this.#l;
    const context = this.#contextAt(offset);
    if (context >= 0) {
      const register = offset - l.contextBase - context * l.contextStride;
      if (register === 0) return this.#setLevel(this.#threshold, context, value);
      if (register === 4) return this.#complete(context, value);
    } else {
      const enable = this.#enableAt(offset);
      if (enable >= 0) {
        this.#enable[enable] = (value & this.#validMask(enable % this.#words)) >>> 0;
        return this.#settle();
      }
      if (offset >= l.pendingBase && offset < l.pendingBase + this.#words * 4) {
        return this.#guestError("write to the read-only PLIC pending bits");
      }
      const source = this.#sourceAt(offset);
      if (source > 0) return this.#setLevel(this.#priority, source, value);
    }
    this.#guestError(`write of unknown PLIC register 0x${offset.toString(16)}`);
  }

  /** WARL: a value above the highest priority keeps its low bits, or the old value when the range is not a power of two. */
  #setLevel(array: Uint32Array, index: number, value: number): void {
    const top = this.#l.priorities;
    if ((top & (top + 1)) === 0) array[index] = value & top;
    else if (value <= top) array[index] = value;
    this.#settle();
  }

  #contextAt(offset: number): number {
    const l = this.#l;
    if (offset < l.contextBase) return -1;
    const context = Math.floor((offset - l.contextBase) / l.contextStride);
    return context < l.contexts ? context : -1;
  }

  #enableAt(offset: number): number {
    const l = this.#l;
    if (offset < l.enableBase) return -1;
    const context = Math.floor((offset - l.enableBase) / l.enableStride);
    const word = ((offset - l.enableBase) % l.enableStride) >> 2;
    return context < l.contexts && word < this.#words ? context * this.#words + word : -1;
  }

  /** Priority registers are one per source from id 1 on when the base is 4, or from id 0 on when it is 0. */
  #sourceAt(offset: number): number {
    const l = this.#l;
    const first = l.priorityBase === 0 ? 0 : 1;
    const source = ((offset - l.priorityBase) >> 2) + first;
    return offset >= l.priorityBase && source < l.sources ? source : -1;
  }

  #validMask(word: number): number {
    const beyond = this.#l.sources - word * 32;
    const mask = beyond >= 32 ? 0xffffffff : 2 ** beyond - 1;
    return word === 0 ? mask & ~1 : mask;
  }

  /** The enabled pending source of the highest priority above `floor`; the lowest id wins a tie. 0: none. */
  #best(context: number, floor: number): number {
    let best = 0;
    let bestPriority = floor;
    for (let word = 0; word < this.#words; word++) {
      let bits = (this.#pending[word] as number) & (this.#enable[context * this.#words + word] as number);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        const source = word * 32 + bit;
        const priority = this.#priority[source] as number;
        if (priority > bestPriority) {
          best = source;
          bestPriority = priority;
        }
        bits &= bits - 1;
      }
    }
    return best;
  }

  /** Claiming is not affected by the threshold (chapter 8). */
  #claim(context: number): number {
    const source = this.#best(context, 0);
    if (source !== 0) {
      const word = source >>> 5;
      const bit = 1 << (source & 31);
      this.#pending[word] = (this.#pending[word] as number) & ~bit;
      this.#claimed[word] = (this.#claimed[word] as number) | bit;
      this.#settle();
    }
    return source;
  }

  /** A completion of a source that is not enabled for the context is ignored (chapter 9). */
  #complete(context: number, source: number): void {
    if (source === 0 || source >= this.#l.sources) return this.#guestError(`completion of unknown interrupt ${source}`);
    const word = source >>> 5;
    const bit = 1 << (source & 31);
    if (!((this.#enable[context * this.#words + word] as number) & bit)) return;
    this.#claimed[word] = (this.#claimed[word] as number) & ~bit;
    if ((this.#level[word] as number) & bit) this.#pending[word] = (this.#pending[word] as number) | bit;
    this.#settle();
  }

  #settle(): void {
    for (let context = 0; context < this.#l.contexts; context++) {
      this.#output(context, this.#best(context, this.#threshold[context] as number) !== 0);
    }
  }
}

interface Saved {
  priority: number[];
  level: number[];
  pending: number[];
  claimed: number[];
  enable: number[];
  threshold: number[];
}

function savedSchema(l: PlicLayout, words: number): z.ZodType<Saved> {
  const array = (length: number, max = 0xffffffff): z.ZodType<number[]> => z.array(z.uint32().max(max)).length(length);
  return z
    .strictObject({
      priority: array(l.sources, l.priorities),
      level: array(words),
      pending: array(words),
      claimed: array(words),
      enable: array(words * l.contexts),
      threshold: array(l.contexts, l.priorities),
    })
    .meta({ id: "plic", version: 1 });
}
