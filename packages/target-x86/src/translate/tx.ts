/** What the translators of instructions work with. */
import { ENV, INVERSE, NONE, ops } from "@mimus/tcg";
import type { Builder, Cond, HelperSpec, Label, MemOp, TranslateContext, Value } from "@mimus/tcg";
import type { X86Config } from "../config.ts";
import { OPERAND, type Encoding, type Insn } from "../insn.ts";
import { FLAG, HF, OFF, type WordSize } from "../state.ts";
import { effective, segmentAddress, type SegmentAccess } from "./address.ts";
import type { Comparison } from "./flag-view.ts";
import { LazyFlags, type FlagKind, type FlagOperands } from "./lazy-flags.ts";
import { access, rmw } from "./operand.ts";
import { pop, push } from "./stack.ts";
import { memOf } from "./width.ts";

/** Translates one instruction. */
export type Translate = (t: Tx, i: Insn) => void;
/** One function for each name in the rows of a chapter. */
export type Translators<Rows extends readonly Encoding[]> = Readonly<Record<Rows[number]["name"], Translate>>;

/**
 * The block under translation.
 *
 * Operands of 1, 2 and 4 bytes are i32, of 8 bytes i64. Values of 1 and 2 bytes are zero-extended where they are read,
 * and may hold anything above where they are written. Addresses are of the word type, cut to the address size.
 */
export class Tx {
  readonly ctx: TranslateContext;
  readonly ir: Builder;
  readonly cpuConfig: X86Config;
  readonly word: WordSize;
  /** Type of a general register. */
  readonly type: "i32" | "i64";
  /** tbFlags of the block: bits of HF. */
  readonly flags: number;
  /** The instruction is locked without LOCK: it is XCHG. */
  alwaysLocked = false;
  /** Width in bits of code and of stack addresses. */
  readonly code: 16 | 32 | 64;
  readonly stack: 16 | 32 | 64;
  readonly cpl: number;
  readonly iopl: number;
  /** TLB of data accesses. */
  readonly mmu: number;
  /** Linear address of the block: halves, signed. */
  readonly #pcLo: number;
  readonly #pcHi: number;
  readonly lazy: LazyFlags;
  /** The cc_op that was seen at the block's start, -1 not known: flags are expected to be of it. */
  guess = -1;
  /** Helpers that read or write the flags, by name. */
  readonly #flagHelpers: ReadonlySet<string>;
  /** What POP to memory adds to the stack pointer in addresses. */
  spBias = 0;
  /** The instruction. */
  i: Insn;
  /** Selectors that the x87's pointers hold already in this block: bit n segment n of the data pointer, bit 8 that of the code. */
  x87Selectors = 0;
  /** Linear addresses of this instruction's operands, NONE until asked for; by operand, for writing or not. */
  readonly addresses: Value[] = [NONE, NONE, NONE, NONE];

  constructor(ctx: TranslateContext, config: X86Config, insn: Insn, flagHelpers: ReadonlySet<string>) {
    this.ctx = ctx;
    this.ir = ctx.ir;
    this.cpuConfig = config;
    this.word = config.word;
    this.type = config.word === 64 ? "i64" : "i32";
    this.i = insn;
    const { flags } = ctx;
    this.flags = flags;
    this.#pcLo = ctx.pcLo;
    this.#pcHi = ctx.pcHi;
    this.code = flags & (2 << HF.codeShift) ? 64 : flags & (1 << HF.codeShift) ? 32 : 16;
    this.stack = this.code === 64 ? 64 : flags & HF.ss32 ? 32 : 16;
    this.cpl = (flags >>> HF.cplShift) & 3;
    this.iopl = (flags >>> HF.ioplShift) & 3;
    this.mmu = flags & HF.mmu;
    this.#flagHelpers = flagHelpers;
    this.lazy = new LazyFlags(this);
  }

  /** Starts an instruction that has been decoded into `i`. */
  start(): void {
    const { addresses } = this;
    addresses[0] = addresses[1] = addresses[2] = addresses[3] = NONE;
    this.ir.insn(this.ctx.at, this.lazy.word);
  }

  /** The CPU has a feature, by QEMU's name of the property. */
  has(feature: string): boolean {
    return this.cpuConfig.features.has(feature);
  }
  /** CR0.PE is set and EFLAGS.VM clear. */
  get protectedMode(): boolean {
    return (this.flags & (HF.pe | HF.vm)) === HF.pe;
  }

  // ---- constants and widths

  /** An integer of the word type. */
  imm(n: number): Value {
    return this.ir.constant(this.type, n);
  }
  /** An integer of the type that operands of `size` bytes have. */
  sized(size: number, n: number): Value {
    return this.ir.constant(size === 8 ? "i64" : "i32", n);
  }
  /** i32 to word, zero-extended. */
  toWord(v: Value): Value {
    return this.word === 64 && this.ir.typeOf(v) === "i32" ? this.ir.extuI32(v) : v;
  }
  /** i32 to word, sign-extended. */
  toWordSigned(v: Value): Value {
    return this.word === 64 && this.ir.typeOf(v) === "i32" ? this.ir.extI32(v) : v;
  }
  /** The low 32 bits as i32. */
  low(v: Value): Value {
    return this.ir.typeOf(v) === "i64" ? this.ir.extrl(v) : v;
  }
  /** The low `size` bytes, zero-extended; i64 when size is 8. */
  zext(v: Value, size: number): Value {
    const { ir } = this;
    if (size === 8) return this.ir.typeOf(v) === "i32" ? ir.extuI32(v) : v;
    const low = this.low(v);
    return size === 1 ? ir.ext8u(low) : size === 2 ? ir.ext16u(low) : low;
  }
  /** The low `size` bytes, sign-extended to the type of operands of that size. */
  sext(v: Value, size: number): Value {
    const { ir } = this;
    if (size === 8) return ir.typeOf(v) === "i32" ? ir.extI32(v) : v;
    const low = this.low(v);
    return size === 1 ? ir.ext8s(low) : size === 2 ? ir.ext16s(low) : low;
  }
  /** The constant that `v` is here (its low 32 bits, signed), else undefined. */
  known(v: Value): number | undefined {
    const op = this.ir.block.ops[v];
    return op !== undefined && op.spec === ops.const ? op.imm : undefined;
  }

  // ---- registers

  /** The whole global of general register `n`: they are the first globals. */
  wordReg(n: number): Value {
    return this.ir.get(n);
  }
  setWordReg(n: number, v: Value): void {
    this.ir.set(n, v);
  }
  /** General register `n`, zero-extended from `size` bytes; `high`: AH, CH, DH, BH are n 0..3. */
  reg(n: number, size: number, high: boolean = false): Value {
    const g = this.wordReg(n);
    if (size === 8) return g;
    const low = this.low(g);
    if (size === 4) return low;
    if (size === 2) return this.ir.ext16u(low);
    return high ? this.ir.extract(low, 8, 8) : this.ir.ext8u(low);
  }
  /** Writes the low `size` bytes of `v`; of 4 bytes the upper half becomes 0. */
  setReg(n: number, size: number, v: Value, high: boolean = false): void {
    const { ir } = this;
    if (size === 8) return this.setWordReg(n, v);
    if (size === 4) return this.setWordReg(n, this.toWord(v));
    const part = this.word === 64 ? ir.extuI32(v) : v;
    this.setWordReg(n, ir.deposit(this.wordReg(n), part, high ? 8 : 0, 8 * size));
  }
  /** Writes a register in an address size: 2 leaves the rest, 4 clears the upper half. `v` is of the word type. */
  setAddressReg(n: number, size: number, v: Value): void {
    if (8 * size === this.word) this.setWordReg(n, v);
    else if (size === 4) this.setWordReg(n, this.ir.ext32u(v));
    else this.setWordReg(n, this.ir.deposit(this.wordReg(n), v, 0, 16));
  }
  /** A register as part of an address: of the word type, cut to `size` bytes. */
  addressReg(n: number, size: number): Value {
    return this.cut(this.wordReg(n), size);
  }
  /** A value of the word type, zero-extended from `size` bytes. */
  cut(v: Value, size: number): Value {
    if (8 * size >= this.word) return v;
    return size === 2 ? this.ir.ext16u(v) : this.ir.ext32u(v);
  }

  // ---- memory

  /** Offset of the memory operand without segment, of the word type, cut to `size` bytes (default: the address size). */
  effective(i: Insn = this.i, size: number = i.adSize): Value {
    return effective(this, i, size);
  }
  /** Linear address of the memory operand, checked for `bytes` bytes where segments are not flat: #GP(0), #SS(0). */
  linear(i: Insn, bytes: number, how: SegmentAccess): Value {
    return segmentAddress(this, i.mem.seg, this.effective(i), bytes, how);
  }
  /** Linear address of `offset` (word type) in segment `seg`, checked like {@link linear}. */
  segAddress(seg: number, offset: Value, bytes: number, how: SegmentAccess): Value {
    return segmentAddress(this, seg, offset, bytes, how);
  }
  /** An integer from memory: i64 for u64, else i32. */
  load(mem: MemOp, address: Value): Value {
    return this.ir.ld(mem === "u64" ? "i64" : "i32", mem, address, this.mmu);
  }
  store(mem: MemOp, address: Value, v: Value): void {
    this.ir.st(mem, address, v, this.mmu);
  }
  /** Other vCPUs run at the same time, and the instruction is one step for them: it has LOCK, or is XCHG with memory. */
  get locked(): boolean {
    return this.ctx.shared && (this.i.lock || this.alwaysLocked);
  }
  /** Stores `v` if `old` is still there; else the instruction, which has changed nothing so far, begins anew. */
  exchangeOrRetry(mem: MemOp, address: Value, old: Value, v: Value): void {
    const { ir } = this;
    const seen = ir.cmpxchg(mem, address, old, v, this.mmu);
    this.rarely("ne", seen, old, () => {
      this.lazy.store();
      ir.set("pc", this.pcValueAt(0));
      ir.exit("next");
    });
  }
  /** 16 bytes; nothing is checked about alignment. */
  loadVec(address: Value): Value {
    return this.ir.ld("v128", "v128", address, this.mmu);
  }
  storeVec(address: Value, v: Value): void {
    this.ir.st("v128", address, v, this.mmu);
  }

  // ---- operands of the instruction

  /** Linear address of memory operand `k`; computed once. */
  address(k: number, how: SegmentAccess): Value {
    return access(this, k, how);
  }
  /** Integer operand `k`: register, memory, immediate; `size` is that of the operand unless given. */
  read(k: number, size: number = this.i.operands[k]!.size): Value {
    const o = this.i.operands[k]!;
    switch (o.kind) {
      case OPERAND.reg:
        return this.reg(o.n, size, o.high);
      case OPERAND.imm:
      case OPERAND.rel:
        return this.immediate(size);
      case OPERAND.imm2:
        return this.sized(size, this.i.imm2);
      case OPERAND.one:
        return this.sized(size, o.n);
      default:
        return this.load(memOf(size), this.address(k, "r"));
    }
  }
  /** The first immediate as an operand of `size` bytes (1 and 2: zero-extended). */
  immediate(size: number): Value {
    const { immLo, immHi } = this.i;
    if (size === 8) return this.ir.constBits("i64", immLo | 0, immHi | 0);
    return this.ir.const32(size === 1 ? immLo & 0xff : size === 2 ? immLo & 0xffff : immLo);
  }
  /** Writes operand `k`, register or memory. */
  write(k: number, v: Value): void {
    const o = this.i.operands[k]!;
    if (o.kind === OPERAND.reg) this.setReg(o.n, o.size, v, o.high);
    else this.store(memOf(o.size), this.address(k, "w"), v);
  }
  /** Read-modify-write of operand `k`, atomic with LOCK. What `fn` emits may not fault, nor change registers or flags. @returns the new value */
  rmw(k: number, fn: (old: Value) => Value): Value {
    return rmw(this, k, fn);
  }

  // ---- stack

  /** Pushes the low `size` bytes; the stack pointer changes once the store is done. */
  push(v: Value, size: number): void {
    push(this, v, size);
  }
  /** Pops `size` bytes; the stack pointer has changed. */
  pop(size: number): Value {
    return pop(this, size);
  }

  // ---- program counter

  /** Linear address `offset` bytes from the instruction's start, unsigned. */
  pcAt(offset: number): bigint {
    const at = this.ctx.pc + BigInt(this.ctx.at + offset);
    return this.code === 64 ? BigInt.asUintN(64, at) : BigInt.asUintN(32, at);
  }
  /** Linear address of the next instruction. */
  nextPc(): bigint {
    return this.pcAt(this.i.length);
  }
  /** A linear address as a value of the word type. */
  pcValue(pc: bigint): Value {
    return this.word === 64 ? this.ir.const64(pc) : this.ir.const32(Number(BigInt.asIntN(32, pc)));
  }
  /** Linear address `offset` (|offset| ≤ 2³²) bytes from the instruction's start, of the word type. */
  pcValueAt(offset: number): Value {
    if (this.word === 32) return this.ir.const32((this.#pcLo + this.ctx.at + offset) | 0);
    const lo = (this.#pcLo >>> 0) + this.ctx.at + offset;
    const hi = this.code === 64 ? this.#pcHi + Math.floor(lo / 0x1_0000_0000) : 0;
    return this.ir.constBits("i64", lo | 0, hi | 0);
  }
  /** Linear address of the next instruction, of the word type. */
  pcNext(): Value {
    return this.pcValueAt(this.i.length);
  }
  /** Offset in CS of a linear address, of the word type, zero-extended. */
  ipOf(pc: bigint): Value {
    return this.#ipOf(this.pcValue(pc));
  }
  #ipOf(v: Value): Value {
    if ((this.flags & HF.csBase) === 0) return v;
    return this.cut(this.ir.sub(v, this.ir.get("cs_base")), 4);
  }
  /** IP of the next instruction, and of this one: of the word type, zero-extended. */
  ipNext(): Value {
    return this.#ipOf(this.pcNext());
  }
  ipHere(): Value {
    return this.#ipOf(this.pcValueAt(0));
  }

  // ---- flags

  /** The arithmetic flags come from this operation; see flags.ts for what `src` and `src2` are. */
  setFlags(kind: FlagKind, size: number, operands: FlagOperands): void {
    this.lazy.set(kind, size, operands);
  }
  /** All arithmetic flags (CF PF AF ZF SF OF) become the bits of `v` (i32). */
  setFlagBits(v: Value): void {
    this.lazy.set("eflags", 1, { src: this.ir.andI(v, FLAG.cf | FLAG.pf | FLAG.af | FLAG.zf | FLAG.sf | FLAG.of) });
  }
  /** Stores which operation the flags are of, so that helpers can tell. */
  flushFlags(): void {
    this.lazy.flush();
  }
  /** All arithmetic flags as EFLAGS has them, i32. */
  eflagsValue(): Value {
    return this.lazy.bits();
  }
  /** Condition 0..15 as encodings have it: i32 0 or 1. */
  cond(cc: number): Value {
    return this.lazy.setcond(cc);
  }
  /** Condition 0..15 as one comparison. */
  comparison(cc: number): Comparison {
    return this.lazy.comparison(cc);
  }
  /** Branches if condition 0..15 holds. */
  brcondFlags(cc: number, label: Label): void {
    const c = this.comparison(cc);
    this.ir.brcond(c.cond, c.a, c.b, label);
  }

  // ---- control

  /** Emits `then` under a condition. What is known of the flags must not change in it, unless it leaves the block. */
  when(cond: Cond, a: Value, b: Value, then: () => void): void {
    const { ir } = this;
    const skip = ir.label();
    ir.brcond(INVERSE[cond], a, b, skip);
    then();
    ir.place(skip);
  }
  /** The same where the condition is not expected to hold; `then` leaves the block. */
  rarely(cond: Cond, a: Value, b: Value, then: () => void): void {
    const { ir } = this;
    const rare = ir.label();
    const go = ir.label();
    ir.brcond(cond, a, b, rare, true);
    ir.br(go);
    ir.place(rare);
    then();
    ir.place(go);
  }
  /**
   * Leaves the block with an exception of this instruction (a fault: pc is the instruction's). It does not set `ctx.done`,
   * for it may stand under a label; {@link ud} and {@link gp0} are whole translations and do.
   */
  raise(vector: number, errorCode: number = -1): void {
    this.#raise(vector, this.ir.const32(errorCode), 0, 0);
  }
  /**
   * Raises an exception of this instruction, which has changed nothing so far, if the condition holds; that is not
   * expected. It is no way out of the block, so that blocks with it can be inlined; regions leave it to the interpreter.
   */
  raiseIf(cond: Cond, a: Value, b: Value, vector: number, errorCode: number = -1): void {
    const { ir } = this;
    if (this.ctx.guards) return ir.guard(cond, a, b);
    const code = (): void => void ir.call("raise", ir.const32(vector), ir.const32(errorCode));
    this.rarely(cond, a, b, code);
  }
  /** {@link raise} with an error code that is a value (i32). */
  raiseWith(vector: number, errorCode: Value): void {
    this.#raise(vector, errorCode, 0, 0);
  }
  /**
   * Leaves with what happens after the instruction (pc is the next one's), or, when `soft`, with what INT n, INT3, INTO
   * and INT1 are: pc is the instruction's, and `softLength` leads to the next one.
   */
  trap(vector: number, soft: boolean): void {
    this.#raise(vector, this.ir.const32(-1), soft ? 0 : this.i.length, soft ? this.i.length : 0);
  }
  #raise(vector: number, errorCode: Value, offset: number, softLength: number): void {
    const { ir } = this;
    this.lazy.store();
    ir.set("pc", this.pcValueAt(offset));
    ir.envSt("u32", OFF.errorCode, errorCode);
    ir.envSt("u32", OFF.softLength, ir.const32(softLength));
    ir.envSt("u32", ENV.exception, ir.const32(vector + 1));
    ir.exit("exception");
  }
  /** The instruction is undefined here. */
  ud(): void {
    this.raise(6);
    this.ctx.done = true;
  }
  /** The instruction is not allowed here: #GP(0). */
  gp0(): void {
    this.raise(13, 0);
    this.ctx.done = true;
  }
  /** Calls a helper; one that reads or writes the flags finds them in the state, and after one that writes them they are there. */
  call(helper: string | HelperSpec, ...args: Value[]): Value {
    const name = typeof helper === "string" ? helper : helper.name;
    const touches = this.#flagHelpers.has(name);
    if (touches) this.flushFlags();
    const v = this.ir.call(helper, ...args);
    if (touches) this.lazy.forget();
    return v;
  }

  // ---- ends of the block

  /** Goes on at a constant linear address; `slot` 0 or 1 is this exit's chain slot. */
  jump(slot: 0 | 1, target: bigint): void {
    this.#jump(slot, this.pcValue(target), target >> 12n === BigInt.asUintN(64, this.ctx.pc) >> 12n);
  }
  /** Goes on `offset` (|offset| ≤ 2³²) bytes from the instruction's start, where IP does not wrap in between. */
  jumpBy(slot: 0 | 1, offset: number): void {
    const lo = (this.#pcLo >>> 0) + this.ctx.at + offset;
    this.#jump(slot, this.pcValueAt(offset), Math.floor(lo / 4096) === this.#pcLo >>> 12);
  }
  #jump(slot: 0 | 1, target: Value, samePage: boolean): void {
    const { ir } = this;
    this.lazy.store();
    ir.set("pc", target);
    if (this.#slowEnd()) return;
    if (samePage) ir.gotoTb(slot);
    else ir.gotoPtr("none");
  }
  /** Goes on at a linear address, of the word type. */
  jumpTo(target: Value, hint: "none" | "call" | "return" | "indirect" | "barrier" = "none"): void {
    this.lazy.store();
    this.ir.set("pc", target);
    if (!this.#slowEnd()) this.ir.gotoPtr(hint);
  }
  /** With TF set, or a breakpoint hit, the block ends in #DB; after the shadow of STI the run loop looks at interrupts. */
  #slowEnd(): boolean {
    const { ir, flags } = this;
    if ((flags & (HF.tf | HF.breakpoints)) !== 0) {
      const stepping = (flags & HF.tf) !== 0;
      const hit = ir.call("break_after", ir.const32(stepping ? 1 : 0));
      const none = ir.label();
      if (!stepping) ir.brcondI("eq", hit, 0, none);
      ir.exit("exception");
      if (stepping) return true;
      ir.place(none);
    }
    if ((flags & HF.shadow) === 0) return false;
    ir.exit("next");
    return true;
  }
  /** Ends the block before the next instruction, which is looked up: what the block was specialised on has changed. */
  endToLookup(): void {
    this.jumpTo(this.pcNext(), "barrier");
    this.ctx.done = true;
  }
  /** Ends the block before the next instruction, leaving to the run loop. */
  endToLoop(reason: "next" | "halt" | "yield" = "next"): void {
    this.lazy.store();
    this.ir.set("pc", this.pcNext());
    if ((this.flags & HF.tf) === 0 || !this.#slowEnd()) this.ir.exit(reason);
    this.ctx.done = true;
  }
  /** Ends the block; a helper has set the program counter and all that goes with it. */
  endAtPc(how: "lookup" | "loop" = "loop"): void {
    this.lazy.store();
    if (!this.#slowEnd()) {
      if (how === "lookup") this.ir.gotoPtr("barrier");
      else this.ir.exit("next");
    }
    this.ctx.done = true;
  }
}
