import { NO_LIST, resultType, type Block, type Op } from "./block.ts";
import type { IrContext } from "./context.ts";
import { IrError } from "./errors.ts";
import { ops, type OpSpec } from "./ops.ts";
import {
  HINTS, MEM_OPS, NONE, TB_EXITS,
  type Cond, type HelperSpec, type Hint, type IrType, type Label, type MemOp, type TbExit, type Value,
} from "./type.ts"; // prettier-ignore

/** The read-modify-write operations on guest memory. */
export type AtomicOp = "xchg" | "add" | "and" | "or" | "xor" | "smin" | "smax" | "umin" | "umax";

const ATOMIC: Readonly<Record<AtomicOp, OpSpec>> = {
  xchg: ops.atomic_xchg, add: ops.atomic_add, and: ops.atomic_and, or: ops.atomic_or, xor: ops.atomic_xor,
  smin: ops.atomic_smin, smax: ops.atomic_smax, umin: ops.atomic_umin, umax: ops.atomic_umax,
}; // prettier-ignore

const BITCAST: Readonly<Record<IrType, IrType>> = { i32: "f32", i64: "f64", f32: "i32", f64: "i64", v128: "v128" };

/** Low half of a number that is an integer of at most 2^53 in size. */
const low = (n: number): number => n | 0;
/** Its high half. */
const high = (n: number): number => Math.floor(n / 0x1_0000_0000) | 0;

/** Operations that are kept for passing blocks. */
const MOST_POOLED = 2048;

const BIG_ENDIAN: ReadonlySet<MemOp> = new Set(
  (Object.keys(MEM_OPS) as MemOp[]).filter((mem) => MEM_OPS[mem].bigEndian),
);

/** Where nothing is extended there is no sign. */
function whole(type: IrType, mem: MemOp): MemOp {
  return type === "i32" ? (mem === "s32" ? "u32" : mem === "s32be" ? "u32be" : mem) : mem;
}

/**
 * Writes one block after another. While building it shares constants and the values of globals within a run of
 * operations that no label interrupts; everything else is left to the optimiser.
 *
 * Types follow from the operands; operands of different types are refused at once, where the mistake is.
 */
export class Builder {
  readonly context: IrContext;
  /** The block being built. */
  block: Block;
  /** Per global: the value it was last known to hold, and the run of operations in which that is so. */
  readonly #known: Int32Array;
  readonly #knownIn: Int32Array;
  /** Number of the run; a label, or a call that writes everything, begins another one. */
  #run = 0;
  /** The constants that may be used again here: the first `#shared` of these. */
  readonly #constants: Value[] = [];
  #shared = 0;
  /** A 64-bit value and its halves, low first. */
  readonly #wide = new BigInt64Array(1);
  readonly #halves: Int32Array = new Int32Array(this.#wide.buffer);
  /** Last insn number. */
  #insns = 0;
  /** Some load or store of the block is big-endian. */
  swaps = false;
  /** Ways out of the block so far. */
  exits = 0;
  /** The operations of passing blocks: their objects are used again, as most code is translated once, run and forgotten. */
  readonly #pool: Op[] = [];
  #passing = false;

  constructor(context: IrContext) {
    this.context = context;
    this.#known = new Int32Array(context.globals.length);
    this.#knownIn = new Int32Array(context.globals.length).fill(-1);
    this.block = { name: "tb", pc: 0n, ops: [], labels: 0, globals: context.globals };
  }

  /**
   * Starts a new block; the previous one stays with whoever took it. `pc` is unsigned. The operations of a `passing` block
   * are good until the next passing one begins.
   */
  begin(pc: bigint, name: string = "tb", passing: boolean = false): void {
    this.#passing = passing;
    this.block = { name, pc, ops: [], labels: 0, globals: this.context.globals };
    this.#insns = 0;
    this.swaps = false;
    this.exits = 0;
    this.#forget();
  }

  /** Starts another part of the block: nothing is known, and the numbers of instructions go on. */
  nextPart(): void {
    const { name, pc } = this.block;
    this.block = { name, pc, ops: [], labels: 0, globals: this.context.globals };
    this.#forget();
  }

  /** A guest instruction passes that has no operations here. @returns its number */
  passInsn(): number {
    return this.#insns++;
  }

  /** The block as built so far. */
  finish(): Block {
    return this.block;
  }

  /** Type of a value. */
  typeOf(v: Value): IrType {
    return resultType(this.block.ops[v]!);
  }

  /** Whether `v` is the constant `n` (an integer; of an i64 its signed value). */
  isConst(v: Value, n: number): boolean {
    const op = this.block.ops[v]!;
    return op.spec === ops.const && op.imm === low(n) && op.imm2 === high(n);
  }

  // ---- constants

  /** An i32; `n` may be given signed or unsigned. */
  const32(n: number): Value {
    return this.constBits("i32", n | 0, (n | 0) >> 31);
  }

  /** An i64, taken modulo 2^64. */
  const64(n: bigint): Value {
    // Storing cuts to 64 bits: 7 ns, against 55 with BigInt.asIntN.
    this.#wide[0] = n;
    return this.constBits("i64", this.#halves[0]!, this.#halves[1]!);
  }

  /** An integer of the type, sign-extended; |n| ≤ 2^53. */
  constant(type: IrType, n: number): Value {
    return type === "i32" ? this.const32(n) : this.constBits(type, low(n), high(n));
  }

  /** A constant by its bits. For the 32-bit types `hi` is ignored. */
  constBits(type: IrType, lo: number, hi: number): Value {
    if (type === "i32" || type === "f32") hi = lo >> 31;
    const all = this.block.ops;
    const constants = this.#constants;
    for (let i = this.#shared - 1; i >= 0; i--) {
      const v = constants[i]!;
      const op = all[v]!;
      if (op.imm === lo && op.imm2 === hi && op.type === type) return v;
    }
    const v = this.#emit(ops.const, type, NONE, NONE, NONE, NONE, lo, hi);
    constants[this.#shared++] = v;
    return v;
  }

  // ---- state

  /** Value of a global, by index (see IrContext.global) or name. */
  get(global: number | string): Value {
    const index = typeof global === "number" ? global : this.context.global(global);
    if (this.#knownIn[index] === this.#run) return this.#known[index]! as Value;
    const v = this.#emit(ops.get, this.context.globals[index]!.type, NONE, NONE, NONE, NONE, index, 0);
    this.#note(index, v);
    return v;
  }

  set(global: number | string, v: Value): void {
    const index = typeof global === "number" ? global : this.context.global(global);
    const field = this.context.globals[index]!;
    if (this.typeOf(v) !== field.type) this.#mismatch(`set ${field.name}`, field.type, this.typeOf(v));
    this.#emit(ops.set, field.type, v, NONE, NONE, NONE, index, 0);
    this.#note(index, v);
  }

  #note(global: number, v: Value): void {
    this.#known[global] = v;
    this.#knownIn[global] = this.#run;
  }

  envLd(type: IrType, mem: MemOp, offset: number): Value {
    return this.#emit(ops.env_ld, type, NONE, NONE, NONE, NONE, offset, 0, "eq", whole(type, mem));
  }

  envSt(mem: MemOp, offset: number, v: Value): void {
    this.#emit(ops.env_st, this.typeOf(v), v, NONE, NONE, NONE, offset, 0, "eq", mem);
  }

  envAddr(offset: number): Value {
    return this.#emit(ops.env_addr, "i32", NONE, NONE, NONE, NONE, offset, 0);
  }

  // ---- arithmetic, logic, shifts

  add(a: Value, b: Value): Value { return this.#binary(ops.add, a, b); } // prettier-ignore
  sub(a: Value, b: Value): Value { return this.#binary(ops.sub, a, b); } // prettier-ignore
  mul(a: Value, b: Value): Value { return this.#binary(ops.mul, a, b); } // prettier-ignore
  mulsh(a: Value, b: Value): Value { return this.#binary(ops.mulsh, a, b); } // prettier-ignore
  muluh(a: Value, b: Value): Value { return this.#binary(ops.muluh, a, b); } // prettier-ignore
  mulsuh(a: Value, b: Value): Value { return this.#binary(ops.mulsuh, a, b); } // prettier-ignore
  div(a: Value, b: Value): Value { return this.#binary(ops.div, a, b); } // prettier-ignore
  divu(a: Value, b: Value): Value { return this.#binary(ops.divu, a, b); } // prettier-ignore
  rem(a: Value, b: Value): Value { return this.#binary(ops.rem, a, b); } // prettier-ignore
  remu(a: Value, b: Value): Value { return this.#binary(ops.remu, a, b); } // prettier-ignore
  and(a: Value, b: Value): Value { return this.#binary(ops.and, a, b); } // prettier-ignore
  or(a: Value, b: Value): Value { return this.#binary(ops.or, a, b); } // prettier-ignore
  xor(a: Value, b: Value): Value { return this.#binary(ops.xor, a, b); } // prettier-ignore
  andc(a: Value, b: Value): Value { return this.#binary(ops.andc, a, b); } // prettier-ignore
  orc(a: Value, b: Value): Value { return this.#binary(ops.orc, a, b); } // prettier-ignore
  eqv(a: Value, b: Value): Value { return this.#binary(ops.eqv, a, b); } // prettier-ignore
  nand(a: Value, b: Value): Value { return this.#binary(ops.nand, a, b); } // prettier-ignore
  nor(a: Value, b: Value): Value { return this.#binary(ops.nor, a, b); } // prettier-ignore
  shl(a: Value, b: Value): Value { return this.#binary(ops.shl, a, b); } // prettier-ignore
  shr(a: Value, b: Value): Value { return this.#binary(ops.shr, a, b); } // prettier-ignore
  sar(a: Value, b: Value): Value { return this.#binary(ops.sar, a, b); } // prettier-ignore
  rotl(a: Value, b: Value): Value { return this.#binary(ops.rotl, a, b); } // prettier-ignore
  rotr(a: Value, b: Value): Value { return this.#binary(ops.rotr, a, b); } // prettier-ignore

  neg(a: Value): Value { return this.#unary(ops.neg, a); } // prettier-ignore
  not(a: Value): Value { return this.#unary(ops.not, a); } // prettier-ignore
  clz(a: Value): Value { return this.#unary(ops.clz, a); } // prettier-ignore
  ctz(a: Value): Value { return this.#unary(ops.ctz, a); } // prettier-ignore
  ctpop(a: Value): Value { return this.#unary(ops.ctpop, a); } // prettier-ignore
  bswap16(a: Value): Value { return this.#unary(ops.bswap16, a); } // prettier-ignore
  bswap32(a: Value): Value { return this.#unary(ops.bswap32, a); } // prettier-ignore
  bswap64(a: Value): Value { return this.#unary(ops.bswap64, a); } // prettier-ignore
  ext8s(a: Value): Value { return this.#unary(ops.ext8s, a); } // prettier-ignore
  ext8u(a: Value): Value { return this.#unary(ops.ext8u, a); } // prettier-ignore
  ext16s(a: Value): Value { return this.#unary(ops.ext16s, a); } // prettier-ignore
  ext16u(a: Value): Value { return this.#unary(ops.ext16u, a); } // prettier-ignore
  ext32s(a: Value): Value { return this.#unary(ops.ext32s, a); } // prettier-ignore
  ext32u(a: Value): Value { return this.#unary(ops.ext32u, a); } // prettier-ignore

  /** Forms with an integer constant of a's type as second operand (|n| ≤ 2^53). */
  addI(a: Value, n: number): Value { return n === 0 ? a : this.add(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  mulI(a: Value, n: number): Value { return n === 1 ? a : this.mul(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  andI(a: Value, n: number): Value { return n === -1 ? a : this.and(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  orI(a: Value, n: number): Value { return n === 0 ? a : this.or(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  xorI(a: Value, n: number): Value { return n === 0 ? a : this.xor(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  shlI(a: Value, n: number): Value { return n === 0 ? a : this.shl(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  shrI(a: Value, n: number): Value { return n === 0 ? a : this.shr(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  sarI(a: Value, n: number): Value { return n === 0 ? a : this.sar(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  rotlI(a: Value, n: number): Value { return n === 0 ? a : this.rotl(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  rotrI(a: Value, n: number): Value { return n === 0 ? a : this.rotr(a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  setcondI(cond: Cond, a: Value, n: number): Value { return this.setcond(cond, a, this.constant(this.typeOf(a), n)); } // prettier-ignore
  brcondI(cond: Cond, a: Value, n: number, l: Label): void { this.brcond(cond, a, this.constant(this.typeOf(a), n), l); } // prettier-ignore

  /** `length` bits from `bit` upwards, zero-extended. */
  extract(a: Value, bit: number, length: number): Value {
    return this.#emit(ops.extract, this.#integer("extract", a), a, NONE, NONE, NONE, bit, length);
  }

  /** `length` bits from `bit` upwards, sign-extended. */
  sextract(a: Value, bit: number, length: number): Value {
    return this.#emit(ops.sextract, this.#integer("sextract", a), a, NONE, NONE, NONE, bit, length);
  }

  /** a with `length` bits from `bit` upwards replaced by the low bits of b. */
  deposit(a: Value, b: Value, bit: number, length: number): Value {
    return this.#emit(ops.deposit, this.#same("deposit", a, b), a, b, NONE, NONE, bit, length);
  }

  /** Low half of (b:a) >> bit, 0 < bit < width. */
  extract2(a: Value, b: Value, bit: number): Value {
    return this.#emit(ops.extract2, this.#same("extract2", a, b), a, b, NONE, NONE, bit, 0);
  }

  // ---- comparison

  setcond(cond: Cond, a: Value, b: Value): Value {
    return this.#emit(ops.setcond, this.#same("setcond", a, b), a, b, NONE, NONE, 0, 0, cond);
  }

  negsetcond(cond: Cond, a: Value, b: Value): Value {
    return this.#emit(ops.negsetcond, this.#same("negsetcond", a, b), a, b, NONE, NONE, 0, 0, cond);
  }

  /** `yes` if the condition holds between a and b, else `no`; all of one type. */
  movcond(cond: Cond, a: Value, b: Value, yes: Value, no: Value): Value {
    const type = this.#same("movcond", a, b);
    if (this.#same("movcond", yes, no) !== type) this.#mismatch("movcond", type, this.typeOf(yes));
    return this.#emit(ops.movcond, type, a, b, yes, no, 0, 0, cond);
  }

  // ---- change of type

  /** i32 to i64, sign-extended. */
  extI32(a: Value): Value { return this.#convert(ops.ext_i32, a); } // prettier-ignore
  /** i32 to i64, zero-extended. */
  extuI32(a: Value): Value { return this.#convert(ops.extu_i32, a); } // prettier-ignore
  /** Low half of an i64. */
  extrl(a: Value): Value { return this.#convert(ops.extrl, a); } // prettier-ignore
  /** High half of an i64. */
  extrh(a: Value): Value { return this.#convert(ops.extrh, a); } // prettier-ignore

  /** The bits of `a` in the other register file: i32 ↔ f32, i64 ↔ f64. */
  bitcast(a: Value): Value {
    return this.#emit(ops.bitcast, BITCAST[this.typeOf(a)], a, NONE, NONE, NONE, 0, 0);
  }

  /** A floating-point operation of the table by its row, e.g. `float(ops.fadd, a, b)`; T is the type of a. */
  float(spec: OpSpec, a: Value, b: Value = NONE, c: Value = NONE): Value {
    const type = this.typeOf(a);
    if (b >= 0 && this.typeOf(b) !== type) this.#mismatch(spec.name, type, this.typeOf(b));
    if (c >= 0 && this.typeOf(c) !== type) this.#mismatch(spec.name, type, this.typeOf(c));
    return this.#emit(spec, spec.types.length === 0 ? (spec.result as IrType) : type, a, b, c, NONE, 0, 0);
  }

  /** Integer to float: `spec` is one of ops.from_…. */
  fromInt(spec: OpSpec, type: "f32" | "f64", a: Value): Value {
    return this.#emit(spec, type, a, NONE, NONE, NONE, 0, 0);
  }

  // ---- vectors

  /** An operation on vectors by its row, e.g. `vector(ops.i32x4_add, a, b)`; of one with lanes `lane` is the lane. */
  vector(spec: OpSpec, a: Value, b: Value = NONE, c: Value = NONE, lane: number = 0): Value {
    const operands = spec.operands;
    for (const [n, v] of [a, b, c].entries())
      if (operands[n] === undefined ? v !== NONE : v < 0 || this.typeOf(v) !== operands[n])
        this.#mismatch(spec.name, operands[n] ?? "no more", v < 0 ? "nothing" : this.typeOf(v));
    return this.#emit(spec, spec.result as IrType, a, b, c, NONE, lane, 0);
  }

  /** A constant vector of 16 bytes. */
  const128(bytes: readonly number[]): Value {
    return this.#emit(ops.v128_const, "v128", NONE, NONE, NONE, NONE, 0, 0, "eq", "u8", undefined, [...bytes]);
  }

  /** Bytes of a (0…15) and b (16…31) by 16 indexes. */
  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    this.#same("i8x16_shuffle", a, b);
    return this.#emit(ops.i8x16_shuffle, "v128", a, b, NONE, NONE, 0, 0, "eq", "u8", undefined, [...lanes]);
  }

  // ---- guest memory

  /** Loads from guest memory at `address` (i32 or i64, as wide as the guest's addresses). */
  ld(type: IrType, mem: MemOp, address: Value, mmu: number): Value {
    if (BIG_ENDIAN.has(mem)) this.swaps = true;
    return this.#emit(ops.ld, type, address, NONE, NONE, NONE, mmu, 0, "eq", whole(type, mem));
  }

  st(mem: MemOp, address: Value, v: Value, mmu: number): void {
    if (BIG_ENDIAN.has(mem)) this.swaps = true;
    this.#emit(ops.st, this.typeOf(v), address, v, NONE, NONE, mmu, 0, "eq", mem);
  }

  /** Read-modify-write; the result is the old value. The address must be aligned: the translator checks. */
  atomic(op: AtomicOp, mem: MemOp, address: Value, v: Value, mmu: number): Value {
    const type = this.#integer("atomic", v);
    return this.#emit(ATOMIC[op], type, address, v, NONE, NONE, mmu, 0, "eq", whole(type, mem));
  }

  /** Compare and exchange; the result is the old value. */
  cmpxchg(mem: MemOp, address: Value, expected: Value, replacement: Value, mmu: number): Value {
    const type = this.#same("atomic_cmpxchg", expected, replacement);
    return this.#emit(ops.atomic_cmpxchg, type, address, expected, replacement, NONE, mmu, 0, "eq", whole(type, mem));
  }

  /** Memory barrier: 1 load-load, 2 load-store, 4 store-load, 8 store-store. */
  mb(bits: number = 15): void {
    this.#emit(ops.mb, "i32", NONE, NONE, NONE, NONE, bits, 0);
  }

  // ---- control

  /** Calls a helper, with a value for each parameter but `env`. NONE if the helper has no result. */
  call(helper: HelperSpec | string, ...args: Value[]): Value {
    const h = typeof helper === "string" ? this.context.helper(helper) : helper;
    const params = h.params;
    let n = 0;
    for (let i = 0; i < params.length; i++) {
      if (params[i] === "env") continue;
      const v = args[n++];
      if (v === undefined) throw new IrError("type", `${h.name} needs more than ${args.length} operands`);
      if (this.typeOf(v) !== params[i]) this.#mismatch(h.name, params[i]!, this.typeOf(v));
    }
    if (n !== args.length) throw new IrError("type", `${h.name} takes ${n} operands, got ${args.length}`);
    const v = this.#emit(ops.call, h.result ?? "i32", NONE, NONE, NONE, NONE, 0, 0, "eq", "u8", h, args);
    if (h.writes === undefined || h.writes === "all") this.#nextRun();
    else for (const name of h.writes) this.#knownIn[this.context.global(name)] = -1;
    return h.result === undefined ? NONE : v;
  }

  /** A label, to be placed once. */
  label(): Label {
    return this.block.labels++ as Label;
  }

  place(l: Label): void {
    this.#emit(ops.label, "i32", NONE, NONE, NONE, NONE, l, 0);
    this.#forget();
  }

  br(l: Label): void {
    this.#emit(ops.br, "i32", NONE, NONE, NONE, NONE, l, 0);
  }

  /** `rare`: the condition is not expected to hold. */
  brcond(cond: Cond, a: Value, b: Value, l: Label, rare: boolean = false): void {
    this.#emit(ops.brcond, this.#same("brcond", a, b), a, b, NONE, NONE, l, rare ? 1 : 0, cond);
  }

  /** Leaves for the interpreter, before the guest instruction, if the condition holds. Only if `TranslateContext.guards`. */
  guard(cond: Cond, a: Value, b: Value): void {
    this.#emit(ops.guard, this.#same("guard", a, b), a, b, NONE, NONE, 0, 0, cond);
  }

  /** A guest instruction starts. The words restore the vCPU's state if it faults (first: offset from the block's pc). */
  insn(...words: number[]): void {
    this.#emit(ops.insn, "i32", NONE, NONE, NONE, NONE, this.#insns++, 0, "eq", "u8", undefined, words);
  }

  /** Leaves for the block at the global pc, set before to a constant; chain slot 0 or 1. */
  gotoTb(slot: 0 | 1): void {
    this.exits++;
    this.#emit(ops.goto_tb, "i32", NONE, NONE, NONE, NONE, slot, 0);
  }

  /** Leaves for the block at the global pc. */
  gotoPtr(hint: Hint = "none"): void {
    this.exits++;
    this.#emit(ops.goto_ptr, "i32", NONE, NONE, NONE, NONE, HINTS.indexOf(hint), 0);
  }

  /** Leaves to the run loop. */
  exit(reason: TbExit = "next"): void {
    this.exits++;
    this.#emit(ops.exit_tb, "i32", NONE, NONE, NONE, NONE, TB_EXITS.indexOf(reason), 0);
  }

  // ----

  #emit(
    spec: OpSpec, type: IrType, a: Value, b: Value, c: Value, d: Value, imm: number, imm2: number,
    cond: Cond = "eq", mem: MemOp = "u8", helper: HelperSpec | undefined = undefined, list: number[] = NO_LIST,
  ): Value {
    const all = this.block.ops;
    const v = all.length as Value;
    const used = this.#passing ? this.#pool[v] : undefined;
    if (used !== undefined) {
      const op = used as { -readonly [K in keyof Op]: Op[K] };
      op.spec = spec;
      op.type = type;
      op.a = a;
      op.b = b;
      op.c = c;
      op.d = d;
      op.imm = imm | 0;
      op.imm2 = imm2 | 0;
      op.cond = cond;
      op.mem = mem;
      op.helper = helper;
      op.list = list;
      all.push(op);
      return v;
    }
    // As int32, so that no field ever holds a boxed number: bench/build-optimise.ts.
    const op: Op = { spec, type, a, b, c, d, imm: imm | 0, imm2: imm2 | 0, cond, mem, helper, list };
    if (this.#passing && v < MOST_POOLED) this.#pool[v] = op;
    all.push(op);
    return v;
  } // prettier-ignore

  #binary(spec: OpSpec, a: Value, b: Value): Value {
    return this.#emit(spec, this.#same(spec.name, a, b), a, b, NONE, NONE, 0, 0);
  }

  #unary(spec: OpSpec, a: Value): Value {
    return this.#emit(spec, this.#integer(spec.name, a), a, NONE, NONE, NONE, 0, 0);
  }

  #convert(spec: OpSpec, a: Value): Value {
    const from = spec.operands[0] as IrType;
    if (this.typeOf(a) !== from) this.#mismatch(spec.name, from, this.typeOf(a));
    return this.#emit(spec, spec.result as IrType, a, NONE, NONE, NONE, 0, 0);
  }

  #integer(name: string, a: Value): IrType {
    const type = this.typeOf(a);
    if (type !== "i64" && type !== "i32") this.#mismatch(name, "i32 or i64", type);
    return type;
  }

  #same(name: string, a: Value, b: Value): IrType {
    const type = this.typeOf(a);
    if (this.typeOf(b) !== type) this.#mismatch(name, type, this.typeOf(b));
    return type;
  }

  #mismatch(name: string, wanted: string, got: string): never {
    throw new IrError("type", `${name} wants ${wanted}, got ${got}`);
  }

  /** At a label nothing is known, and no constant defined before it can be relied on. */
  #forget(): void {
    this.#nextRun();
    this.#shared = 0;
  }

  #nextRun(): void {
    this.#run = (this.#run + 1) & 0x3fff_ffff;
    if (this.#run === 0) this.#knownIn.fill(-1);
  }
}
