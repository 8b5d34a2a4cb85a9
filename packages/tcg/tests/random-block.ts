/** Random valid blocks for property tests: a list of numbers is read as a list of choices, so that cases shrink. */
import {
  Builder, HOST_FMA, IrContext, MEM_OPS, OPS, ops,
  type AtomicOp, type Block, type EnvField, type EvalState, type HelperSpec, type IrType, type Label,
  type MemOp, type OpSpec, type TbExit, type Value, CONDS, HINTS, TB_EXITS,
} from "@mimus/tcg"; // prettier-ignore

const field = (name: string, offset: number, type: IrType): EnvField => ({ name, offset, type });

/** The globals of the tests: six words, two halves of words, a pc, two vectors. */
export const GLOBALS: readonly EnvField[] = [
  ...[1, 2, 3, 4, 5, 6].map((n) => field(`x${n}`, 128 + 8 * n, "i64")),
  field("w1", 256, "i32"),
  field("w2", 260, "i32"),
  field("pc", 384, "i64"),
  field("v1", 272, "v128"),
  field("v2", 288, "v128"),
];

/** Helpers of the tests, one of each sort of declaration. */
export const HELPERS: readonly HelperSpec[] = [
  { name: "mix", params: ["i32", "i32"], result: "i32", pure: true, reads: [], writes: [] },
  { name: "quiet", params: ["env", "i32"], result: "i32", reads: [], writes: [] },
  { name: "peek2", params: ["env"], result: "i32", reads: ["x2"], writes: [] },
  { name: "poke3", params: ["env", "i32"], reads: [], writes: ["x3", "w1"] },
  { name: "trap", params: ["env", "i32"], mayFault: true },
  { name: "anything", params: ["env", "i32"], result: "i32" },
];

export const CONTEXT: IrContext = new IrContext(GLOBALS, HELPERS);

/** What the generator may use. */
export interface BlockOptions {
  /** Guest memory, atomics and calls (default true). */
  readonly effects?: boolean;
  /** Makes an i64 address from a value; default: the value itself. */
  readonly address?: (b: Builder, v: Value) => Value;
  /** Calls of helpers (default: as `effects`). */
  readonly calls?: boolean;
  /** Offsets of env that may be used: [first, last + 1]; default 512…544. The four bytes before count loops down: a few. */
  readonly env?: readonly [number, number];
  /** Big-endian guest accesses (default true). */
  readonly bigEndian?: boolean;
  /** Branches backwards (default true). */
  readonly loops?: boolean;
}

const CONSTANTS = [
  0n, 1n, -1n, 2n, 3n, 4n, 7n, 8n, 15n, 16n, 31n, 32n, 33n, 63n, 64n, 127n, 128n, 255n, 256n, 0x7fffn, 0x8000n, 0xffffn,
  0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0xff00ff00n, -2n, -8n,
]; // prettier-ignore

const PURE: readonly OpSpec[] = OPS.filter(
  (s) => s.pure && s.types.length > 0 && s.result === "T" && s.operands.every((k) => k === "T") && s.types[0] === "i32",
).filter((s) => s.name !== "const");
const PURE64: readonly OpSpec[] = [
  ...PURE,
  ...OPS.filter((s) => s.pure && s.types.length === 1 && s.types[0] === "i64"),
];

const FLOAT: readonly OpSpec[] = [
  ops.fadd, ops.fsub, ops.fmul, ops.fdiv, ops.fsqrt, ops.fabs, ops.fneg, ops.fcopysign, ops.fmin, ops.fmax,
  ops.fceil, ops.ffloor, ops.ftrunc, ops.fnearest, ...(HOST_FMA ? [ops.fmadd] : []),
]; // prettier-ignore

/** Operations on vectors. Those that the host does not fuse are not used. */
const VECTOR: readonly OpSpec[] = OPS.filter(
  (s) => s.group.startsWith("Vectors") && (HOST_FMA || !s.name.endsWith("fmadd")),
);

/** Reads choices and writes a block, one guest instruction after another. */
export class Generator {
  readonly b: Builder;
  readonly #script: readonly number[];
  readonly #options: BlockOptions;
  #at = 0;
  #insns = 0;
  #values: Value[] = [];
  #heads: Label[] = [];
  /** Labels to be placed, with what was available at each branch to them. */
  #open: { label: Label; values: Value[]; heads: Label[] }[] = [];

  constructor(b: Builder, script: readonly number[], options: BlockOptions) {
    this.b = b;
    this.#script = script;
    this.#options = options;
  }

  /** Writes an instruction of 4 bytes; whether it ended the block. */
  insn(): boolean {
    this.b.insn(4 * this.#insns++);
    do {
      if (this.#at >= this.#script.length) {
        this.#end();
        return true;
      }
      this.#step();
    } while (this.#choose(4) !== 0);
    return false;
  }

  #end(): void {
    while (this.#open.length > 0) {
      this.#leave();
      this.#place();
    }
    this.#leave();
  }

  #next(): number {
    return this.#script[this.#at++] ?? 0;
  }

  #choose(n: number): number {
    return this.#next() % n;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#choose(from.length)]!;
  }

  #keep(v: Value): void {
    if (v >= 0 && !this.#values.includes(v)) this.#values.push(v);
  }

  #constant(type: IrType): Value {
    const n = this.#choose(40);
    const value = CONSTANTS[n] ?? BigInt(this.#next()) * 0x1_2345_6789n;
    return type === "i32" ? this.b.const32(Number(BigInt.asIntN(32, value))) : this.b.const64(value);
  }

  #value(type: IrType): Value {
    const n = this.#choose(16);
    if (n < 3) return this.#constant(type);
    const fitting = this.#values.filter((v) => this.b.typeOf(v) === type);
    if (n === 3 || fitting.length === 0) return this.b.get(type === "i32" ? 6 + this.#choose(2) : this.#choose(6));
    // Newer values more often, so that chains arise.
    return fitting[
      fitting.length -
        1 -
        (this.#choose(3) === 0 ? this.#choose(fitting.length) : this.#choose(Math.min(3, fitting.length)))
    ]!;
  }

  #word(): "i32" | "i64" {
    return this.#choose(3) === 0 ? "i32" : "i64";
  }

  #mem(type: IrType, store = false, env = false): MemOp {
    const fits = Object.entries(MEM_OPS).filter(([name, m]) => name !== "v128" && m.bytes <= (type === "i32" ? 4 : 8));
    const little = env || this.#options.bigEndian === false;
    return this.#pick(fits.filter(([, m]) => !(store && m.signed) && !(little && m.bigEndian)))[0] as MemOp;
  }

  #step(): void {
    const effects = this.#options.effects ?? true;
    const n = this.#choose(24);
    if (n < 10) this.#pure();
    else if (n < 12) this.#compare();
    else if (n < 14) this.#convert();
    else if (n < 17) this.#set();
    else if (n === 17) this.#env();
    else if (n === 18) this.#branch();
    else if (n === 19 && this.#open.length > 0) this.#place();
    else if (n === 20 && (this.#options.loops ?? true)) this.#loop();
    else if (n === 21 && effects) this.#memory();
    else if (n === 22 && (this.#options.calls ?? effects)) this.#call();
    else if (n === 23 && effects && this.#choose(3) === 0) this.#atomic();
    else this.#pure();
  }

  #pure(): void {
    const type = this.#word();
    const width = type === "i32" ? 32 : 64;
    const spec = this.#pick(type === "i32" ? PURE : PURE64);
    const a = this.#value(type);
    const b = spec.operands.length > 1 ? this.#value(type) : a;
    const bit = this.#choose(width);
    const length = 1 + this.#choose(width - bit);
    const cond = this.#pick(CONDS);
    switch (spec.name) {
      case "extract":
        return this.#keep(this.b.extract(a, bit, length));
      case "sextract":
        return this.#keep(this.b.sextract(a, bit, length));
      case "deposit":
        return this.#keep(this.b.deposit(a, b, bit, length));
      case "extract2":
        return this.#keep(this.b.extract2(a, b, Math.max(1, bit)));
      case "setcond":
        return this.#keep(this.b.setcond(cond, a, b));
      case "negsetcond":
        return this.#keep(this.b.negsetcond(cond, a, b));
      case "movcond":
        return this.#keep(this.b.movcond(cond, a, b, this.#value(type), this.#value(type)));
      default:
        return this.#keep(
          (this.b[spec.name as "add"] as (a: Value, b?: Value) => Value).call(
            this.b,
            ...([a, b].slice(0, spec.operands.length) as [Value, Value]),
          ),
        );
    }
  }

  #compare(): void {
    const type = this.#word();
    this.#keep(this.b.setcond(this.#pick(CONDS), this.#value(type), this.#value(type)));
  }

  #convert(): void {
    const n = this.#choose(8);
    if (n > 5) return this.#vector();
    if (n > 3) return this.#float();
    const v = this.#value(n < 2 ? "i32" : "i64");
    this.#keep(n === 0 ? this.b.extI32(v) : n === 1 ? this.b.extuI32(v) : n === 2 ? this.b.extrl(v) : this.b.extrh(v));
  }

  /** One or two floating-point operations; the result as bits, 0 for NaN, of which the bits are not determined. */
  #float(): void {
    const type = this.#choose(2) === 0 ? "i32" : "i64";
    let x = this.b.bitcast(this.#value(type));
    for (let n = this.#choose(2); n >= 0; n--) {
      const spec = this.#pick(FLOAT);
      const [, y, z] = spec.operands.map((_, k) => (k === 0 ? x : this.b.bitcast(this.#value(type))));
      x = this.b.float(spec, x, y, z);
    }
    const n = this.#choose(6);
    if (n === 0) return this.#keep(this.b.float(this.#pick([ops.to_i32s, ops.to_i32u, ops.to_i64s, ops.to_i64u]), x));
    if (n === 1)
      return this.#keep(this.b.float(this.#pick([ops.feq, ops.flt, ops.fle]), x, this.b.bitcast(this.#value(type))));
    if (n === 2) {
      const from = this.#pick([ops.from_i32s, ops.from_i32u, ops.from_i64s, ops.from_i64u]);
      x = this.b.fromInt(from, type === "i32" ? "f32" : "f64", this.#value(from.operands[0] as IrType));
    } else if (n === 3) {
      x = this.b.float(type === "i32" ? ops.promote : ops.demote, x);
    }
    const isNumber = this.b.neg(this.b.float(ops.feq, x, x));
    const bits = this.b.bitcast(x);
    this.#keep(this.b.and(bits, this.b.typeOf(bits) === "i64" ? this.b.extI32(isNumber) : isNumber));
  }

  /** A value of any type; a vector is a global, a constant, or computed before. */
  #any(type: IrType): Value {
    if (type === "i32" || type === "i64") return this.#value(type);
    if (type !== "v128") return this.b.bitcast(this.#value(type === "f32" ? "i32" : "i64"));
    const fitting = this.#values.filter((v) => this.b.typeOf(v) === "v128");
    const n = this.#choose(8);
    if (n === 0) return this.b.const128(Array.from({ length: 16 }, () => this.#choose(256)));
    return n < 4 || fitting.length === 0 ? this.b.get(9 + this.#choose(2)) : this.#pick(fitting);
  }

  #vector(): void {
    const n = this.#choose(12);
    if (n === 0) return this.b.set(9 + this.#choose(2), this.#any("v128"));
    if ((this.#options.effects ?? true) && n === 1) return this.b.st("v128", this.#address(), this.#any("v128"), 0);
    if ((this.#options.effects ?? true) && n === 2) return this.#keep(this.b.ld("v128", "v128", this.#address(), 0));
    const spec = this.#pick(VECTOR);
    if (spec === ops.v128_const) return this.#keep(this.#any("v128"));
    const [a, b, c] = spec.operands.map((type) => this.#any(type as IrType));
    if (spec === ops.i8x16_shuffle) {
      return this.#keep(
        this.b.shuffle(a!, b!, Array.from({ length: 16 }, () => this.#choose(32))), // prettier-ignore
      );
    }
    const lanes = Number(/x(\d+)/.exec(spec.name)?.[1] ?? 1);
    const v = this.b.vector(spec, a!, b, c, spec.format.includes("lane") ? this.#choose(lanes) : 0);
    const type = this.b.typeOf(v);
    if (type === "f32" || type === "f64") return this.#keep(this.b.bitcast(v));
    // Which NaN a lane holds is not determined: they become zero.
    const shape = /^f\d+x\d+/.exec(spec.name)?.[0];
    if (type !== "v128" || shape === undefined) return this.#keep(v);
    const numbers = this.b.vector(ops[`${shape}_eq` as "f32x4_eq"], v, v);
    this.#keep(this.b.vector(ops.v128_and, v, numbers));
  }

  #set(): void {
    const type = this.#word();
    this.b.set(type === "i32" ? 6 + this.#choose(2) : this.#choose(6), this.#value(type));
  }

  #env(): void {
    const type = this.#word();
    const [first, end] = this.#options.env ?? [512, 544];
    const offset = first + this.#choose(end - first - 7);
    if (this.#choose(2) === 0) this.b.envSt(this.#mem(type, true, true), offset, this.#value(type));
    else this.#keep(this.b.envLd(type, this.#mem(type, false, true), offset));
  }

  #branch(): void {
    const type = this.#word();
    const again = this.#open.length > 0 && this.#choose(3) === 0;
    const cond = this.#pick(CONDS);
    const [a, b] = [this.#value(type), this.#value(type)];
    if (again) {
      const to = this.#open[this.#open.length - 1]!;
      this.b.brcond(cond, a, b, to.label);
      to.values = to.values.filter((v) => this.#values.includes(v));
      to.heads = to.heads.filter((h) => this.#heads.includes(h));
    } else {
      const label = this.b.label();
      this.b.brcond(cond, a, b, label);
      this.#open.push({ label, values: [...this.#values], heads: [...this.#heads] });
    }
    if (this.#choose(3) === 0) {
      this.#leave();
      // At times what follows is not reached.
      if (this.#choose(4) === 0) this.b.place(this.b.label());
      else this.#place();
    }
  }

  /** Places an open label; if the code before it ends, its values are those of the branches alone. */
  #place(): void {
    const { label, values, heads } = this.#open.splice(this.#choose(this.#open.length), 1)[0]!;
    const reachable = !this.b.block.ops.at(-1)?.spec.terminator;
    this.b.place(label);
    this.#values = reachable ? values.filter((v) => this.#values.includes(v)) : values;
    this.#heads = reachable ? heads.filter((h) => this.#heads.includes(h)) : heads;
  }

  /** Opens a loop or goes round one, as long as the counter in env is positive. */
  #loop(): void {
    if (this.#heads.length === 0 || this.#choose(2) === 0) {
      const head = this.b.label();
      this.b.place(head);
      this.#heads.push(head);
      return;
    }
    const counter = (this.#options.env?.[0] ?? 512) - 4;
    const n = this.b.addI(this.b.envLd("i32", "u32", counter), -1);
    this.b.envSt("u32", counter, n);
    this.b.brcondI("gt", n, 0, this.#pick(this.#heads));
  }

  #address(): Value {
    const v = this.#value("i64");
    return this.#options.address === undefined ? v : this.#options.address(this.b, v);
  }

  #memory(): void {
    const type = this.#word();
    if (this.#choose(2) === 0) this.b.st(this.#mem(type, true), this.#address(), this.#value(type), 0);
    else this.#keep(this.b.ld(type, this.#mem(type), this.#address(), 0));
  }

  #atomic(): void {
    const type = this.#word();
    const mem = this.#mem(type);
    const size = MEM_OPS[mem].bytes;
    const address = this.b.andI(this.#address(), -size);
    if (this.#choose(4) === 0) {
      this.#keep(this.b.cmpxchg(mem, address, this.#value(type), this.#value(type), 0));
    } else {
      const op = this.#pick<AtomicOp>(["xchg", "add", "and", "or", "xor", "smin", "smax", "umin", "umax"]);
      this.#keep(this.b.atomic(op, mem, address, this.#value(type), 0));
    }
  }

  #call(): void {
    const helper = this.#pick(HELPERS);
    const args = helper.params.filter((p) => p !== "env").map((p) => this.#value(p as IrType));
    this.#keep(this.b.call(helper.name, ...args));
  }

  #leave(): void {
    const n = this.#choose(3);
    this.b.set("pc", this.#value("i64"));
    if (n === 0) this.b.gotoTb(this.#choose(2) as 0 | 1);
    else if (n === 1) this.b.gotoPtr(this.#pick(HINTS));
    else this.b.exit(this.#pick<TbExit>(TB_EXITS));
  }
}

/** A valid block made of the choices. */
export function blockFrom(script: readonly number[], options: BlockOptions = {}): Block {
  const b = new Builder(CONTEXT);
  b.begin(0x8000_0000n);
  const generator = new Generator(b, script, options);
  while (!generator.insn());
  return b.finish();
}

/** A cheap mixing of bits: initial contents of memory, results of helpers. */
export function scramble(n: bigint): bigint {
  const mixed = BigInt.asUintN(64, (n + 0x9e3779b97f4a7c15n) * 0xbf58476d1ce4e5b9n);
  return mixed ^ (mixed >> 29n);
}

/** Addresses with 0x3 in bits 8 to 11. */
const somewhere = (address: bigint): boolean => ((address >> 8n) & 15n) === 3n;

/** The outside of a block: every access is logged; `faults` says which bytes cannot be accessed. */
export class TestState implements EvalState {
  readonly globals: bigint[];
  readonly env: Uint8Array;
  readonly log: string[] = [];
  /** Bytes stored, by address. */
  readonly bytes: Map<bigint, bigint> = new Map();
  readonly #isFault: (address: bigint) => boolean;

  constructor(seed: number, faults: (address: bigint) => boolean = somewhere) {
    this.#isFault = faults;
    this.globals = GLOBALS.map((g, i) => {
      const special =
        (seed >> i) % 3 === 0 ? CONSTANTS[(seed + i) % CONSTANTS.length]! : scramble(BigInt(seed * 31 + i));
      if (g.type === "v128") return (scramble(special) << 64n) | BigInt.asUintN(64, special);
      return BigInt.asUintN(g.type === "i32" ? 32 : 64, special);
    });
    this.env = Uint8Array.from({ length: 544 }, (_, i) => Number(scramble(BigInt(seed + i)) & 0xffn));
    this.env.set([6, 0, 0, 0], 508);
  }

  #faults(address: bigint, mem: MemOp): boolean {
    return this.#isFault(address) || this.#isFault(address + BigInt(MEM_OPS[mem].bytes - 1));
  }

  #byte(address: bigint): bigint {
    return this.bytes.get(BigInt.asUintN(64, address)) ?? scramble(BigInt.asUintN(64, address)) & 0xffn;
  }

  load(address: bigint, mem: MemOp, mmu: number): bigint | undefined {
    this.log.push(`load ${address.toString(16)} ${mem} ${mmu}`);
    if (this.#faults(address, mem)) return undefined;
    const { bytes, bigEndian } = MEM_OPS[mem];
    let bits = 0n;
    for (let i = 0; i < bytes; i++)
      bits |= this.#byte(address + BigInt(bigEndian ? bytes - 1 - i : i)) << BigInt(8 * i);
    return bits;
  }

  store(address: bigint, mem: MemOp, mmu: number, bits: bigint): boolean {
    this.log.push(`store ${address.toString(16)} ${mem} ${mmu} ${bits.toString(16)}`);
    if (this.#faults(address, mem)) return false;
    const { bytes, bigEndian } = MEM_OPS[mem];
    for (let i = 0; i < bytes; i++)
      this.bytes.set(
        BigInt.asUintN(64, address + BigInt(bigEndian ? bytes - 1 - i : i)),
        (bits >> BigInt(8 * i)) & 0xffn,
      );
    return true;
  }

  call(helper: HelperSpec, args: readonly bigint[]): bigint | "fault" {
    return performHelper(helper, args, this.globals, this.log);
  }
}

/** What the helpers do: to the globals that they may write, as `HELPERS` declares. */
export function performHelper(
  helper: HelperSpec,
  args: readonly bigint[],
  globals: bigint[],
  log: string[],
): bigint | "fault" {
  if (!helper.pure) log.push(`${helper.name} ${args.join(" ")}`);
  const result = scramble(args.reduce((sum, x) => sum * 3n + x, 7n));
  if (helper.name === "peek2") return BigInt.asUintN(32, globals[1]!);
  if (helper.name === "poke3") {
    globals[2] = result;
    globals[6] = BigInt.asUintN(32, result);
  }
  if (helper.mayFault || helper.reads === undefined) log.push(globals.join());
  if (helper.mayFault && result % 4n === 0n) return "fault";
  if (helper.name === "anything" || helper.name === "trap") globals[Number(result % 6n)] = result;
  return result;
}

/** All that can be told apart after a block has run. */
export function outcome(exit: object, state: TestState): object {
  return { exit, globals: state.globals.map((g) => g.toString(16)), env: [...state.env].join(), log: state.log };
}
