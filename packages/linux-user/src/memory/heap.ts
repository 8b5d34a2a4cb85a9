/** The heap that brk moves. Source: Linux man-pages, brk(2). */
import { MAP, PROT } from "../guest-memory.ts";
import { Errno } from "../errno.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Mappings } from "./mappings.ts";
import { PAGE } from "./page-table.ts";

const up = (n: number): number => Math.ceil(n / PAGE) * PAGE;

export class Heap {
  #start = 0;
  #end = 0;
  /** Bytes it may have: RLIMIT_DATA. */
  limit: () => number = () => Infinity;
  readonly #space: AddressSpace;
  readonly #mappings: Mappings;

  constructor(space: AddressSpace, mappings: Mappings) {
    this.#space = space;
    this.#mappings = mappings;
  }

  get start(): number {
    return this.#start;
  }
  get end(): number {
    return this.#end;
  }

  /** Where it begins: behind the program. */
  place(address: number): void {
    this.#start = this.#end = address;
  }

  /** @returns the end: the old one when the new one can't be had */
  move(end: number): number {
    if (!(end >= this.#start && end < this.#space.size) || end - this.#start > this.limit()) return this.#end;
    const old = up(this.#end);
    const now = up(end);
    try {
      if (now > old) this.#grow(old, now);
      else if (now < old) this.#mappings.unmap(now, old - now);
    } catch (error) {
      if (error instanceof Errno) return this.#end;
      throw error;
    }
    this.#end = end;
    return end;
  }

  #grow(from: number, to: number): void {
    this.#mappings.map({
      address: from,
      length: to - from,
      prot: PROT.READ | PROT.WRITE,
      flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE,
      name: "[heap]",
    });
  }
}
