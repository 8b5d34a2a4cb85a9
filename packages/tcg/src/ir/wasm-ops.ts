import { HOST_FMA } from "../wasm/host-fma.ts";
import type { Op } from "./block.ts";
import type { Cond, IrType } from "./type.ts";

/**
 * What the expansion of a pure operation into WebAssembly is written against. The block compiler and the
 * generator of the interpreter implement it.
 *
 * The sequence of calls depends on `op.spec`, `op.type` and `op.cond` alone; everything that depends on an
 * immediate goes through `imm32`/`imm64`, always in the same order. So the interpreter's handler for an operation is
 * made once, with the n-th immediate loaded from the n-th place of its bytecode, and the bytecode writer runs the
 * same expansion to learn what to put there.
 */
export interface WasmOps {
  /** Pushes operand 0…3 (a…d). */
  arg(n: number): void;
  /** Pushes a constant that depends on the operation's immediates. */
  imm32(value: number): void;
  imm64(lo: number, hi: number): void;
  /** Pushes a vector that depends on the operation's immediates, by its bytes. */
  imm128(bytes: readonly number[]): void;
  /** Whether `raw` may take lanes that depend on the operation's immediates; else they have to be pushed. */
  readonly immediatesInCode: boolean;
  /** Pushes a constant that is the same for every use of the operation. */
  const32(value: number): void;
  const64(lo: number, hi: number): void;
  /** Appends opcode bytes that take no LEB128 immediate. */
  raw(bytes: readonly number[]): void;
  /** Scratch locals 0…3 of each integer type; they hold nothing between operations. */
  get(type: "i32" | "i64", n: number): void;
  set(type: "i32" | "i64", n: number): void;
  tee(type: "i32" | "i64", n: number): void;
}

/** A function that expands `op`: operands are pushed with `w.arg`, the result is left on the stack. */
export type Expansion = (w: WasmOps, op: Op) => void;

/** The opcode of a comparison; tsteq and tstne are composed. */
const COMPARE: Readonly<Record<Exclude<Cond, "tsteq" | "tstne">, number>> = {
  eq: 0x46, ne: 0x47, lt: 0x48, ltu: 0x49, gt: 0x4a, gtu: 0x4b, le: 0x4c, leu: 0x4d, ge: 0x4e, geu: 0x4f,
}; // prettier-ignore

/** Opcodes by name, those that expansions use: [i32, i64]. Source: WebAssembly Core 2.0, 5.4.7. */
const CODE = {
  eqz: [0x45, 0x50], eq: [0x46, 0x51], ne: [0x47, 0x52],
  add: [0x6a, 0x7c], sub: [0x6b, 0x7d], mul: [0x6c, 0x7e],
  div: [0x6d, 0x7f], divu: [0x6e, 0x80], rem: [0x6f, 0x81], remu: [0x70, 0x82],
  and: [0x71, 0x83], or: [0x72, 0x84], xor: [0x73, 0x85],
  shl: [0x74, 0x86], sar: [0x75, 0x87], shr: [0x76, 0x88], rotl: [0x77, 0x89], rotr: [0x78, 0x8a],
} as const; // prettier-ignore
const SELECT = [0x1b];
const WRAP = [0xa7];
const EXTEND_S = [0xac];
const EXTEND_U = [0xad];

const BYTES: { readonly [name in keyof typeof CODE]: readonly [readonly number[], readonly number[]] } =
  Object.fromEntries(Object.entries(CODE).map(([name, [a, b]]) => [name, [[a], [b]]])) as never;

function code(w: WasmOps, name: keyof typeof CODE, type: IrType): void {
  w.raw(BYTES[name][type === "i32" ? 0 : 1]);
}

function constant(w: WasmOps, type: IrType, value: number): void {
  if (type === "i32") w.const32(value);
  else w.const64(value | 0, value < 0 ? -1 : 0);
}

/** Pushes an immediate of an integer type given as a pair of halves. */
function immediate(w: WasmOps, type: IrType, lo: number, hi: number): void {
  if (type === "i32") w.imm32(lo | 0);
  else w.imm64(lo | 0, hi | 0);
}

/** Compares operands 0 and 1 of type `type`: leaves an i32, 0 or 1. Used by setcond, movcond and brcond. */
export function emitCond(w: WasmOps, cond: Cond, type: IrType): void {
  w.arg(0);
  w.arg(1);
  if (cond === "tsteq" || cond === "tstne") {
    code(w, "and", type);
    code(w, "eqz", type);
    if (cond === "tstne") w.raw(BYTES.eqz[0]);
  } else {
    w.raw([COMPARE[cond] + (type === "i32" ? 0 : 0x0b)]);
  }
}

export const setcond: Expansion = (w, op) => {
  emitCond(w, op.cond, op.type);
  if (op.type === "i64") w.raw(EXTEND_U);
};

export const negsetcond: Expansion = (w, op) => {
  constant(w, op.type, 0);
  setcond(w, op);
  code(w, "sub", op.type);
};

export const movcond: Expansion = (w, op) => {
  w.arg(2);
  w.arg(3);
  emitCond(w, op.cond, op.type);
  w.raw(SELECT);
};

export const constOp: Expansion = (w, op) => {
  if (op.type === "i32" || op.type === "f32") w.imm32(op.imm);
  else w.imm64(op.imm, op.imm2);
  if (op.type === "f32") w.raw([0xbe]);
  if (op.type === "f64") w.raw([0xbf]);
};

/** op(-1 as the other operand): not, neg and the complemented logic operations. */
export const neg: Expansion = (w, op) => {
  constant(w, op.type, 0);
  w.arg(0);
  code(w, "sub", op.type);
};

export const not: Expansion = (w, op) => {
  w.arg(0);
  constant(w, op.type, -1);
  code(w, "xor", op.type);
};

/** a OP ~b */
function withComplement(name: "and" | "or" | "xor"): Expansion {
  return (w, op) => {
    w.arg(0);
    w.arg(1);
    constant(w, op.type, -1);
    code(w, "xor", op.type);
    code(w, name, op.type);
  };
}
export const andc: Expansion = withComplement("and");
export const orc: Expansion = withComplement("or");
export const eqv: Expansion = withComplement("xor");

/** ~(a OP b) */
function complementOf(name: "and" | "or"): Expansion {
  return (w, op) => {
    w.arg(0);
    w.arg(1);
    code(w, name, op.type);
    constant(w, op.type, -1);
    code(w, "xor", op.type);
  };
}
export const nand: Expansion = complementOf("and");
export const nor: Expansion = complementOf("or");

/** Pushes operand 1 == 0 as a value of the type. */
function divisorIsZero(w: WasmOps, type: IrType): void {
  w.arg(1);
  code(w, "eqz", type);
  if (type === "i64") w.raw(EXTEND_U);
}

/** Quotient by (b or, where that would trap, 1), then all ones where b is 0: a / 1 | -1. */
export const div: Expansion = (w, op) => {
  const t = op.type;
  w.arg(0);
  constant(w, t, 1);
  w.arg(1);
  w.arg(1);
  code(w, "eqz", t);
  w.arg(0);
  if (t === "i32") w.const32(-0x80000000);
  else w.const64(0, -0x80000000);
  code(w, "eq", t);
  w.arg(1);
  constant(w, t, -1);
  code(w, "eq", t);
  code(w, "and", "i32");
  code(w, "or", "i32");
  w.raw(SELECT);
  code(w, "div", t);
  constant(w, t, 0);
  divisorIsZero(w, t);
  code(w, "sub", t);
  code(w, "or", t);
};

export const divu: Expansion = (w, op) => {
  const t = op.type;
  w.arg(0);
  w.arg(1);
  divisorIsZero(w, t);
  code(w, "or", t);
  code(w, "divu", t);
  constant(w, t, 0);
  divisorIsZero(w, t);
  code(w, "sub", t);
  code(w, "or", t);
};

/** WebAssembly's rem_s of the most negative number by -1 is 0 and does not trap. */
function remainder(name: "rem" | "remu"): Expansion {
  return (w, op) => {
    const t = op.type;
    w.arg(0);
    w.arg(0);
    w.arg(1);
    divisorIsZero(w, t);
    code(w, "or", t);
    code(w, name, t);
    w.arg(1);
    code(w, "eqz", t);
    w.raw(SELECT);
  };
}
export const rem: Expansion = remainder("rem");
export const remu: Expansion = remainder("remu");

/**
 * The upper half of a product. For i64 the schoolbook product of 32-bit halves, where the upper half of a signed
 * factor is signed. Source: Warren, Hacker's Delight, 2nd edition, 8-2 "High-Order Half of 64-Bit Product".
 */
function mulHigh(aSigned: boolean, bSigned: boolean): Expansion {
  const upper = (signed: boolean): "sar" | "shr" => (signed ? "sar" : "shr");
  return (w, op) => {
    if (op.type === "i32") {
      w.arg(0);
      w.raw(aSigned ? EXTEND_S : EXTEND_U);
      w.arg(1);
      w.raw(bSigned ? EXTEND_S : EXTEND_U);
      code(w, "mul", "i64");
      w.const64(32, 0);
      code(w, "shr", "i64");
      w.raw(WRAP);
      return;
    }
    const low = (n: number): void => {
      w.arg(n);
      w.const64(-1, 0);
      code(w, "and", "i64");
    };
    const high = (n: number, signed: boolean): void => {
      w.arg(n);
      w.const64(32, 0);
      code(w, upper(signed), "i64");
    };
    // scratch 0 = aHigh * bLow + (aLow * bLow >> 32)
    high(0, aSigned);
    low(1);
    code(w, "mul", "i64");
    low(0);
    low(1);
    code(w, "mul", "i64");
    w.const64(32, 0);
    code(w, "shr", "i64");
    code(w, "add", "i64");
    w.set("i64", 0);
    // aHigh * bHigh + (scratch 0 >> 32) + (aLow * bHigh + low(scratch 0) >> 32)
    high(0, aSigned);
    high(1, bSigned);
    code(w, "mul", "i64");
    w.get("i64", 0);
    w.const64(32, 0);
    code(w, upper(aSigned), "i64");
    code(w, "add", "i64");
    low(0);
    high(1, bSigned);
    code(w, "mul", "i64");
    w.get("i64", 0);
    w.const64(-1, 0);
    code(w, "and", "i64");
    code(w, "add", "i64");
    w.const64(32, 0);
    code(w, upper(bSigned), "i64");
    code(w, "add", "i64");
  };
}
export const mulsh: Expansion = mulHigh(true, true);
export const muluh: Expansion = mulHigh(false, false);
export const mulsuh: Expansion = mulHigh(true, false);

/** Low half of a mask of `length` ones (1…64). */
export function maskLo(length: number): number {
  return length >= 32 ? -1 : (1 << length) - 1;
}

/** High half of a mask of `length` ones (1…64). */
export function maskHi(length: number): number {
  return length <= 32 ? 0 : length >= 64 ? -1 : (1 << (length - 32)) - 1;
}

const width = (op: Op): number => (op.type === "i32" ? 32 : 64);

export const extract: Expansion = (w, op) => {
  w.arg(0);
  immediate(w, op.type, op.imm, 0);
  code(w, "shr", op.type);
  immediate(w, op.type, maskLo(op.imm2), maskHi(op.imm2));
  code(w, "and", op.type);
};

export const sextract: Expansion = (w, op) => {
  w.arg(0);
  immediate(w, op.type, width(op) - op.imm - op.imm2, 0);
  code(w, "shl", op.type);
  immediate(w, op.type, width(op) - op.imm2, 0);
  code(w, "sar", op.type);
};

export const deposit: Expansion = (w, op) => {
  const { type, imm: pos, imm2: length } = op;
  const lo = maskLo(length);
  const hi = maskHi(length);
  // The mask moved left by pos: as bits shifted in JavaScript are taken modulo 32, by cases.
  const movedLo = pos >= 32 ? 0 : lo << pos;
  const movedHi = pos === 0 ? hi : pos >= 32 ? lo << (pos - 32) : (hi << pos) | (lo >>> (32 - pos));
  w.arg(0);
  immediate(w, type, ~movedLo, ~movedHi);
  code(w, "and", type);
  w.arg(1);
  immediate(w, type, lo, hi);
  code(w, "and", type);
  immediate(w, type, pos, 0);
  code(w, "shl", type);
  code(w, "or", type);
};

export const extract2: Expansion = (w, op) => {
  w.arg(0);
  immediate(w, op.type, op.imm, 0);
  code(w, "shr", op.type);
  w.arg(1);
  immediate(w, op.type, width(op) - op.imm, 0);
  code(w, "shl", op.type);
  code(w, "or", op.type);
};

/** Swaps the two low bytes; the rest of the result is zero. */
export const bswap16: Expansion = (w, op) => {
  const t = op.type;
  w.arg(0);
  constant(w, t, 0xff);
  code(w, "and", t);
  constant(w, t, 8);
  code(w, "shl", t);
  w.arg(0);
  constant(w, t, 8);
  code(w, "shr", t);
  constant(w, t, 0xff);
  code(w, "and", t);
  code(w, "or", t);
};

/** The value on the stack (i32) reversed, with i32 scratch 0. */
function swap32(w: WasmOps): void {
  w.tee("i32", 0);
  w.const32(8);
  code(w, "rotl", "i32");
  w.const32(0x00ff00ff);
  code(w, "and", "i32");
  w.get("i32", 0);
  w.const32(8);
  code(w, "rotr", "i32");
  w.const32(0xff00ff00 | 0);
  code(w, "and", "i32");
  code(w, "or", "i32");
}

export const bswap32: Expansion = (w, op) => {
  w.arg(0);
  if (op.type === "i64") w.raw(WRAP);
  swap32(w);
  if (op.type === "i64") w.raw(EXTEND_U);
};

/** Swaps neighbours of 8 bits, then of 16, then the halves. */
export const bswap64: Expansion = (w) => {
  w.arg(0);
  for (const [bits, mask] of [
    [8, 0x00ff00ff],
    [16, 0x0000ffff],
  ] as const) {
    w.set("i64", 0);
    w.get("i64", 0);
    w.const64(mask, mask);
    code(w, "and", "i64");
    w.const64(bits, 0);
    code(w, "shl", "i64");
    w.get("i64", 0);
    w.const64(bits, 0);
    code(w, "shr", "i64");
    w.const64(mask, mask);
    code(w, "and", "i64");
    code(w, "or", "i64");
  }
  w.const64(32, 0);
  code(w, "rotl", "i64");
};

/** Zero-extension from `bits` within the type. */
function zeroExtend(maskLow: number): Expansion {
  return (w, op) => {
    w.arg(0);
    if (op.type === "i32") w.const32(maskLow);
    else w.const64(maskLow, 0);
    code(w, "and", op.type);
  };
}
export const ext8u: Expansion = zeroExtend(0xff);
export const ext16u: Expansion = zeroExtend(0xffff);
export const ext32u: Expansion = zeroExtend(-1);

export const extrh: Expansion = (w) => {
  w.arg(0);
  w.const64(32, 0);
  code(w, "shr", "i64");
  w.raw(WRAP);
};

/** By type: splat, relaxed_madd, extract_lane 0 of the vectors that hold it; multiplication and addition. */
const FUSED = {
  f32: { splat: [0xfd, 0x13], madd: [0xfd, 0x85, 0x02], lane: [0xfd, 0x1f, 0], mul: [0x94], add: [0x92] },
  f64: { splat: [0xfd, 0x14], madd: [0xfd, 0x87, 0x02], lane: [0xfd, 0x21, 0], mul: [0xa2], add: [0xa0] },
} as const;

/**
 * A splat is the cheapest way into a vector: in a chain of dependent operations 1.7 ns, with i64x2.splat of the bits 3.8;
 * a multiplication and an addition take 2.1. Hosts without fusion never perform it, but must be able to compile it.
 */
export const fmadd: Expansion = (w, op) => {
  const { splat, madd, lane, mul, add } = FUSED[op.type as "f32" | "f64"];
  for (let n = 0; n < 3; n++) {
    w.arg(n);
    if (HOST_FMA) w.raw(splat);
    else if (n > 0) w.raw(n === 1 ? mul : add);
  }
  if (!HOST_FMA) return;
  w.raw(madd);
  w.raw(lane);
};

/** v128.const of ones, f32x4.replace_lane 0, f64x2.extract_lane 0: the number never leaves the vector registers. */
const ONES = [0xfd, 0x0c, ...Array.from({ length: 16 }, () => 0xff)];
// In a chain of dependent single operations 1.8 ns each; with shifts and masks on integers 3.5 to 5.7.
export const fbox: Expansion = (w) => {
  w.raw(ONES);
  w.arg(0);
  w.raw([0xfd, 0x20, 0, 0xfd, 0x21, 0]);
};

/** f64x2.splat, f32x4.extract_lane 0. */
export const funbox: Expansion = (w) => {
  w.arg(0);
  w.raw([0xfd, 0x14, 0xfd, 0x1f, 0]);
};

/** Emits a pure operation: its operands are pushed, its result is left on the stack. */
export function emitPure(w: WasmOps, op: Op): void {
  const { spec } = op;
  if (spec.expand !== undefined) return spec.expand(w, op);
  for (let n = 0; n < spec.operands.length; n++) w.arg(n);
  w.raw(spec.wasm![op.type]!);
}
