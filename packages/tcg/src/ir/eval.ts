import { definesValue, resultType, type Block, type Op } from "./block.ts";
import { evalFloat } from "./eval-float.ts";
import { evalVector } from "./eval-vector.ts";
import { HINTS, MEM_OPS, TB_EXITS, typeBytes, type Cond, type HelperSpec, type MemOp, type Value } from "./type.ts";

/** Everything outside of a block that evaluating it touches. Bits are unsigned. */
export interface EvalState {
  /** Bits of each global, by index. */
  readonly globals: bigint[];
  /** The untyped part of the state block, by byte offset from env. */
  readonly env: Uint8Array;
  /** A guest access: undefined when it faults. */
  load(address: bigint, mem: MemOp, mmu: number): bigint | undefined;
  /** False when it faults. */
  store(address: bigint, mem: MemOp, mmu: number, bits: bigint): boolean;
  /** Performs a helper, which may change `globals`: "fault" when it raises. */
  call(helper: HelperSpec, args: readonly bigint[]): bigint | "fault";
}

/** How a block was left. */
export type EvalExit =
  | { readonly kind: "goto_tb"; readonly slot: number }
  | { readonly kind: "goto_ptr"; readonly hint: string }
  | { readonly kind: "exit_tb"; readonly reason: string }
  | { readonly kind: "fault"; readonly insn: number }
  | { readonly kind: "guard"; readonly insn: number }
  | { readonly kind: "fuel" };

/**
 * Performs a block, the slow and obvious way: the oracle for the optimiser and both back ends. It shares nothing with
 * them, so the meaning of each operation is written here a second time. `fuel` bounds the operations performed.
 */
export function evaluate(block: Block, state: EvalState, fuel: number = 10_000): EvalExit {
  const values: bigint[] = [];
  const labels = new Map<number, number>();
  block.ops.forEach((op, i) => op.spec.name === "label" && labels.set(op.imm, i));
  for (let at = 0; ; at++) {
    if (fuel-- <= 0) return { kind: "fuel" };
    const op = block.ops[at]!;
    const [a, b] = [values[op.a] ?? 0n, values[op.b] ?? 0n];
    switch (op.spec.name) {
      case "br":
        at = labels.get(op.imm)!;
        break;
      case "brcond":
        if (holds(op.cond, a, b, bitsOf(op))) at = labels.get(op.imm)!;
        break;
      case "guard":
        if (holds(op.cond, a, b, bitsOf(op))) return { kind: "guard", insn: insnAt(block, at) };
        break;
      case "goto_tb":
        return { kind: "goto_tb", slot: op.imm };
      case "goto_ptr":
        return { kind: "goto_ptr", hint: HINTS[op.imm]! };
      case "exit_tb":
        return { kind: "exit_tb", reason: TB_EXITS[op.imm]! };
      case "set":
        state.globals[op.imm] = a;
        break;
      case "env_st":
        writeEnv(state.env, op, a);
        break;
      default: {
        const result = op.spec.mayFault ? effect(op, values, state) : pure(op, values, state, block);
        if (result === undefined) return { kind: "fault", insn: insnAt(block, at) };
        if (definesValue(op)) values[at] = BigInt.asUintN(typeBytes(resultType(op)) * 8, result);
      }
    }
  }
}

/** Number of the guest instruction that the operation is written under. */
function insnAt(block: Block, at: number): number {
  return block.ops.findLast((op, i) => i < at && op.spec.name === "insn")?.imm ?? -1;
}

const bitsOf = (op: Op): number => typeBytes(op.type) * 8;

/** Whether the condition holds between two values of `bits` bits. */
function holds(cond: Cond, a: bigint, b: bigint, bits: number): boolean {
  const [sa, sb] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  switch (cond) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return sa < sb;
    case "ge":
      return sa >= sb;
    case "le":
      return sa <= sb;
    case "gt":
      return sa > sb;
    case "ltu":
      return a < b;
    case "geu":
      return a >= b;
    case "leu":
      return a <= b;
    case "gtu":
      return a > b;
    case "tsteq":
      return (a & b) === 0n;
    case "tstne":
      return (a & b) !== 0n;
  }
}

/** Guest memory and helpers: undefined when they fault. */
function effect(op: Op, values: readonly bigint[], state: EvalState): bigint | undefined {
  const [a, b, c] = [op.a, op.b, op.c].map((v) => values[v] ?? 0n) as [bigint, bigint, bigint];
  const { name } = op.spec;
  if (name === "call") {
    const result = state.call(
      op.helper!,
      op.list.map((v) => values[v]!),
    );
    return result === "fault" ? undefined : result;
  }
  if (op.mem === "v128") return vectorAccess(name === "st", a, b, op, state);
  const bits = MEM_OPS[op.mem].bytes * 8;
  if (name === "st") return state.store(a, op.mem, op.imm, BigInt.asUintN(bits, b)) ? 0n : undefined;
  const old = state.load(a, op.mem, op.imm);
  if (old === undefined) return undefined;
  if (name !== "ld") {
    const next = BigInt.asUintN(
      bits,
      name === "atomic_cmpxchg" ? exchanged(old, b, c, bits) : modified(name, old, b, bits),
    );
    if (!state.store(a, op.mem, op.imm, next)) return undefined;
  }
  return extend(op.mem, old);
}

/** Vectors are accessed as two halves, the lower first. */
function vectorAccess(store: boolean, address: bigint, bits: bigint, op: Op, state: EvalState): bigint | undefined {
  const upper = BigInt.asUintN(64, address + 8n);
  if (store) {
    const low = state.store(address, "u64", op.imm, BigInt.asUintN(64, bits));
    return low && state.store(upper, "u64", op.imm, bits >> 64n) ? 0n : undefined;
  }
  const low = state.load(address, "u64", op.imm);
  const high = low === undefined ? undefined : state.load(upper, "u64", op.imm);
  return high === undefined ? undefined : (high << 64n) | low!;
}

const extend = (mem: MemOp, bits: bigint): bigint => {
  const { bytes, signed } = MEM_OPS[mem];
  return signed ? BigInt.asIntN(bytes * 8, bits) : bits;
};

const exchanged = (old: bigint, expected: bigint, next: bigint, bits: number): bigint =>
  old === BigInt.asUintN(bits, expected) ? next : old;

function modified(name: string, old: bigint, operand: bigint, bits: number): bigint {
  const b = BigInt.asUintN(bits, operand);
  const signedLess = BigInt.asIntN(bits, old) < BigInt.asIntN(bits, b);
  switch (name) {
    case "atomic_xchg":
      return b;
    case "atomic_add":
      return old + b;
    case "atomic_and":
      return old & b;
    case "atomic_or":
      return old | b;
    case "atomic_xor":
      return old ^ b;
    case "atomic_smin":
      return signedLess ? old : b;
    case "atomic_smax":
      return signedLess ? b : old;
    case "atomic_umin":
      return old < b ? old : b;
    case "atomic_umax":
      return old < b ? b : old;
    default:
      throw new Error(`evaluate: ${name}`);
  }
}

function readEnv(env: Uint8Array, op: Op): bigint {
  let bits = 0n;
  for (let i = 0; i < MEM_OPS[op.mem].bytes; i++) bits |= BigInt(env[op.imm + i]!) << BigInt(8 * i);
  return extend(op.mem, bits);
}

function writeEnv(env: Uint8Array, op: Op, value: bigint): void {
  for (let i = 0; i < MEM_OPS[op.mem].bytes; i++) env[op.imm + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

/** Operations whose result depends on operands, immediates, globals and the state block. */
function pure(op: Op, values: readonly bigint[], state: EvalState, block: Block): bigint {
  const at = (v: Value): bigint => values[v] ?? 0n;
  const [a, b] = [at(op.a), at(op.b)];
  const n = bitsOf(op);
  const N = BigInt(n);
  const s = (x: bigint): bigint => BigInt.asIntN(n, x);
  const count = b % N;
  const ones = (): bigint => (1n << BigInt(op.imm2)) - 1n;
  const bit = BigInt(op.imm);
  switch (op.spec.name) {
    case "const": {
      const lo = BigInt.asUintN(32, BigInt(op.imm));
      return n === 32 ? lo : (BigInt.asUintN(32, BigInt(op.imm2)) << 32n) | lo;
    }
    case "get":
      return state.globals[op.imm]!;
    case "env_ld":
      return readEnv(state.env, op);
    case "env_addr":
      return bit;
    case "label":
    case "insn":
    case "mb":
      return 0n;
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "mulsh":
      return (s(a) * s(b)) >> N;
    case "muluh":
      return (a * b) >> N;
    case "mulsuh":
      return (s(a) * b) >> N;
    case "div":
      return b === 0n ? -1n : s(a) / s(b);
    case "divu":
      return b === 0n ? -1n : a / b;
    case "rem":
      return b === 0n ? a : s(a) % s(b);
    case "remu":
      return b === 0n ? a : a % b;
    case "neg":
      return -a;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "not":
      return ~a;
    case "andc":
      return a & ~b;
    case "orc":
      return a | ~b;
    case "eqv":
      return ~(a ^ b);
    case "nand":
      return ~(a & b);
    case "nor":
      return ~(a | b);
    case "shl":
      return a << count;
    case "shr":
      return a >> count;
    case "sar":
      return s(a) >> count;
    case "rotl":
      return (a << count) | (a >> (N - count));
    case "rotr":
      return (a >> count) | (a << (N - count));
    case "clz":
      return N - BigInt(a === 0n ? 0 : a.toString(2).length);
    case "ctz":
      return a === 0n ? N : BigInt((a & -a).toString(2).length - 1);
    case "ctpop":
      return BigInt(a.toString(2).replaceAll("0", "").length);
    case "bswap16":
      return reversed(a, 2);
    case "bswap32":
      return reversed(a, 4);
    case "bswap64":
      return reversed(a, 8);
    case "ext8s":
      return BigInt.asIntN(8, a);
    case "ext8u":
      return BigInt.asUintN(8, a);
    case "ext16s":
      return BigInt.asIntN(16, a);
    case "ext16u":
      return BigInt.asUintN(16, a);
    case "ext32s":
    case "ext_i32":
      return BigInt.asIntN(32, a);
    case "ext32u":
    case "extu_i32":
    case "extrl":
      return BigInt.asUintN(32, a);
    case "extrh":
      return a >> 32n;
    case "extract":
      return (a >> bit) & ones();
    case "sextract":
      return BigInt.asIntN(op.imm2, a >> bit);
    case "deposit":
      return (a & ~(ones() << bit)) | ((b & ones()) << bit);
    case "extract2":
      return ((b << N) | a) >> bit;
    case "setcond":
      return holds(op.cond, a, b, n) ? 1n : 0n;
    case "negsetcond":
      return holds(op.cond, a, b, n) ? -1n : 0n;
    case "movcond":
      return holds(op.cond, a, b, n) ? at(op.c) : at(op.d);
    case "bitcast":
      return a;
    default:
      if (/^(v128|[if]\d+x\d+)_/.test(op.spec.name)) return evalVector(op, a, b, at(op.c));
      return evalFloat(op, a, b, at(op.c), typeBytes(resultType(block.ops[op.a] ?? op)) * 8);
  }
}

function reversed(a: bigint, bytes: number): bigint {
  const hex = BigInt.asUintN(bytes * 8, a)
    .toString(16)
    .padStart(bytes * 2, "0");
  return BigInt(`0x${hex.match(/../g)!.toReversed().join("")}`);
}
