/** One RISC-V hart: its state in the vCPU's block, and what of its behaviour is not translated code. */
import { ENV, StateBlock, type Access, type Engine, type TargetCpu, type Translation } from "@mimus/tcg";
import { EXC, IRQ, MSTATUS, PRIV, type PrivLevel } from "./constants.ts";
import { misaExtensions, type HartConfig } from "./config.ts";
import { Counters } from "./counters.ts";
import { CsrFile } from "./csr/file.ts";
import { Walker } from "./mmu/walk.ts";
import { Pmp } from "./pmp.ts";
import { ALL_INDEXES, FLAGS, fOffset, MMU, OFF, xOffset } from "./state.ts";
import { enterException, enterInterrupt, pendingInterrupt } from "./trap.ts";

const ACCESS_FAULT = [EXC.LOAD_ACCESS, EXC.STORE_ACCESS, EXC.FETCH_ACCESS] as const;
const MISALIGNED = [EXC.LOAD_MISALIGNED, EXC.STORE_MISALIGNED, EXC.FETCH_MISALIGNED] as const;

/** Implements the engine's view of a vCPU. All state that a snapshot needs is in the state block. */
export class Hart extends StateBlock implements TargetCpu {
  readonly index: number;
  readonly config: HartConfig;
  readonly rv64: boolean;
  /** @internal */
  readonly pmp: Pmp;
  /** @internal */
  readonly walker: Walker;
  /** @internal */
  readonly csrs: CsrFile;
  /** @internal */
  readonly counters: Counters;

  constructor(engine: Engine, env: number, index: number, config: HartConfig) {
    super(engine, env);
    this.index = index;
    this.config = config;
    this.rv64 = config.xlen === 64;
    this.pmp = new Pmp(this);
    this.walker = new Walker(this);
    this.counters = new Counters(this);
    this.csrs = new CsrFile(this);
    this.reset();
  }

  /** Current privilege: 0 U, 1 S, 3 M. */
  get priv(): PrivLevel {
    return this.lo(OFF.priv) as PrivLevel;
  }
  /** Interrupt bits pending: wires and software. */
  get mip(): number {
    return this.lo(OFF.irqLines) | this.lo(OFF.mipSoft);
  }

  /** Power-on state. Source: Privileged 20211203, 3.4. */
  reset(): void {
    const start = this.env >> 2;
    const lines = this.lo(OFF.irqLines) & ~(1 << IRQ.STI);
    this.i32.fill(0, start + (xOffset(0) >> 2), start + (OFF.end >> 2));
    this.setLo(OFF.irqLines, lines);
    this.setLo(OFF.priv, PRIV.M);
    this.set(OFF.pc, this.config.resetVector[0], this.rv64 ? this.config.resetVector[1] : 0);
    this.set(OFF.resAddr, -1, this.rv64 ? -1 : 0);
    const { ext } = this.config;
    const mxl = this.rv64 ? 2 : 1;
    // On RV32, MXL is in bits 31:30 of the only word.
    if (this.rv64) this.set(OFF.misa, misaExtensions(ext), mxl << 30);
    else this.set(OFF.misa, misaExtensions(ext) | (mxl << 30), 0);
    this.set(OFF.mstatus, ext.u ? 0 : MSTATUS.MPP, 0);
    this.set(OFF.stimecmp, -1, -1);
    this.setLo(ENV.exception, 0);
    this.setLo(ENV.halted, 0);
    this.stateReplaced();
  }

  /** Called after the state block was written as a whole (reset, snapshot): derived state follows. */
  stateReplaced(): void {
    this.pmp.decode();
    this.walker.satpChanged();
    this.updateFlags();
    this.counters.timeChanged();
    this.engine.flushTlb(this.env, ALL_INDEXES);
    this.checkInterrupts();
  }

  /** Rebuilds `tbFlags` from privilege, mstatus and frm. */
  updateFlags(): void {
    const priv = this.lo(OFF.priv);
    const mstatus = this.lo(OFF.mstatus);
    const as = priv === PRIV.M && mstatus & MSTATUS.MPRV ? (mstatus >> 11) & 3 : priv;
    const data = as === PRIV.S && mstatus & MSTATUS.SUM ? MMU.SUM : as;
    this.setLo(
      ENV.tbFlags,
      (priv << FLAGS.privShift) |
        (data << FLAGS.mmuShift) |
        (((mstatus >> 13) & 3) << FLAGS.fsShift) |
        (this.lo(OFF.frm) << FLAGS.frmShift),
    );
  }

  /** Changes the privilege level. A reservation does not survive it. */
  setPriv(priv: number): void {
    if (priv !== this.lo(OFF.priv)) this.set(OFF.resAddr, -1, this.rv64 ? -1 : 0);
    this.setLo(OFF.priv, priv);
    this.updateFlags();
  }

  /** Raises an exception; translated code leaves its block after the call that did. `hi` is ignored on RV32. */
  raise(cause: number, lo: number, hi: number): void {
    this.set(OFF.trapValue, lo, this.rv64 ? hi : 0);
    this.setLo(ENV.exception, cause + 1);
  }

  /** Raises illegal-instruction with the instruction's bits as the trap value. */
  illegal(insn: number): void {
    this.raise(EXC.ILLEGAL, insn, 0);
  }

  translate(lo: number, hi: number, access: Access, mmu: number, size: number, out: Translation): boolean {
    return this.walker.translate(lo, hi, access, mmu, size, out);
  }

  busFault(lo: number, hi: number, _physical: number, access: Access): boolean {
    this.raise(ACCESS_FAULT[access], lo, hi);
    return true;
  }

  misaligned(lo: number, hi: number, access: Access, _size: number): boolean {
    this.raise(MISALIGNED[access], lo, hi);
    return true;
  }

  interrupt(): boolean {
    const number = pendingInterrupt(this);
    if (number < 0) return false;
    this.setLo(ENV.halted, 0);
    enterInterrupt(this, number);
    return true;
  }

  deliver(exception: number): void {
    enterException(this, exception);
  }

  restore(words: Int32Array, tbPcLo: number, tbPcHi: number): void {
    const lo = (tbPcLo + words[0]!) | 0;
    const carry = lo >>> 0 < tbPcLo >>> 0 ? 1 : 0;
    this.set(OFF.pc, lo, this.rv64 ? (tbPcHi + carry) | 0 : 0);
  }

  hasWork(): boolean {
    return (this.mip & this.lo(OFF.mie)) !== 0;
  }

  /**
   * Sets an interrupt input: 3 MSI, 7 MTI, 9 SEI, 11 MEI; 5 STI is the Sstc timer's. 1 SSI is an edge: it sets the
   * software bit, which only software clears (ACLINT 1.0-rc4, chapter 4).
   */
  setIrq(line: number, level: boolean): void {
    if (line === IRQ.SSI) {
      if (!level) return;
      this.setLo(OFF.mipSoft, this.lo(OFF.mipSoft) | (1 << IRQ.SSI));
      return this.checkInterrupts();
    }
    const old = this.lo(OFF.irqLines);
    const now = level ? old | (1 << line) : old & ~(1 << line);
    if (now === old) return;
    this.setLo(OFF.irqLines, now);
    if (level) this.checkInterrupts();
  }

  /** Asks the engine to look at interrupts when one is ready, or when the hart should wake. */
  checkInterrupts(): void {
    if (this.lo(ENV.halted) ? this.hasWork() : pendingInterrupt(this) >= 0) this.engine.kick(this.env);
  }

  /** Register x`n` for debuggers. */
  x(n: number): bigint {
    return this.bits64(xOffset(n));
  }
  f(n: number): bigint {
    return this.bits64(fOffset(n));
  }
}
