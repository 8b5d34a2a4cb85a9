import {
  ALL_ROWS, createTarget, FLAG, fprOffset, OFF, regOffset, SEG, SEG_FIELD, segOffset, X86Cpu, xmmOffset, ymmhOffset,
} from "@mimus/target-x86"; // prettier-ignore
import type { WordSize, X86Config } from "@mimus/target-x86";
import { ENV, TcgMachine } from "@mimus/tcg";
import type { Engine, TcgOptions, Vcpu } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";

/** What the processors that the vectors come from have not. */
const ABSENT = /^(3dnow|3dnowext|movdiri|femms)$/;

/** A CPU with every feature that there are rows for, but those of `absent`. */
export function flatConfig(word: WordSize, absent: RegExp = ABSENT): X86Config {
  const all = ALL_ROWS.flatMap(({ feature = "" }) => feature.split(/[ |]/)).filter((name) => name !== "");
  return {
    word,
    features: new Set([...all, "nx", "lm", "pae", "pse", "fpu"].filter((name) => !absent.test(name))),
    apicId: 0,
    bootstrap: true,
    physBits: 40,
    intel: false,
    topology: { threads: 1, cores: 1, alone: true },
    microcode: [0, 0],
    cpuid: (leaf) => (leaf === 1 ? [0xa20f10, 0, 0, 0] : [1, 0, 0, 0]),
  };
}

/** A CPU whose exceptions are not delivered to the guest but noted. */
class NotingCpu extends X86Cpu {
  /** The last exception, -1 for none. */
  exception = -1;
  errorCode = -1;
  /** Bytes to the next instruction for exceptions that are software interrupts. */
  softLength = 0;
  /** Delivers to the guest after all. */
  delivers = false;

  override deliver(raised: number): void {
    const vector = this.refine(raised);
    this.exception = vector;
    this.errorCode = this.lo(OFF.errorCode);
    this.softLength = this.lo(OFF.softLength);
    if (this.delivers) {
      super.deliver(vector);
      return;
    }
    this.setLo(OFF.errorCode, -1);
    this.setLo(OFF.softLength, 0);
    // `Vcpu.run` ends here
    this.setLo(ENV.halted, 1);
  }
}

/** Kinds of code that the CPU can be put up for. Paging is on where there is a ring. */
export type FlatMode = "real" | "user16" | "user32" | "user64" | "kernel16" | "kernel32" | "kernel64";

/** Where page tables and descriptors are. */
const TABLES = 0x20_0000;
const PRESENT_USER = 7;
const SUPERVISOR = 3;
/** A task-state segment whose I/O permission bitmap lies behind its end. */
const TASK = 0xf000;
const IO_MAP = 0x66;

/** One CPU, some RAM, page tables that map that RAM alone, and flat segments. */
export class FlatX86 {
  readonly ram: FlatMemory;
  readonly cpu: NotingCpu;
  readonly vcpu: Vcpu;
  readonly tcg: TcgMachine;
  readonly wide: boolean;

  constructor(word: WordSize, options: TcgOptions = {}, config: X86Config = flatConfig(word), bytes = 64 << 20) {
    this.ram = new FlatMemory(bytes);
    this.wide = word === 64;
    this.tcg = new TcgMachine({
      memory: this.ram.memory,
      alloc: this.ram.alloc,
      target: createTarget(config),
      physical: this.ram,
      options: { tbSize: 1 << 20, ...options },
    });
    let made: NotingCpu | undefined;
    this.vcpu = this.tcg.createCpu((env: number, engine: Engine) => (made = new NotingCpu(engine, env, 0, config)));
    this.cpu = made as unknown as NotingCpu;
  }

  /** Puts the CPU up for code of `mode`; `pages` of physical memory are mapped where they are, as [first byte, bytes]. */
  setMode(mode: FlatMode, pages: readonly (readonly [number, number])[] = []): void {
    const { cpu } = this;
    cpu.reset();
    const bits = Number(/\d+$/.exec(mode)?.[0] ?? 16);
    const user = mode.startsWith("user");
    if (mode === "real") {
      cpu.set(OFF.cr4, CR4_SSE, 0);
    } else {
      this.#tables(pages, user);
      cpu.set(OFF.cr3, TABLES, 0);
      cpu.set(OFF.cr4, CR4_SSE | (this.wide ? CR4_PAE : 0), 0);
      cpu.set(OFF.cr0, CR0_PROTECTED, 0);
      cpu.set(OFF.efer, this.wide ? EFER_LONG : 0, 0);
      cpu.set(OFF.xcr0, 7, 0);
      cpu.setLo(OFF.cpl, user ? 3 : 0);
      const dpl = user ? 0x6000 : 0;
      const size = bits === 64 ? 0x200000 : bits === 32 ? 0x400000 : 0;
      for (let n = 0; n < 6; n++) {
        const at = segOffset(n);
        cpu.setLo(at + SEG_FIELD.selector, (n === 1 ? 8 : 16) | (user ? 3 : 0));
        cpu.setLo(at + SEG_FIELD.limit, -1);
        cpu.setLo(at + SEG_FIELD.attr, 0x809300 | dpl | (n === 1 ? 0x800 | size : bits === 16 ? 0 : 0x400000));
        cpu.set(at + SEG_FIELD.base, 0, 0);
      }
      // No descriptors, and a task without I/O permission bitmap
      cpu.setLo(OFF.gdtLimit, 0);
      cpu.setLo(segOffset(SEG.ldtr) + SEG_FIELD.limit, 0);
      cpu.setLo(segOffset(SEG.tr) + SEG_FIELD.limit, 0x67);
      cpu.set(segOffset(SEG.tr) + SEG_FIELD.base, TABLES + TASK, 0);
    }
    cpu.stateReplaced();
  }

  /** Four levels of page tables for a CPU with 64-bit registers, two for others. */
  #tables(pages: readonly (readonly [number, number])[], user: boolean): void {
    if (!this.ram.has(TABLES, 0x10000)) this.ram.addRam(TABLES, 0x10000);
    const bytes = new Uint8Array(0x10000);
    const words = new Uint32Array(bytes.buffer);
    const flags = user ? PRESENT_USER : PRESENT_USER & ~4;
    const step = this.wide ? 2 : 1;
    if (this.wide) {
      words[0] = (TABLES + 0x1000) | PRESENT_USER;
      words[0x1000 / 4] = (TABLES + 0x2000) | PRESENT_USER;
    }
    const directory = this.wide ? 0x2000 : 0;
    const covered = this.wide ? 0x20_0000 : 0x40_0000;
    let free = 0x3000;
    const made = new Map<number, number>();
    for (const [first, length] of [...pages, [TABLES, 0x10000] as const]) {
      for (let page = first & ~0xfff; page < first + length; page += 0x1000) {
        const slot = Math.floor(page / covered);
        let table = made.get(slot);
        if (table === undefined) {
          table = free;
          free += 0x1000;
          made.set(slot, table);
          words[(directory >> 2) + slot * step] = (TABLES + table) | PRESENT_USER;
        }
        words[(table >> 2) + ((page % covered) / 0x1000) * step] = page | (first === TABLES ? SUPERVISOR : flags);
      }
    }
    bytes[TASK + IO_MAP] = 0x68;
    this.ram.poke(TABLES, bytes);
  }

  setRegister(n: number, value: bigint): void {
    this.#set(regOffset(n), value);
  }
  getRegister(n: number): bigint {
    return this.#get(regOffset(n), this.wide);
  }
  setPc(value: bigint): void {
    this.#set(OFF.pc, value);
  }
  get pc(): bigint {
    return this.#get(OFF.pc, this.wide);
  }
  setFlags(value: number): void {
    this.cpu.eflags = value;
    this.cpu.updateFlags();
  }

  /** ST(`n`), 80 bits. */
  setSt(n: number, value: bigint): void {
    const at = fprOffset((this.cpu.lo(OFF.fpuTop) + n) & 7);
    this.#set(at, value & M64);
    this.cpu.setLo(at + 8, Number(value >> 64n));
  }
  getSt(n: number): bigint {
    const at = fprOffset((this.cpu.lo(OFF.fpuTop) + n) & 7);
    return this.cpu.bits64(at) | (BigInt(this.cpu.lo(at + 8) & 0xffff) << 64n);
  }

  /** Vector register `n`, 256 bits. */
  setYmm(n: number, value: bigint): void {
    for (let k = 0; k < 4; k++)
      this.#set((k < 2 ? xmmOffset(n) : ymmhOffset(n)) + 8 * (k & 1), value >> BigInt(64 * k));
  }
  getYmm(n: number): bigint {
    let value = 0n;
    for (let k = 3; k >= 0; k--)
      value = (value << 64n) | this.cpu.bits64((k < 2 ? xmmOffset(n) : ymmhOffset(n)) + 8 * (k & 1));
    return value;
  }

  /** x87 status word with TOP. */
  setStatus(word: number): void {
    this.cpu.setLo(OFF.fpuTop, (word >> 11) & 7);
    this.cpu.setLo(OFF.fpuSw, word & ~0x3800);
    // The vectors know nothing of the pointers of the last instruction: all zero.
    for (const at of [OFF.fpuIp, OFF.fpuDp, OFF.fpuCs]) this.cpu.set(at, 0, 0);
    this.cpu.setLo(OFF.fpuOpcode, 0);
  }
  get status(): number {
    return (this.cpu.lo(OFF.fpuSw) & ~0x3800) | (this.cpu.lo(OFF.fpuTop) << 11);
  }
  /** Tag word as FXSAVE has it: a bit per physical register, 1 in use. */
  setTags(tags: number): void {
    for (let n = 0; n < 8; n++) this.cpu.engine.u8[this.cpu.env + OFF.fpuEmpty + n] = (tags >> n) & 1 ? 0 : 1;
  }
  get tags(): number {
    let tags = 0;
    for (let n = 0; n < 8; n++) if (this.cpu.engine.u8[this.cpu.env + OFF.fpuEmpty + n] === 0) tags |= 1 << n;
    return tags;
  }

  #set(offset: number, value: bigint): void {
    this.cpu.set(offset, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
  #get(offset: number, wide: boolean): bigint {
    const value = this.cpu.bits64(offset);
    return wide ? value : value & 0xffff_ffffn;
  }
}

const M64 = 0xffff_ffff_ffff_ffffn;
/** PG, WP, NE, ET, MP, PE. */
const CR0_PROTECTED = 0x8001_0033 | 0;
/** OSFXSR, OSXMMEXCPT, OSXSAVE, FSGSBASE. */
const CR4_SSE = 0x50600;
const CR4_PAE = 0x20;
/** NXE, LMA, LME, SCE. */
const EFER_LONG = 0xd01;

/** Flags that are always on while vectors run. */
export const INTERRUPTS_ON: number = FLAG.if;
