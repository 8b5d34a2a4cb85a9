/** Address translation. */
import type { Access, Translation } from "@mimus/tcg";
import type { PhysicalWindow } from "../config.ts";
import type { X86Cpu } from "../cpu.ts";

/** Translates for one CPU. */
export class Walker {
  readonly #cpu: X86Cpu;
  #a20 = true;

  constructor(cpu: X86Cpu) {
    this.#cpu = cpu;
  }
  /** Decodes CR0, CR3, CR4, EFER after one of them changed. */
  modeChanged(): void {
    void this.#cpu;
  }
  setA20(level: boolean): void {
    this.#a20 = level;
  }
  setWindow(_name: "apic" | "smram", _window: PhysicalWindow | undefined): void {}
  translate(lo: number, _hi: number, _access: Access, _mmu: number, _size: number, out: Translation): boolean {
    out.physical = this.#a20 ? lo >>> 0 : (lo & ~0x100000) >>> 0;
    out.prot = 7;
    out.pageBits = 12;
    return true;
  }
}
