/** A stack while something is pushed to it or popped from it; registers change when all of it went well. */
import type { X86Cpu } from "../cpu.ts";
import { OFF, REG, regOffset, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { DESC, isCode64, isLong, type Descriptor } from "./descriptor.ts";
import { carry, highWord, mmuOf, read, write } from "./memory.ts";
import { EXC } from "./vectors.ts";

/** Bytes of a push or pop. */
export type Width = 2 | 4 | 8;

/** Pushes and pops of far transfers and interrupts. */
export class StackFrame {
  readonly #cpu: X86Cpu;
  /** Stack pointer. */
  lo = 0;
  hi = 0;
  /** Base of the segment (outside 64-bit code), which bits of the pointer count, and the segment's limits. */
  #base = 0;
  #mask = 0xffff;
  #limit = 0;
  #down = false;
  #checked = false;
  #wide = false;
  #mmu = 0;
  /** Error code of a #SS. */
  #code = 0;
  /** High word of the last pop of 8 bytes. */
  popHi = 0;

  constructor(cpu: X86Cpu) {
    this.#cpu = cpu;
  }

  /** The stack in use. */
  current(): void {
    const cpu = this.#cpu;
    const at = segOffset(SEG.ss);
    this.lo = cpu.lo(regOffset(REG.sp));
    this.hi = cpu.hi(regOffset(REG.sp));
    this.#mmu = mmuOf(cpu, cpu.lo(OFF.cpl));
    this.#wide = isCode64(cpu);
    this.#code = 0;
    if (!this.#wide)
      this.#segment(cpu.lo(at + SEG_FIELD.base), cpu.lo(at + SEG_FIELD.limit), cpu.lo(at + SEG_FIELD.attr));
  }

  /** A new stack of 16 or 32 bits for a privilege level. */
  segment(d: Descriptor, esp: number, cpl: number, selector: number): void {
    this.lo = esp;
    this.hi = 0;
    this.#wide = false;
    this.#mmu = mmuOf(this.#cpu, cpl);
    this.#code = selector & 0xfffc;
    this.#segment(d.base, d.limit, d.attr);
  }

  /** A new stack of 64 bits for a privilege level. */
  flat(lo: number, hi: number, cpl: number): void {
    this.lo = lo;
    this.hi = hi;
    this.#wide = true;
    this.#mmu = mmuOf(this.#cpu, cpl);
    this.#code = 0;
  }

  #segment(base: number, limit: number, attr: number): void {
    this.#base = base;
    this.#mask = attr & DESC.db ? -1 : 0xffff;
    this.#limit = limit;
    this.#down = (attr & (DESC.code | DESC.conforming)) === DESC.conforming && (attr & DESC.s) !== 0;
    this.#checked = this.#down || limit !== -1 || (attr & DESC.p) === 0;
  }

  #linear(size: number): number {
    const offset = this.lo & this.#mask;
    if (this.#checked) {
      const first = offset >>> 0;
      const last = first + size - 1;
      const limit = this.#limit >>> 0;
      const top = this.#mask === -1 ? 0xffff_ffff : 0xffff;
      const inside = this.#down ? first > limit && last <= top : last <= limit;
      if (!inside) this.#cpu.fault(EXC.SS, this.#code);
    }
    return (this.#base + offset) | 0;
  }

  #canonical(): void {
    // 48 bits; with LA57 the page walk refuses what is left. Source: SDM volume 1, 3.3.7.1.
    const bits = this.#cpu.lo(OFF.cr4) & 0x1000 ? 7 : 16;
    if ((this.hi << bits) >> bits !== this.hi) this.#cpu.fault(EXC.SS, 0);
  }

  push(size: Width, lo: number, hi = 0): void {
    if (this.#wide) {
      const next = (this.lo - size) | 0;
      if (next >>> 0 > this.lo >>> 0) this.hi = (this.hi - 1) | 0;
      this.lo = next;
      this.#canonical();
      write(this.#cpu, this.lo, this.hi, size, lo, hi, this.#mmu);
      return;
    }
    this.lo = (this.lo & ~this.#mask) | ((this.lo - size) & this.#mask);
    write(this.#cpu, this.#linear(size), 0, size, lo, hi, this.#mmu);
  }

  /** Low word; the high one of 8 bytes is in {@link popHi}. */
  pop(size: Width): number {
    const value = this.peek(size);
    this.skip(size);
    return value;
  }

  peek(size: Width): number {
    let value: number;
    if (this.#wide) {
      this.#canonical();
      value = read(this.#cpu, this.lo, this.hi, size, this.#mmu);
    } else value = read(this.#cpu, this.#linear(size), 0, size, this.#mmu);
    this.popHi = size === 8 ? highWord(this.#cpu) : 0;
    return value;
  }

  /** Moves the pointer up. */
  skip(bytes: number): void {
    if (this.#wide) {
      const next = (this.lo + bytes) | 0;
      this.hi = (this.hi + carry(next, this.lo)) | 0;
      this.lo = next;
    } else this.lo = (this.lo & ~this.#mask) | ((this.lo + bytes) & this.#mask);
  }

  /** The stack pointer register becomes this. */
  commit(): void {
    const cpu = this.#cpu;
    const hi = isLong(cpu) ? this.hi : 0;
    cpu.set(regOffset(REG.sp), this.lo, hi);
  }

  /** A value for the stack pointer of a stack whose width follows from its segment: SP alone, or ESP. */
  static pointer(cpu: X86Cpu, attr: number, lo: number): void {
    const at = regOffset(REG.sp);
    if (attr & DESC.db) cpu.set(at, lo, 0);
    else cpu.setLo(at, (cpu.lo(at) & ~0xffff) | (lo & 0xffff));
  }
}
