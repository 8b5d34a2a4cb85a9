/**
 * The operations of the IR: the one list. Builder, printer, parser, verifier, optimiser, both back ends and
 * docs/reference/ir.md derive from it.
 *
 * Source of the vocabulary: QEMU, docs/devel/tcg-ops.rst (names and meanings; departures are said in `doc`).
 */
import {
  count, leadingZeros, ones, ones1, rotate, swapBytes, trailingZeros, unsigned,
} from "./ops/integer-folds.ts"; // prettier-ignore
import { EXPANSIONS, simd } from "./ops/vector-expansions.ts";
import { commutes, meaning, signature, VECTOR, type VectorOpName } from "./ops/vector.ts";
import type { IrType } from "./type.ts";
import * as x from "./wasm-ops.ts";
import type { Expansion } from "./wasm-ops.ts";

/** The type an operand must have: T of the operation, a fixed one, a guest address, or T's bits in the other file. */
export type OperandKind = "T" | IrType | "address" | "bits";

/**
 * What stands in the text of an operation, in order. `a`…`d` are operands; the others are `op.imm`, `op.imm2`,
 * `op.helper` and `op.list` in the notation that their name says.
 */
export type Slot =
  | "a" | "b" | "c" | "d"
  | "constant" | "global" | "offset" | "bit" | "length" | "mmu" | "label" | "slot" | "hint" | "exit"
  | "number" | "words" | "helper" | "args" | "lane" | "lanes" | "bytes" | "rare"; // prettier-ignore

/** Folds constants: operands are sign-extended from `bits` (32 or 64); the result is cut to its type by the caller. */
export type Fold = (a: bigint, b: bigint, bits: number, imm: number, imm2: number) => bigint;

/** One row of the table. */
export interface OpSpec {
  readonly name: string;
  /** Dense number of the row: its index in OPS. */
  readonly code: number;
  readonly group: string;
  readonly doc: string;
  /** The types T may take; written as a suffix. Empty: T is the type of the result (i32 when there is none). */
  readonly types: readonly IrType[];
  readonly operands: readonly OperandKind[];
  /** "call": as the helper says. */
  readonly result: "T" | IrType | "none" | "call";
  readonly format: readonly Slot[];
  /** Carries a condition (`op.cond`) and a memory operation (`op.mem`) as further suffixes. */
  readonly hasCond: boolean;
  readonly hasMem: boolean;
  /** The result depends on operands and immediates alone: may be moved, merged, dropped. */
  readonly pure: boolean;
  /** a and b may change places. */
  readonly commutative: boolean;
  /** May raise a guest exception: every global must hold its precise value here. */
  readonly mayFault: boolean;
  /** Must be performed even if the result is unused. */
  readonly sideEffect: boolean;
  /** Control does not reach the next operation. */
  readonly terminator: boolean;
  readonly fold: Fold | undefined;
  /** Of pure operations: WebAssembly opcode bytes for each T, operands pushed in order; else `expand`. */
  readonly wasm: Readonly<Partial<Record<IrType, readonly number[]>>> | undefined;
  /** Of pure operations without `wasm`: the expansion. */
  readonly expand: Expansion | undefined;
  /**
   * The emission pushes each operand once and uses scratch locals only after the last. Otherwise operands must be in
   * locals (or constants), for pushing one must then cost nothing and disturb nothing.
   */
  readonly inline: boolean;
}

type Row = Partial<Omit<OpSpec, "code" | "name">> & Pick<OpSpec, "doc">;

const INT: readonly IrType[] = ["i32", "i64"];
const I64: readonly IrType[] = ["i64"];
const FLOAT: readonly IrType[] = ["f32", "f64"];
const ANY: readonly IrType[] = ["i32", "i64", "f32", "f64", "v128"];
const SCALAR: readonly IrType[] = ["i32", "i64", "f32", "f64"];

let group = "";
const ordered: OpSpec[] = [];

function row(name: string, r: Row): OpSpec {
  const operands = r.operands ?? [];
  const spec: OpSpec = {
    name,
    code: ordered.length,
    group,
    doc: r.doc,
    types: r.types ?? [],
    operands,
    result: r.result ?? "none",
    format: r.format ?? (["a", "b", "c", "d"] as const).slice(0, operands.length),
    hasCond: r.hasCond ?? false,
    hasMem: r.hasMem ?? false,
    pure: r.pure ?? false,
    commutative: r.commutative ?? false,
    mayFault: r.mayFault ?? false,
    sideEffect: r.sideEffect ?? false,
    terminator: r.terminator ?? false,
    fold: r.fold,
    wasm: r.wasm,
    expand: r.expand,
    inline: r.inline ?? r.wasm !== undefined,
  };
  ordered.push(spec);
  return spec;
}

type Bytes = readonly number[];
const ints = (i32: Bytes, i64: Bytes): { wasm: { i32: Bytes; i64: Bytes } } => ({ wasm: { i32, i64 } });
const floats = (f32: Bytes, f64: Bytes): { wasm: { f32: Bytes; f64: Bytes } } => ({ wasm: { f32, f64 } });

/** A pure operation T × T → T on integers. */
function binary(name: string, doc: string, fold: Fold, rest: Partial<Row>): OpSpec {
  return row(name, { doc, types: INT, operands: ["T", "T"], result: "T", pure: true, fold, ...rest });
}

/** A pure operation T → T on integers. */
function unary(name: string, doc: string, fold: Fold, rest: Partial<Row>): OpSpec {
  return row(name, { doc, types: INT, operands: ["T"], result: "T", pure: true, fold, ...rest });
}

/** A pure operation from operands of given kinds to a fixed or typed result. */
function pure(name: string, doc: string, rest: Partial<Row>): OpSpec {
  return row(name, { doc, pure: true, ...rest });
}

group = "Constants and the vCPU's state";
const constant = pure("const", "The constant. A float constant is written as its bits in hexadecimal.", {
  types: SCALAR, result: "T", format: ["constant"], expand: x.constOp, inline: true,
}); // prettier-ignore
const get = row("get", { doc: "Value of a global.", types: ANY, result: "T", format: ["global"] });
const set = row("set", {
  doc: "Stores into a global.", types: ANY, operands: ["T"], format: ["global", "a"], sideEffect: true,
}); // prettier-ignore
const env_ld = row("env_ld", {
  doc: "Loads a little-endian field of the state block at a byte offset; it must not overlap a global. Never faults.",
  types: ANY, result: "T", hasMem: true, format: ["offset"],
}); // prettier-ignore
const env_st = row("env_st", {
  doc: "Stores the low bits of a value into a little-endian field of the state block that overlaps no global.",
  types: ANY, operands: ["T"], hasMem: true, format: ["offset", "a"], sideEffect: true,
}); // prettier-ignore
const env_addr = row("env_addr", {
  doc: "Address, in the machine's linear memory, of a field of the state block.", result: "i32", format: ["offset"],
}); // prettier-ignore

group = "Arithmetic";
const add = binary("add", "a + b, wrapping.", (a, b) => a + b, { ...ints([0x6a], [0x7c]), commutative: true });
const sub = binary("sub", "a − b, wrapping.", (a, b) => a - b, ints([0x6b], [0x7d]));
const mul = binary("mul", "Low half of a × b.", (a, b) => a * b, { ...ints([0x6c], [0x7e]), commutative: true });
const mulsh = binary("mulsh", "High half of a × b, both signed.", (a, b, n) => (a * b) >> BigInt(n), {
  expand: x.mulsh, commutative: true,
}); // prettier-ignore
const muluh = binary(
  "muluh", "High half of a × b, both unsigned.",
  (a, b, n) => (unsigned(a, n) * unsigned(b, n)) >> BigInt(n), { expand: x.muluh, commutative: true },
); // prettier-ignore
const mulsuh = binary(
  "mulsuh", "High half of a × b, a signed and b unsigned. Not in TCG.",
  (a, b, n) => (a * unsigned(b, n)) >> BigInt(n), { expand: x.mulsuh },
); // prettier-ignore
const div = binary(
  "div", "Signed quotient towards zero. By 0: −1. Most negative by −1: the dividend. (In TCG undefined.)",
  (a, b) => (b === 0n ? -1n : a / b), { expand: x.div },
); // prettier-ignore
const divu = binary(
  "divu", "Unsigned quotient. By 0: all ones. (In TCG undefined.)",
  (a, b, n) => (b === 0n ? -1n : unsigned(a, n) / unsigned(b, n)), { expand: x.divu },
); // prettier-ignore
const rem = binary(
  "rem", "Signed remainder with the dividend's sign. By 0: the dividend. Most negative by −1: 0. (In TCG undefined.)",
  (a, b) => (b === 0n ? a : a % b), { expand: x.rem },
); // prettier-ignore
const remu = binary(
  "remu", "Unsigned remainder. By 0: the dividend. (In TCG undefined.)",
  (a, b, n) => (b === 0n ? a : unsigned(a, n) % unsigned(b, n)), { expand: x.remu },
); // prettier-ignore
const neg = unary("neg", "−a, wrapping.", (a) => -a, { expand: x.neg, inline: true });

group = "Logic";
const and = binary("and", "a & b", (a, b) => a & b, { ...ints([0x71], [0x83]), commutative: true });
const or = binary("or", "a | b", (a, b) => a | b, { ...ints([0x72], [0x84]), commutative: true });
const xor = binary("xor", "a ^ b", (a, b) => a ^ b, { ...ints([0x73], [0x85]), commutative: true });
const not = unary("not", "~a", (a) => ~a, { expand: x.not, inline: true });
const andc = binary("andc", "a & ~b", (a, b) => a & ~b, { expand: x.andc, inline: true });
const orc = binary("orc", "a | ~b", (a, b) => a | ~b, { expand: x.orc, inline: true });
const eqv = binary("eqv", "~(a ^ b)", (a, b) => ~(a ^ b), { expand: x.eqv, inline: true, commutative: true });
const nand = binary("nand", "~(a & b)", (a, b) => ~(a & b), { expand: x.nand, inline: true, commutative: true });
const nor = binary("nor", "~(a | b)", (a, b) => ~(a | b), { expand: x.nor, inline: true, commutative: true });

group = "Shifts and rotations (counts are taken modulo the width; in TCG undefined)";
const shl = binary("shl", "a << b", (a, b, n) => a << count(b, n), ints([0x74], [0x86]));
const shr = binary("shr", "a >> b, zeros in", (a, b, n) => unsigned(a, n) >> count(b, n), ints([0x76], [0x88]));
const sar = binary("sar", "a >> b, sign in", (a, b, n) => a >> count(b, n), ints([0x75], [0x87]));
const rotl = binary("rotl", "a rotated left by b", (a, b, n) => rotate(a, count(b, n), n), ints([0x77], [0x89]));
const rotr = binary(
  "rotr", "a rotated right by b", (a, b, n) => rotate(a, count(-b, n), n), ints([0x78], [0x8a]),
); // prettier-ignore

group = "Bits and bytes";
const clz = unary("clz", "Leading zeros; the width for 0.", leadingZeros, ints([0x67], [0x79]));
const ctz = unary("ctz", "Trailing zeros; the width for 0.", trailingZeros, ints([0x68], [0x7a]));
const ctpop = unary("ctpop", "Number of ones.", ones1, ints([0x69], [0x7b]));
const bswap16 = unary("bswap16", "The two low bytes swapped, zero-extended.", (a) => swapBytes(a, 2), {
  expand: x.bswap16,
}); // prettier-ignore
const bswap32 = unary("bswap32", "The four low bytes reversed, zero-extended.", (a) => swapBytes(a, 4), {
  expand: x.bswap32, inline: true,
}); // prettier-ignore
const bswap64 = unary("bswap64", "The eight bytes reversed.", (a) => swapBytes(a, 8), {
  types: I64, expand: x.bswap64, inline: true,
}); // prettier-ignore
const ext8s = unary("ext8s", "Low 8 bits, sign-extended.", (a) => BigInt.asIntN(8, a), ints([0xc0], [0xc2]));
const ext8u = unary("ext8u", "Low 8 bits, zero-extended.", (a) => unsigned(a, 8), { expand: x.ext8u, inline: true });
const ext16s = unary("ext16s", "Low 16 bits, sign-extended.", (a) => BigInt.asIntN(16, a), ints([0xc1], [0xc3]));
const ext16u = unary("ext16u", "Low 16 bits, zero-extended.", (a) => unsigned(a, 16), {
  expand: x.ext16u, inline: true,
}); // prettier-ignore
const ext32s = unary("ext32s", "Low 32 bits, sign-extended.", (a) => BigInt.asIntN(32, a), {
  types: I64, wasm: { i64: [0xc4] },
}); // prettier-ignore
const ext32u = unary("ext32u", "Low 32 bits, zero-extended.", (a) => unsigned(a, 32), {
  types: I64, expand: x.ext32u, inline: true,
}); // prettier-ignore
const extract = unary(
  "extract", "`length` bits of a from `bit` upwards, zero-extended.",
  (a, _b, _n, bit, length) => (a >> BigInt(bit)) & ones(length),
  { format: ["a", "bit", "length"], expand: x.extract, inline: true },
); // prettier-ignore
const sextract = unary(
  "sextract", "`length` bits of a from `bit` upwards, sign-extended.",
  (a, _b, _n, bit, length) => BigInt.asIntN(length, a >> BigInt(bit)),
  { format: ["a", "bit", "length"], expand: x.sextract, inline: true },
); // prettier-ignore
const deposit = binary(
  "deposit", "a with `length` bits from `bit` upwards replaced by the low bits of b.",
  (a, b, _n, bit, length) => (a & ~(ones(length) << BigInt(bit))) | ((b & ones(length)) << BigInt(bit)),
  { format: ["a", "b", "bit", "length"], expand: x.deposit, inline: true },
); // prettier-ignore
const extract2 = binary(
  "extract2", "The low half of (b:a) >> `bit`, where b is the high half; 0 < bit < width.",
  (a, b, n, bit) => ((unsigned(b, n) << BigInt(n)) | unsigned(a, n)) >> BigInt(bit),
  { format: ["a", "b", "bit"], expand: x.extract2, inline: true },
); // prettier-ignore

group = "Comparison";
const setcond = pure("setcond", "1 if the condition holds between a and b, else 0.", {
  types: INT, operands: ["T", "T"], result: "T", hasCond: true, expand: x.setcond, inline: true,
}); // prettier-ignore
const negsetcond = pure("negsetcond", "−1 if the condition holds between a and b, else 0.", {
  types: INT, operands: ["T", "T"], result: "T", hasCond: true, expand: x.negsetcond, inline: true,
}); // prettier-ignore
const movcond = pure("movcond", "c if the condition holds between a and b, else d.", {
  types: INT, operands: ["T", "T", "T", "T"], result: "T", hasCond: true, expand: x.movcond, inline: true,
}); // prettier-ignore

group = "Change of type";
const ext_i32 = pure("ext_i32", "i32 to i64, sign-extended.", {
  operands: ["i32"], result: "i64", fold: (a) => a, wasm: { i64: [0xac] },
}); // prettier-ignore
const extu_i32 = pure("extu_i32", "i32 to i64, zero-extended.", {
  operands: ["i32"], result: "i64", fold: (a) => unsigned(a, 32), wasm: { i64: [0xad] },
}); // prettier-ignore
const extrl = pure("extrl", "Low half of an i64.", {
  operands: ["i64"], result: "i32", fold: (a) => a, wasm: { i32: [0xa7] },
}); // prettier-ignore
const extrh = pure("extrh", "High half of an i64.", {
  operands: ["i64"], result: "i32", fold: (a) => a >> 32n, expand: x.extrh, inline: true,
}); // prettier-ignore
const bitcast = pure("bitcast", "The bits of a value of the other register file (i32 ↔ f32, i64 ↔ f64).", {
  types: SCALAR, operands: ["bits"], result: "T", wasm: { i32: [0xbc], i64: [0xbd], f32: [0xbe], f64: [0xbf] },
}); // prettier-ignore

group = "Floating point (round to nearest, no flags; which NaN results is not determined)";
const float2 = { types: FLOAT, operands: ["T", "T"], result: "T" } as const;
const float1 = { types: FLOAT, operands: ["T"], result: "T" } as const;
const fadd = pure("fadd", "a + b", { ...float2, ...floats([0x92], [0xa0]) });
const fsub = pure("fsub", "a − b", { ...float2, ...floats([0x93], [0xa1]) });
const fmul = pure("fmul", "a × b", { ...float2, ...floats([0x94], [0xa2]) });
const fdiv = pure("fdiv", "a ÷ b", { ...float2, ...floats([0x95], [0xa3]) });
const fsqrt = pure("fsqrt", "Square root.", { ...float1, ...floats([0x91], [0x9f]) });
const fabs = pure("fabs", "Sign bit cleared, exactly.", { ...float1, ...floats([0x8b], [0x99]) });
const fneg = pure("fneg", "Sign bit inverted, exactly.", { ...float1, ...floats([0x8c], [0x9a]) });
const fcopysign = pure("fcopysign", "a with the sign of b, exactly.", { ...float2, ...floats([0x98], [0xa6]) });
const fmin = pure("fmin", "The lesser; −0 is less than 0; NaN if either is.", { ...float2, ...floats([0x96], [0xa4]) });
const fmax = pure("fmax", "The greater; 0 is greater than −0; NaN if either is.", {
  ...float2, ...floats([0x97], [0xa5]),
}); // prettier-ignore
const fmadd = pure("fmadd", "a × b + c, rounded once. To be used only where the host fuses (`HOST_FMA`).", {
  types: FLOAT, operands: ["T", "T", "T"], result: "T", expand: x.fmadd, inline: true,
}); // prettier-ignore
const fceil = pure("fceil", "Rounded to an integer, upwards.", { ...float1, ...floats([0x8d], [0x9b]) });
const ffloor = pure("ffloor", "Rounded to an integer, downwards.", { ...float1, ...floats([0x8e], [0x9c]) });
const ftrunc = pure("ftrunc", "Rounded to an integer, towards zero.", { ...float1, ...floats([0x8f], [0x9d]) });
const fnearest = pure("fnearest", "Rounded to the nearest integer, ties to even.", {
  ...float1, ...floats([0x90], [0x9e]),
}); // prettier-ignore
const compare = { types: FLOAT, operands: ["T", "T"], result: "i32" } as const;
const feq = pure("feq", "1 if a = b, else 0 (also for NaN).", { ...compare, ...floats([0x5b], [0x61]) });
const flt = pure("flt", "1 if a < b, else 0.", { ...compare, ...floats([0x5d], [0x63]) });
const fle = pure("fle", "1 if a ≤ b, else 0.", { ...compare, ...floats([0x5f], [0x65]) });
const promote = pure("promote", "f32 to f64.", { operands: ["f32"], result: "f64", wasm: { f64: [0xbb] } });
const demote = pure("demote", "f64 to f32, rounded.", { operands: ["f64"], result: "f32", wasm: { f32: [0xb6] } });
const fbox = pure("fbox", "The f64 whose low half is the bits of an f32, and whose high half is ones (a boxed NaN).", {
  operands: ["f32"], result: "f64", expand: x.fbox, inline: true,
}); // prettier-ignore
const funbox = pure("funbox", "The f32 whose bits are the low half of an f64's.", {
  operands: ["f64"], result: "f32", expand: x.funbox, inline: true,
}); // prettier-ignore
const from_i32s = pure("from_i32s", "Signed i32 to T.", {
  types: FLOAT, operands: ["i32"], result: "T", ...floats([0xb2], [0xb7]),
}); // prettier-ignore
const from_i32u = pure("from_i32u", "Unsigned i32 to T.", {
  types: FLOAT, operands: ["i32"], result: "T", ...floats([0xb3], [0xb8]),
}); // prettier-ignore
const from_i64s = pure("from_i64s", "Signed i64 to T, rounded.", {
  types: FLOAT, operands: ["i64"], result: "T", ...floats([0xb4], [0xb9]),
}); // prettier-ignore
const from_i64u = pure("from_i64u", "Unsigned i64 to T, rounded.", {
  types: FLOAT, operands: ["i64"], result: "T", ...floats([0xb5], [0xba]),
}); // prettier-ignore
const to_i32s = pure("to_i32s", "T to signed i32 towards zero, saturating; NaN gives 0.", {
  types: FLOAT, operands: ["T"], result: "i32", ...floats([0xfc, 0], [0xfc, 2]),
}); // prettier-ignore
const to_i32u = pure("to_i32u", "T to unsigned i32 towards zero, saturating; NaN gives 0.", {
  types: FLOAT, operands: ["T"], result: "i32", ...floats([0xfc, 1], [0xfc, 3]),
}); // prettier-ignore
const to_i64s = pure("to_i64s", "T to signed i64 towards zero, saturating; NaN gives 0.", {
  types: FLOAT, operands: ["T"], result: "i64", ...floats([0xfc, 4], [0xfc, 6]),
}); // prettier-ignore
const to_i64u = pure("to_i64u", "T to unsigned i64 towards zero, saturating; NaN gives 0.", {
  types: FLOAT, operands: ["T"], result: "i64", ...floats([0xfc, 5], [0xfc, 7]),
}); // prettier-ignore

group = "Vectors (little-endian lanes; float lanes as above)";
const vectors = {} as Record<VectorOpName, OpSpec>;
for (const [name, [text, number]] of Object.entries(VECTOR) as [VectorOpName, readonly [string, number]][]) {
  const { operands, result } = signature(text);
  const args = (["a", "b", "c"] as const).slice(0, operands.length);
  const special = EXPANSIONS[name];
  vectors[name] = pure(name, meaning(name), {
    operands, result, commutative: commutes(name),
    format: /_lane/.test(name) ? [...args, "lane"] : /shuffle/.test(name) ? [...args, "lanes"] : /const/.test(name) ? ["bytes"] : args,
    ...(special === undefined
      ? { wasm: { [result]: simd(number) } }
      : { expand: special.expand, inline: special.repeats !== true }),
  }); // prettier-ignore
}

group = "Guest memory";
const access = { hasMem: true, mayFault: true, sideEffect: true } as const;
const ld = row("ld", {
  doc: "Loads from guest memory, extended to T. A v128 that crosses a page is loaded as two halves, the lower first.",
  types: ANY, operands: ["address"], result: "T", format: ["a", "mmu"], ...access,
}); // prettier-ignore
const st = row("st", {
  doc: "Stores the low bits of b to guest memory at a. The memory operation is one without sign. A v128 that crosses a page is stored as two halves, the lower first.",
  types: ANY, operands: ["address", "T"], format: ["a", "b", "mmu"], ...access,
}); // prettier-ignore
function atomic(name: string, doc: string): OpSpec {
  return row(`atomic_${name}`, {
    doc: `Atomically: old value of the location at a (extended to T), which becomes ${doc}.`,
    types: INT, operands: ["address", "T"], result: "T", format: ["a", "b", "mmu"], ...access,
  }); // prettier-ignore
}
const atomic_xchg = atomic("xchg", "b");
const atomic_add = atomic("add", "old + b");
const atomic_and = atomic("and", "old & b");
const atomic_or = atomic("or", "old | b");
const atomic_xor = atomic("xor", "old ^ b");
const atomic_smin = atomic("smin", "the lesser, signed at the width of the access");
const atomic_smax = atomic("smax", "the greater, signed at the width of the access");
const atomic_umin = atomic("umin", "the lesser, unsigned at the width of the access");
const atomic_umax = atomic("umax", "the greater, unsigned at the width of the access");
const atomic_cmpxchg = row("atomic_cmpxchg", {
  doc: "Atomically: old value of the location at a (extended to T), which becomes c if it equalled the low bits of b.",
  types: INT, operands: ["address", "T", "T"], result: "T", format: ["a", "b", "c", "mmu"], ...access,
}); // prettier-ignore
const mb = row("mb", {
  doc: "Memory barrier. Bits: 1 load-load, 2 load-store, 4 store-load, 8 store-store.", format: ["number"],
  sideEffect: true,
}); // prettier-ignore

group = "Control";
const call = row("call", {
  doc: "Calls a helper; it reads, writes and raises what its declaration says.",
  types: INT, result: "call", format: ["helper", "args"], mayFault: true, sideEffect: true,
}); // prettier-ignore
const label = row("label", { doc: "A place to branch to, written `L1:`.", format: ["label"], sideEffect: true });
const br = row("br", { doc: "Branches.", format: ["label"], sideEffect: true, terminator: true });
const brcond = row("brcond", {
  doc: "Branches if the condition holds between a and b; with `rare` behind it, that is not expected.",
  types: INT, operands: ["T", "T"], hasCond: true, format: ["a", "b", "label", "rare"], sideEffect: true,
}); // prettier-ignore
const guard = row("guard", {
  doc: "Leaves before the guest instruction if the condition holds: the interpreter does it another way. In regions only; the instruction has changed nothing before.",
  types: INT, operands: ["T", "T"], hasCond: true, mayFault: true, sideEffect: true,
}); // prettier-ignore
const insn = row("insn", {
  doc: "A guest instruction, to which all up to the next `insn` in the text belongs: its number, and words that restore the state if it faults (first: pc offset).",
  format: ["number", "words"], sideEffect: true,
}); // prettier-ignore
const goto_tb = row("goto_tb", {
  doc: "Leaves for the block at the global pc, a constant, which was set before; slot 0 or 1 is chained to it.",
  format: ["slot"], sideEffect: true, terminator: true,
}); // prettier-ignore
const goto_ptr = row("goto_ptr", {
  doc: "Leaves for the block at the global pc, looked up in the jump cache. The hint says what the guest does.",
  format: ["hint"], sideEffect: true, terminator: true,
}); // prettier-ignore
const exit_tb = row("exit_tb", {
  doc: "Leaves to the run loop, for the reason given.", format: ["exit"], sideEffect: true, terminator: true,
}); // prettier-ignore

/** Name of an operation. */
export type OpName =
  | VectorOpName
  | "const" | "get" | "set" | "env_ld" | "env_st" | "env_addr" | "add" | "sub" | "mul" | "mulsh" | "muluh" | "mulsuh"
  | "div" | "divu" | "rem" | "remu" | "neg" | "and" | "or" | "xor" | "not" | "andc" | "orc" | "eqv" | "nand" | "nor"
  | "shl" | "shr" | "sar" | "rotl" | "rotr" | "clz" | "ctz" | "ctpop" | "bswap16" | "bswap32" | "bswap64" | "ext8s"
  | "ext8u" | "ext16s" | "ext16u" | "ext32s" | "ext32u" | "extract" | "sextract" | "deposit" | "extract2" | "setcond"
  | "negsetcond" | "movcond" | "ext_i32" | "extu_i32" | "extrl" | "extrh" | "bitcast" | "fadd" | "fsub" | "fmul"
  | "fdiv" | "fsqrt" | "fabs" | "fneg" | "fcopysign" | "fmin" | "fmax" | "fmadd" | "fceil" | "ffloor" | "ftrunc"
  | "fnearest" | "feq" | "flt" | "fle" | "promote" | "demote" | "fbox" | "funbox" | "from_i32s"
  | "from_i32u" | "from_i64s" | "from_i64u" | "to_i32s" | "to_i32u" | "to_i64s" | "to_i64u" | "ld" | "st"
  | "atomic_xchg" | "atomic_add" | "atomic_and" | "atomic_or" | "atomic_xor" | "atomic_smin" | "atomic_smax"
  | "atomic_umin" | "atomic_umax" | "atomic_cmpxchg" | "mb" | "call" | "label" | "br" | "brcond" | "guard" | "insn" | "goto_tb"
  | "goto_ptr" | "exit_tb"; // prettier-ignore

/** The rows by name. */
export const ops: Readonly<Record<OpName, OpSpec>> = {
  const: constant, get, set, env_ld, env_st, env_addr,
  add, sub, mul, mulsh, muluh, mulsuh, div, divu, rem, remu, neg,
  and, or, xor, not, andc, orc, eqv, nand, nor,
  shl, shr, sar, rotl, rotr,
  clz, ctz, ctpop, bswap16, bswap32, bswap64, ext8s, ext8u, ext16s, ext16u, ext32s, ext32u,
  extract, sextract, deposit, extract2,
  setcond, negsetcond, movcond,
  ext_i32, extu_i32, extrl, extrh, bitcast,
  fadd, fsub, fmul, fdiv, fsqrt, fabs, fneg, fcopysign, fmin, fmax, fmadd, fceil, ffloor, ftrunc, fnearest,
  feq, flt, fle, promote, demote, fbox, funbox,
  from_i32s, from_i32u, from_i64s, from_i64u, to_i32s, to_i32u, to_i64s, to_i64u,
  ld, st, atomic_xchg, atomic_add, atomic_and, atomic_or, atomic_xor, atomic_smin, atomic_smax, atomic_umin,
  atomic_umax, atomic_cmpxchg, mb,
  call, label, br, brcond, guard, insn, goto_tb, goto_ptr, exit_tb,
  ...vectors,
}; // prettier-ignore

/** The rows by code. */
export const OPS: readonly OpSpec[] = ordered;
