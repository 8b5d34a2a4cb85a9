import { resultType, type Op } from "../ir/block.ts";
import { OPS, ops, type OpName } from "../ir/ops.ts";
import { MEM_OPS, type Value } from "../ir/type.ts";
import { maskHi, maskLo } from "../ir/wasm-ops.ts";
import type { Rewriter } from "./rewriter.ts";

type Note = (r: Rewriter, op: Op, v: Value) => void;

const widthOf = (op: Op): number => (op.type === "i32" ? 32 : 64);

/** v has at most `bits` low bits that may be one. */
function unsignedBits(r: Rewriter, op: Op, v: Value, bits: number): void {
  if (bits >= widthOf(op)) return;
  r.zeroLo[v] = r.zeroLo[v]! | (bits === 0 ? -1 : ~maskLo(bits));
  r.zeroHi[v] = r.zeroHi[v]! | (bits === 0 ? -1 : ~maskHi(bits));
  if (bits + 1 < r.signed[v]!) r.signed[v] = bits + 1;
}

function signedBits(r: Rewriter, v: Value, bits: number): void {
  if (bits < r.signed[v]!) r.signed[v] = bits;
}

/** Constant shift count of b, taken modulo the width; -1 if not constant. */
function shiftCount(r: Rewriter, op: Op): number {
  const b = r.out[op.b]!;
  return b.spec === ops.const ? b.imm & (widthOf(op) - 1) : -1;
}

/** Zero bits of the operand moved right (count 0…63), zeros coming in. */
function zerosRight(r: Rewriter, op: Op, v: Value, a: Value, n: number): void {
  const [lo, hi] = [r.zeroLo[a]!, r.zeroHi[a]!];
  if (op.type === "i32") {
    r.zeroLo[v] = r.zeroLo[v]! | (n === 0 ? lo : (lo >>> n) | ~(-1 >>> n));
    return;
  }
  if (n === 0) {
    r.zeroLo[v] = r.zeroLo[v]! | lo;
    r.zeroHi[v] = r.zeroHi[v]! | hi;
  } else if (n < 32) {
    r.zeroLo[v] = r.zeroLo[v]! | (lo >>> n) | (hi << (32 - n));
    r.zeroHi[v] = r.zeroHi[v]! | (hi >>> n) | ~(-1 >>> n);
  } else {
    r.zeroLo[v] = r.zeroLo[v]! | (n === 32 ? hi : (hi >>> (n - 32)) | ~(-1 >>> (n - 32)));
    r.zeroHi[v] = -1;
  }
}

function zerosLeft(r: Rewriter, op: Op, v: Value, a: Value, n: number): void {
  const [lo, hi] = [r.zeroLo[a]!, r.zeroHi[a]!];
  if (n === 0) {
    r.zeroLo[v] = r.zeroLo[v]! | lo;
    r.zeroHi[v] = r.zeroHi[v]! | hi;
  } else if (n < 32) {
    r.zeroLo[v] = r.zeroLo[v]! | (lo << n) | ((1 << n) - 1);
    if (op.type === "i64") r.zeroHi[v] = r.zeroHi[v]! | (hi << n) | (lo >>> (32 - n));
  } else {
    r.zeroLo[v] = -1;
    r.zeroHi[v] = r.zeroHi[v]! | (n === 32 ? lo : (lo << (n - 32)) | ((1 << (n - 32)) - 1));
  }
}

const lowBits =
  (bits: number): Note =>
  (r, op, v) =>
    unsignedBits(r, op, v, bits);

const signExtension =
  (bits: number): Note =>
  (r, op, v) => {
    signedBits(r, v, Math.min(bits, r.signed[op.a]!));
    // A sign that is known to be zero makes it a zero extension.
    if (bits === 32 && r.zeroLo[op.a]! < 0) {
      r.zeroLo[v] = r.zeroLo[op.a]!;
      r.zeroHi[v] = -1;
    }
  };

const loaded: Note = (r, op, v) => {
  const { bytes, signed } = MEM_OPS[op.mem];
  if (signed) signedBits(r, v, bytes * 8);
  else unsignedBits(r, op, v, bytes * 8);
};

/** What a logic operation keeps of the operands' sign extension. */
const widerSign: Note = (r, op, v) => signedBits(r, v, Math.max(r.signed[op.a]!, r.signed[op.b]!));

/** By operation: what its result's bits are certain to be. Absent: nothing is known. */
const NOTES: Partial<Record<OpName, Note>> = {
  const: (r, op, v) => {
    r.zeroLo[v] = ~op.imm;
    if (op.type === "i64") r.zeroHi[v] = ~op.imm2;
    const top = op.imm2 === op.imm >> 31 ? op.imm : op.imm2;
    const bits = 33 - Math.clz32(top < 0 ? ~top : top);
    signedBits(r, v, top === op.imm && op.imm2 === op.imm >> 31 ? bits : bits + 32);
  },
  ld: loaded,
  env_ld: loaded,
  and: (r, op, v) => {
    r.zeroLo[v] = r.zeroLo[op.a]! | r.zeroLo[op.b]!;
    r.zeroHi[v] = r.zeroHi[op.a]! | r.zeroHi[op.b]!;
    widerSign(r, op, v);
    fromZeros(r, op, v);
  },
  or: (r, op, v) => {
    r.zeroLo[v] = r.zeroLo[op.a]! & r.zeroLo[op.b]!;
    r.zeroHi[v] = r.zeroHi[op.a]! & r.zeroHi[op.b]!;
    widerSign(r, op, v);
  },
  xor: (r, op, v) => NOTES.or!(r, op, v),
  not: (r, op, v) => signedBits(r, v, r.signed[op.a]!),
  add: (r, op, v) => signedBits(r, v, Math.max(r.signed[op.a]!, r.signed[op.b]!) + 1),
  sub: (r, op, v) => signedBits(r, v, Math.max(r.signed[op.a]!, r.signed[op.b]!) + 1),
  shl: (r, op, v) => {
    const n = shiftCount(r, op);
    if (n < 0) return;
    zerosLeft(r, op, v, op.a, n);
    signedBits(r, v, r.signed[op.a]! + n);
  },
  shr: (r, op, v) => {
    const n = shiftCount(r, op);
    if (n < 0) return;
    zerosRight(r, op, v, op.a, n);
    fromZeros(r, op, v);
  },
  sar: (r, op, v) => {
    const n = shiftCount(r, op);
    signedBits(r, v, Math.max(1, r.signed[op.a]! - Math.max(n, 0)));
  },
  clz: lowBits(7),
  ctz: lowBits(7),
  ctpop: lowBits(7),
  bswap16: lowBits(16),
  bswap32: lowBits(32),
  ext8s: signExtension(8),
  ext16s: signExtension(16),
  ext32s: signExtension(32),
  ext_i32: signExtension(32),
  ext8u: (r, op, v) => zeroExtension(r, op, v, 8),
  ext16u: (r, op, v) => zeroExtension(r, op, v, 16),
  ext32u: (r, op, v) => zeroExtension(r, op, v, 32),
  extu_i32: (r, op, v) => {
    r.zeroLo[v] = r.zeroLo[op.a]!;
    r.zeroHi[v] = -1;
    fromZeros(r, op, v);
  },
  extrl: (r, op, v) => {
    r.zeroLo[v] = r.zeroLo[op.a]!;
    signedBits(r, v, r.signed[op.a]!);
  },
  extract: (r, op, v) => {
    zerosRight(r, op, v, op.a, op.imm);
    unsignedBits(r, op, v, op.imm2);
  },
  sextract: (r, _op, v) => signedBits(r, v, _op.imm2),
  setcond: lowBits(1),
  negsetcond: (r, _op, v) => signedBits(r, v, 1),
  movcond: (r, op, v) => {
    r.zeroLo[v] = r.zeroLo[op.c]! & r.zeroLo[op.d]!;
    r.zeroHi[v] = r.zeroHi[op.c]! & r.zeroHi[op.d]!;
    signedBits(r, v, Math.max(r.signed[op.c]!, r.signed[op.d]!));
  },
  feq: lowBits(1),
  flt: lowBits(1),
  fle: lowBits(1),
};

function zeroExtension(r: Rewriter, op: Op, v: Value, bits: number): void {
  r.zeroLo[v] = r.zeroLo[op.a]!;
  r.zeroHi[v] = r.zeroHi[op.a]!;
  unsignedBits(r, op, v, bits);
  fromZeros(r, op, v);
}

/** Derives the sign extension from leading zeros. */
function fromZeros(r: Rewriter, op: Op, v: Value): void {
  const hi = ~r.zeroHi[v]!;
  const lo = ~r.zeroLo[v]!;
  const bits = op.type === "i64" && hi !== 0 ? 64 - Math.clz32(hi) : 32 - Math.clz32(lo);
  signedBits(r, v, bits + 1);
}

const BY_CODE: readonly (Note | undefined)[] = OPS.map((spec) => NOTES[spec.name as OpName]);

/** Records what is certain of the bits of `v`, which `op` defines. */
export function noteBits(r: Rewriter, op: Op, v: Value): void {
  const type = resultType(op);
  const narrow = type === "i32" || type === "f32";
  r.zeroLo[v] = 0;
  r.zeroHi[v] = narrow ? -1 : 0;
  r.signed[v] = narrow ? 32 : 64;
  BY_CODE[op.spec.code]?.(r, op, v);
}
