import type { AddressSpace } from "./address-space.ts";
import type { FlatRange } from "./flat-view.ts";
import type { MachineMemory } from "./memory.ts";

/** An address space as a CPU's translation engine sees it: lookups, accesses, and news of writes to translated code. */
export interface CodeAwareBus {
  lookup(addr: number): FlatRange | undefined;
  read(addr: number, size: 1 | 2 | 4): number;
  write(addr: number, size: 1 | 2 | 4, value: number): void;
  readWide(addr: number, out: Uint32Array): void;
  writeWide(addr: number, lo: number, hi: number): void;
  readonly lastFault: boolean;
  /** `offset`: a byte of the 4 KiB page, in the machine memory. */
  watchCode(offset: number, on: boolean): void;
  onCodeWrite(fn: (offset: number, length: number) => void): void;
  onChange(fn: () => void): void;
}

/** Joins an address space with the code tracking of the memory behind it. */
export function physicalBus(space: AddressSpace, memory: MachineMemory): CodeAwareBus {
  return {
    lookup: (addr) => space.lookup(addr),
    read: (addr, size) => space.read(addr, size),
    write: (addr, size, value) => space.write(addr, size, value),
    readWide: (addr, out) => space.readWide(addr, out),
    writeWide: (addr, lo, hi) => space.writeWide(addr, lo, hi),
    get lastFault() {
      return space.lastFault;
    },
    watchCode: (offset, on) => memory.watchCode(offset, on),
    onCodeWrite: (fn) => memory.onCodeWrite(fn),
    onChange: (fn) => space.onChange(fn),
  };
}
