/** Accesses to what is not RAM, by the physical bus: of any size and alignment. */
import type { PhysicalBus } from "./contract.ts";

export class BusAccess {
  readonly #bus: PhysicalBus;
  readonly #i32: Int32Array;
  readonly #wide = new Uint32Array(2);

  constructor(bus: PhysicalBus, i32: Int32Array) {
    this.#bus = bus;
    this.#i32 = i32;
  }

  /** Loads `size` bytes at a physical address into `i32[out]` and the word behind it. @returns whether any part of it was refused */
  load(at: number, size: number, out: number): boolean {
    const bus = this.#bus;
    let low = 0;
    let high = 0;
    let refused = false;
    if (size === 8 && (at & 7) === 0) {
      bus.readWide(at, this.#wide);
      low = this.#wide[0]!;
      high = this.#wide[1]!;
      refused = bus.lastFault;
    } else {
      const step = (at & (size - 1)) === 0 ? Math.min(size, 4) : 1;
      for (let i = 0; i < size; i += step) {
        const part = bus.read(at + i, step);
        if (i < 4) low |= part << (8 * i);
        else high |= part << (8 * (i - 4));
        refused ||= bus.lastFault;
      }
    }
    this.#i32[out] = low;
    this.#i32[out + 1] = high;
    return refused;
  }

  /** @returns whether any part of it was refused */
  store(at: number, size: number, low: number, high: number): boolean {
    const bus = this.#bus;
    if (size === 8 && (at & 7) === 0) {
      bus.writeWide(at, low >>> 0, high >>> 0);
      return bus.lastFault;
    }
    let refused = false;
    const step = (at & (size - 1)) === 0 ? Math.min(size, 4) : 1;
    for (let i = 0; i < size; i += step) {
      const part = (i < 4 ? low : high) >>> (8 * (i & 3));
      bus.write(at + i, step, step === 4 ? part >>> 0 : part & (step === 2 ? 0xffff : 0xff));
      refused ||= bus.lastFault;
    }
    return refused;
  }
}
