import type { PhysicalBus, PhysicalRange } from "@mimus/tcg";
import type { Asking } from "./calls.ts";
import { ASK } from "./functions.ts";

/** The physical address space on a vCPU's thread: memory is at hand, all else is asked for. */
export class FarBus implements PhysicalBus {
  readonly #asking: Asking;
  readonly #u8: Uint8Array;
  /** Ranges that were asked for, the last one first. */
  #known: PhysicalRange[] = [];
  #changed: (() => void)[] = [];
  lastFault = false;

  constructor(asking: Asking, buffer: ArrayBufferLike) {
    this.#asking = asking;
    this.#u8 = new Uint8Array(buffer);
  }

  lookup(address: number): PhysicalRange | undefined {
    const known = this.#known;
    for (let n = 0; n < known.length; n++) {
      const range = known[n]!;
      if (address >= range.base && address - range.base < range.size) return range;
    }
    const { answer } = this.#asking;
    if (this.#asking.ask(ASK.lookup, address) === 0) return undefined;
    const range = { base: answer[1]!, size: answer[2]!, ramOffset: answer[3]!, readonly: answer[4] !== 0 };
    known.push(range);
    return range;
  }

  read(address: number, size: number): number {
    const host = this.#memory(address, size, false);
    if (host >= 0) {
      let value = 0;
      for (let n = size - 1; n >= 0; n--) value = value * 256 + this.#u8[host + n]!;
      return value;
    }
    const value = this.#asking.ask(ASK.read, address, size);
    this.lastFault = this.#asking.answer[1] !== 0;
    return value;
  }

  write(address: number, size: number, value: number): void {
    const host = this.#memory(address, size, true);
    if (host >= 0) {
      for (let n = 0; n < size; n++) this.#u8[host + n] = value >>> (8 * n);
      return;
    }
    this.#asking.ask(ASK.write, address, size, value);
    this.lastFault = this.#asking.answer[1] !== 0;
  }

  readWide(address: number, out: Uint32Array): void {
    out[0] = this.#asking.ask(ASK.readWide, address);
    out[1] = this.#asking.answer[2]!;
    this.lastFault = this.#asking.answer[1] !== 0;
  }

  writeWide(address: number, lo: number, hi: number): void {
    this.#asking.ask(ASK.writeWide, address, lo, hi);
    this.lastFault = this.#asking.answer[1] !== 0;
  }

  /** Place of an access in the machine memory, -1: elsewhere. */
  #memory(address: number, size: number, writing: boolean): number {
    const range = this.lookup(address);
    if (range === undefined || range.ramOffset < 0 || (writing && range.readonly)) return -1;
    if (address + size > range.base + range.size) return -1;
    this.lastFault = false;
    return range.ramOffset + (address - range.base);
  }

  /** The devices' thread knows of its own writes. */
  watchCode(): void {}
  onCodeWrite(): void {}

  onChange(fn: () => void): void {
    this.#changed.push(fn);
  }

  /** The address space is not what it was. */
  forget(): void {
    this.#known = [];
    for (const fn of this.#changed) fn();
  }
}
