import type { BlockSource, TcgMachine } from "./machine.ts";
import { NOT_RAM, type SoftTlb } from "./soft-tlb.ts";

/** Guest code read through the machine memory, or through the bus where it is not RAM. */
export class MemorySource implements BlockSource {
  readonly #machine: TcgMachine;
  readonly #tlb: SoftTlb;
  #ram = 0;
  #lo = 0;
  #hi = 0;
  #mmu = 0;
  #inPage = 0;
  ram2 = -1;
  readonly bytes: Uint8Array;
  from = 0;
  left = 0;

  constructor(machine: TcgMachine, tlb: SoftTlb) {
    this.#machine = machine;
    this.bytes = machine.u8;
    this.#tlb = tlb;
  }

  start(ram: number, lo: number, hi: number, mmu: number): void {
    this.#ram = ram;
    this.#lo = lo;
    this.#hi = hi;
    this.#mmu = mmu;
    this.#inPage = 4096 - (lo & 4095);
    this.from = ram;
    this.left = ram >= 0 ? this.#inPage : 0;
    this.ram2 = -1;
  }

  /** Place of the page behind the one of an address; negative when it can't be fetched from or is not RAM. */
  secondPage(lo: number, hi: number, mmu: number): number {
    const next = ((lo | 4095) + 1) | 0;
    return this.#tlb.fetchPage(next, next === 0 ? hi + 1 : hi, mmu);
  }

  byte(at: number): number {
    if (at < this.#inPage) {
      if (this.#ram >= 0) return this.#machine.u8[this.#ram + at]!;
      return this.#machine.bus.read(this.#tlb.physical(this.#lo, this.#mmu) + at, 1);
    }
    if (this.ram2 < 0) {
      const page = this.secondPage(this.#lo, this.#hi, this.#mmu);
      if (page === -1) return -1;
      if (page === NOT_RAM) {
        const next = (this.#lo | 4095) + 1;
        this.ram2 = NOT_RAM;
        return this.#machine.bus.read(this.#tlb.physical(next | 0, this.#mmu) + at - this.#inPage, 1);
      }
      this.#machine.codePages?.enter(page);
      this.ram2 = page;
    }
    return this.#machine.u8[this.ram2 + at - this.#inPage]!;
  }
}
