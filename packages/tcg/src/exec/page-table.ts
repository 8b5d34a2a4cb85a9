import type { Engine } from "./contract.ts";

/** Words of RAM by physical address, as page walks read them: the range of the last one is remembered. */
export class RamWords {
  readonly #bus: Engine["bus"];
  #base = 0;
  #end = 0;
  #offset = 0;

  constructor(engine: Engine) {
    this.#bus = engine.bus;
    this.#bus.onChange(() => (this.#end = 0));
  }

  /** Index in the engine's `i32` of the word at a physical address, a multiple of 4; -1 where there is no RAM. */
  indexOf(physical: number): number {
    if (physical < this.#base || physical >= this.#end) {
      const range = this.#bus.lookup(physical);
      if (range === undefined || range.ramOffset < 0) return -1;
      this.#base = range.base;
      this.#end = range.base + range.size;
      this.#offset = range.ramOffset;
    }
    return (this.#offset + (physical - this.#base)) >>> 2;
  }
}

/** Nine bits of a virtual address that index a table of 512 entries: those of `level`, 0 for pages of 4 KiB. */
export function tableIndex(lo: number, hi: number, level: number): number {
  switch (level) {
    case 0:
      return (lo >>> 12) & 0x1ff;
    case 1:
      return (lo >>> 21) & 0x1ff;
    case 2:
      return ((lo >>> 30) | (hi << 2)) & 0x1ff;
    case 3:
      return (hi >>> 7) & 0x1ff;
    default:
      return (hi >>> 16) & 0x1ff;
  }
}
