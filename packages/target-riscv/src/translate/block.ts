import { ENV, INVERSE, ops, type Builder, type Cond, type MemOp, type TranslateContext, type Value } from "@mimus/tcg";
import type { HartConfig } from "../config.ts";
import { EXC } from "../constants.ts";
import { FLAGS, FS, MSTATUS_FS, OFF, RV64_GLOBALS } from "../state.ts";

/** Indexes of the globals, which are the same for both widths. x0 has none. */
const indexOf = (name: string): number => RV64_GLOBALS.findIndex((g) => g.name === name);
const X = Array.from({ length: 32 }, (_, n) => indexOf(`x${n}`));
const F = Array.from({ length: 32 }, (_, n) => indexOf(`f${n}`));
const PC = indexOf("pc");

/** What a translator sees: the instruction under translation, and the registers as IR values. */
export class Block {
  readonly ir: Builder;
  readonly hart: HartConfig;
  readonly rv64: boolean;
  /** Type of an integer register. */
  readonly word: "i32" | "i64";
  readonly ctx: TranslateContext;
  /** Length of the instruction in bytes, and its bits (for mtval). */
  length = 4;
  bits = 0;
  /** mstatus.FS as it is at this point of the block. */
  #fs: number;
  /** Address of the block's start, in halves. */
  readonly #pcLo: number;
  readonly #pcHi: number;
  /** By bit, the floating-point registers that certainly hold a NaN-boxed single at this point of the block. */
  boxed = 0;

  constructor(ctx: TranslateContext, hart: HartConfig) {
    this.ctx = ctx;
    this.ir = ctx.ir;
    this.hart = hart;
    this.rv64 = hart.xlen === 64;
    this.word = this.rv64 ? "i64" : "i32";
    this.#pcLo = ctx.pcLo >>> 0;
    this.#pcHi = ctx.pcHi;
    this.#fs = (ctx.flags >>> FLAGS.fsShift) & 3;
  }

  /** The address `offset` bytes (int32) from the instruction, wrapped to the register width. */
  address(offset: number): Value {
    const sum = this.#pcLo + (this.ctx.at + offset);
    return this.ir.constBits(this.word, sum | 0, (this.#pcHi + Math.floor(sum / 0x1_0000_0000)) | 0);
  }
  /** That address lies in the page in which the block begins. */
  #inPage(offset: number): boolean {
    const sum = this.#pcLo + (this.ctx.at + offset);
    return Math.floor(sum / 4096) === Math.floor(this.#pcLo / 4096);
  }
  get mmu(): number {
    return (this.ctx.flags >>> FLAGS.mmuShift) & 3;
  }
  get priv(): number {
    return (this.ctx.flags >>> FLAGS.privShift) & 3;
  }

  /** A register-wide constant. */
  imm(value: number | bigint): Value {
    if (typeof value === "number") return this.ir.constant(this.word, value);
    return this.rv64 ? this.ir.const64(value) : this.ir.const32(Number(BigInt.asIntN(32, value)));
  }
  /** Value of integer register `n`. */
  x(n: number): Value {
    return n === 0 ? this.imm(0) : this.ir.get(X[n]!);
  }
  /** Write integer register `n`; x0 stays zero. */
  setX(n: number, value: Value): void {
    if (n !== 0) this.ir.set(X[n]!, value);
  }
  /**
   * Floating-point register `n`, as f64: so a value that stays in vector registers of the host costs no move to the
   * integer ones and back, which a chain of dependent operations would wait for (1.05 ns each instead of 3.1).
   */
  f(n: number): Value {
    return this.ir.get(F[n]!);
  }
  setF(n: number, value: Value): void {
    this.ir.set(F[n]!, value);
    this.boxed &= ~(1 << n);
  }
  /** Write the single (f32) to register `n`, NaN-boxed. */
  setBoxed(n: number, value: Value): void {
    this.ir.set(F[n]!, this.ir.float(ops.fbox, value));
    this.boxed |= 1 << n;
  }
  /** Register `n` is known to hold a NaN-boxed single. */
  isBoxed(n: number): boolean {
    return ((this.boxed >>> n) & 1) !== 0;
  }
  /** x[rs1] + offset. */
  addressOf(rs1: number, offset: number): Value {
    return offset === 0 ? this.x(rs1) : this.ir.add(this.x(rs1), this.imm(offset));
  }
  /** The access `mem` to a register: a 32-bit register has no sign to extend from a word. */
  access(mem: MemOp): MemOp {
    return mem === "s32" && !this.rv64 ? "u32" : mem;
  }
  load(mem: MemOp, address: Value): Value {
    return this.ir.ld(this.word, this.access(mem), address, this.mmu);
  }
  store(mem: MemOp, address: Value, value: Value): void {
    this.ir.st(mem, address, value, this.mmu);
  }

  /** A register-wide slot of the state block that no global names. */
  slot(offset: number): Value {
    return this.ir.envLd(this.word, this.rv64 ? "u64" : "u32", offset);
  }
  setSlot(offset: number, value: Value): void {
    this.ir.envSt(this.rv64 ? "u64" : "u32", offset, value);
  }

  /** Leave the block with exception `code`; the fault value is zero unless given. */
  raise(code: number, tval?: Value): void {
    const { ir } = this;
    ir.set(PC, this.address(0));
    const value = tval ?? this.imm(0);
    ir.envSt("u64", OFF.trapValue, this.rv64 ? value : ir.extuI32(value));
    ir.envSt("u32", ENV.exception, ir.const32(code + 1));
    ir.exit("exception");
  }
  /** Leave the block with an illegal-instruction exception. */
  illegal(): void {
    this.raise(EXC.ILLEGAL, this.rv64 ? this.ir.const64(BigInt(this.bits >>> 0)) : this.ir.const32(this.bits | 0));
    this.ctx.done = true;
  }

  /**
   * Leave for the instruction `offset` bytes from this one; `slot` 0 or 1 is this exit's chain slot. Blocks of two pages are
   * never chained: what stands behind the target's page may change, so that is a look-up in the jump cache.
   */
  jump(slot: 0 | 1, offset: number): void {
    const { ir } = this;
    ir.set(PC, this.address(offset));
    if (this.#inPage(offset)) ir.gotoTb(slot);
    else ir.gotoPtr("none");
  }
  /** The fetch exception of a jump taken by `offset` bytes, if it raises one. @returns whether it does. */
  misalignedTarget(offset: number): boolean {
    if (this.hart.ext.c || ((this.#pcLo + this.ctx.at + offset) & 2) === 0) return false;
    this.raise(EXC.FETCH_MISALIGNED, this.address(offset));
    return true;
  }
  /** The low half of a value that is a constant here, else undefined. */
  known(v: Value): number | undefined {
    const op = this.ir.block.ops[v];
    return op !== undefined && op.spec === ops.const ? op.imm : undefined;
  }
  /**
   * End the block before the next instruction, which is looked up: what the block was specialised on, or what its address
   * means, has changed.
   */
  endToLookup(): void {
    this.ir.set(PC, this.address(this.length));
    this.ir.gotoPtr("barrier");
    this.ctx.done = true;
  }
  /** End the block before the next instruction, leaving to the run loop. */
  endToLoop(reason: "next" | "halt" | "yield" = "next"): void {
    this.ir.set(PC, this.address(this.length));
    this.ir.exit(reason);
    this.ctx.done = true;
  }
  /** Branch over the code that `then` emits unless the condition holds. */
  when(cond: Cond, a: Value, b: Value, then: () => void): void {
    const skip = this.ir.label();
    this.ir.brcond(INVERSE[cond], a, b, skip);
    then();
    this.ir.place(skip);
  }

  /** mstatus.FS as it is at this point of the block. */
  get fs(): number {
    return this.#fs;
  }
  /** mstatus.FS is not Off. When it is, the instruction is illegal. */
  fpEnabled(): boolean {
    if (this.#fs !== FS.OFF) return true;
    this.illegal();
    return false;
  }
  /** The floating-point state is modified. */
  fpDirty(): void {
    if (this.#fs === FS.DIRTY) return;
    this.#fs = FS.DIRTY;
    const { ir } = this;
    ir.set("mstatus", ir.or(ir.get("mstatus"), ir.const32(MSTATUS_FS)));
    ir.set("tbflags", ir.or(ir.get("tbflags"), ir.const32(FS.DIRTY << FLAGS.fsShift)));
  }
}
