/** A hart that runs one program in U-mode: no CSR of a higher mode, no traps; a kernel written in TypeScript answers. */
import type { Access, Engine, Translation } from "@mimus/tcg";
import type { HartConfig } from "../config.ts";
import { ENVCFG, EXC, MSTATUS, PRIV } from "../constants.ts";
import { Hart } from "../hart.ts";
import { FS, OFF, xOffset } from "../state.ts";
import type { CpuKernel, SignalEntry, SignalReturn } from "./contract.ts";
import { FRAMES, readFrame, writeFrame } from "./frame.ts";

const A0 = xOffset(10);
const A7 = xOffset(17);
const SP = xOffset(2);
const RA = xOffset(1);

/** Signals and codes of exceptions. Source: Linux, arch/riscv/kernel/traps.c (mapping); POSIX.1-2017, signal.h. */
const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGSEGV = 11;
const ILL_ILLOPC = 1;
const TRAP_BRKPT = 1;
const BUS_ADRALN = 1;
const BUS_ADRERR = 2;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const PAGE_FAULT = [EXC.LOAD_PAGE, EXC.STORE_PAGE, EXC.FETCH_PAGE] as const;
const BEYOND_FILE = 3;
/** Of the counter that RDTIME reads. */
const NO_DEADLINE = Infinity;

/** A hart that runs one program in U-mode: no CSR of a higher mode, no traps; a kernel written in TypeScript answers. */
export class UserHart extends Hart {
  readonly #kernel: CpuKernel;
  /** Why the last translation failed, as {@link CpuKernel.translate} said. */
  #why = 0;
  /** First argument of the system call in progress. */
  #a0Lo = 0;
  #a0Hi = 0;

  constructor(engine: Engine, env: number, config: HartConfig, kernel: CpuKernel) {
    super(engine, env, 0, config);
    this.#kernel = kernel;
    this.counters.setExecuted(() => kernel.executed);
    this.counters.setTimeSource({ time: (out) => kernel.time(out), deadline: () => NO_DEADLINE });
  }

  /** U-mode with everything that a program may use turned on. */
  start(pc: number, sp: number): void {
    this.reset();
    this.setLo(OFF.mstatus, this.config.ext.f ? MSTATUS.FS & (FS.DIRTY << 13) : 0);
    this.setLo(OFF.priv, PRIV.U);
    this.setLo(OFF.mcounteren, -1);
    this.setLo(OFF.scounteren, -1);
    const cacheBlocks = ENVCFG.CBIE | ENVCFG.CBCFE | ENVCFG.CBZE;
    this.setLo(OFF.menvcfg, cacheBlocks);
    this.setLo(OFF.senvcfg, cacheBlocks);
    this.set(OFF.pc, pc | 0, 0);
    this.set(SP, sp | 0, 0);
    this.stateReplaced();
  }

  override translate(lo: number, hi: number, access: Access, _mmu: number, _size: number, out: Translation): boolean {
    const why = this.#kernel.translate(lo, hi, access, out);
    if (why === 0) return true;
    this.#why = why;
    this.raise(PAGE_FAULT[access], lo, hi);
    return false;
  }

  override interrupt(): boolean {
    return false;
  }
  override hasWork(): boolean {
    return true;
  }
  override checkInterrupts(): void {}

  override deliver(exception: number): void {
    const kernel = this.#kernel;
    if (exception === EXC.ECALL_U) {
      this.#a0Lo = this.lo(A0);
      this.#a0Hi = this.hi(A0);
      return kernel.syscall();
    }
    const lo = this.lo(OFF.trapValue);
    const hi = this.hi(OFF.trapValue);
    switch (exception) {
      case EXC.LOAD_PAGE:
      case EXC.STORE_PAGE:
      case EXC.FETCH_PAGE:
        if (this.#why === BEYOND_FILE) return kernel.fault(SIGBUS, BUS_ADRERR, lo, hi);
        return kernel.fault(SIGSEGV, this.#why === 1 ? SEGV_MAPERR : SEGV_ACCERR, lo, hi);
      case EXC.LOAD_MISALIGNED:
      case EXC.STORE_MISALIGNED:
      case EXC.FETCH_MISALIGNED:
        return kernel.fault(SIGBUS, BUS_ADRALN, lo, hi);
      case EXC.LOAD_ACCESS:
      case EXC.STORE_ACCESS:
      case EXC.FETCH_ACCESS:
        return kernel.fault(SIGSEGV, SEGV_ACCERR, lo, hi);
      case EXC.BREAKPOINT:
        return kernel.fault(SIGTRAP, TRAP_BRKPT, this.lo(OFF.pc), this.hi(OFF.pc));
      default:
        return kernel.fault(SIGILL, ILL_ILLOPC, this.lo(OFF.pc), this.hi(OFF.pc));
    }
  }

  get pc(): number {
    return (this.lo(OFF.pc) >>> 0) + (this.hi(OFF.pc) >>> 0) * 2 ** 32;
  }
  get sp(): number {
    return (this.lo(SP) >>> 0) + (this.hi(SP) >>> 0) * 2 ** 32;
  }

  syscallNumber(): number {
    // A number beyond 32 bits is none that exists.
    return this.hi(A7) === 0 || !this.rv64 ? this.lo(A7) : -1;
  }
  syscallArgs(lo: Int32Array, hi: Int32Array): void {
    const { i32, rv64 } = this;
    for (let n = 0, at = (this.env + A0) >> 2; n < 6; n++, at += 2) {
      lo[n] = i32[at]!;
      hi[n] = rv64 ? i32[at + 1]! : 0;
    }
  }
  syscallResult(value: number): void {
    this.set(A0, value | 0, this.rv64 ? Math.floor(value / 2 ** 32) | 0 : 0);
    const pc = (this.lo(OFF.pc) + 4) | 0;
    this.setLo(OFF.pc, pc);
  }
  syscallRestart(): void {
    this.set(A0, this.#a0Lo, this.#a0Hi);
  }

  frameAddress(sp: number): number {
    return Math.floor((sp - FRAMES[this.rv64 ? 64 : 32].size) / 16) * 16;
  }
  enterHandler(entry: SignalEntry, at: number, address: number): void {
    const frame = FRAMES[this.rv64 ? 64 : 32];
    writeFrame(this, at, entry.altStack, entry.maskLo, entry.maskHi);
    this.set(RA, entry.restorer | 0, 0);
    this.set(SP, address | 0, 0);
    this.set(A0, entry.signal, 0);
    this.set(xOffset(11), (address + frame.siginfo) | 0, 0);
    this.set(xOffset(12), (address + frame.ucontext) | 0, 0);
    this.set(OFF.pc, entry.handler | 0, Math.floor(entry.handler / 2 ** 32) | 0);
  }
  leaveHandler(at: number): SignalReturn {
    return readFrame(this, at);
  }

  /** Registers, four to a line. */
  describe(): string {
    const cell = (name: string, offset: number): string =>
      `${name.padStart(4)} ${this.bits64(offset).toString(16).padStart(16, "0")}`;
    const cells = [cell("pc", OFF.pc), ...Array.from({ length: 31 }, (_, i) => cell(`x${i + 1}`, xOffset(i + 1)))];
    return Array.from({ length: 8 }, (_, i) => cells.slice(4 * i, 4 * i + 4).join(" ")).join("\n");
  }
}
