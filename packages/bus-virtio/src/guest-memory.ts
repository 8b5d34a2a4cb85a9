import type { AddressSpace } from "@mimus/machine-core";

type Range = NonNullable<ReturnType<AddressSpace["lookup"]>>;

/**
 * Guest RAM as a bus master sees it: windows without copies. Remembers the range that answered last, because buffers of
 * a driver lie close together.
 */
export class GuestMemory {
  /** Addresses that the device may reach. */
  readonly space: AddressSpace;
  #last: Range | undefined;
  /** Counts changes of the address space: a window taken under another number may be stale. */
  epoch = 0;

  constructor(space: AddressSpace) {
    this.space = space;
    space.onChange(() => {
      this.#last = undefined;
      this.epoch++;
    });
  }

  /** The range that holds `addr`, when it is memory that may be read (and written, if `write`). */
  #range(addr: number, write: boolean): Range | undefined {
    let range = this.#last;
    if (range === undefined || addr < range.base || addr >= range.end) range = this.space.lookup(addr);
    if (range?.block === undefined || range.view === undefined || (write && range.readonly)) return undefined;
    return (this.#last = range);
  }

  /** `length` bytes at `addr` when they are in one piece of RAM; undefined otherwise. */
  window(addr: number, length: number, write: boolean): Uint8Array | undefined {
    const range = this.#range(addr, write);
    if (range === undefined || addr + length > range.end) return undefined;
    const at = range.regionOffset + (addr - range.base);
    return range.block!.bytes.subarray(at, at + length);
  }

  /** Appends windows for `length` bytes at `addr` to `pieces`; false when a byte of them is not RAM (`pieces` is then unfinished). */
  map(addr: number, length: number, write: boolean, pieces: Uint8Array[], addrs?: number[]): boolean {
    for (let left = length; left > 0;) {
      const range = this.#range(addr, write);
      if (range === undefined) return false;
      const n = Math.min(left, range.end - addr);
      const at = range.regionOffset + (addr - range.base);
      pieces.push(range.block!.bytes.subarray(at, at + n));
      addrs?.push(addr);
      addr += n;
      left -= n;
    }
    return true;
  }

  /** Tells dirty tracking that `length` bytes at `addr`, all in one window, were written. */
  written(addr: number, length: number): void {
    const range = this.#range(addr, true);
    if (range !== undefined && length > 0) range.block!.dirty.mark(range.regionOffset + (addr - range.base), length);
  }
}
