/** Permutations and blends. Source: Intel SDM volume 2 (2023), PSHUFB, PSHUFD, PUNPCKLBW, SHUFPS, BLENDPS, VPERMQ. */
import { ops, type OpSpec, type Value } from "@mimus/tcg";
import { OPERAND } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { mmVector, pattern, setMmVector, two, type Two } from "./lanes.ts";
import {
  both, enterMmx, first, immediate, isMem, isMm, isWide, read128, readPart, readVec, setVec, vec, writeVec, zeros,
} from "./registers.ts"; // prettier-ignore

/** Indexes of bytes from indexes of lanes of `bytes` bytes. */
const bytesOf = (bytes: number, lanes: readonly number[]): number[] =>
  lanes.flatMap((lane) => Array.from({ length: bytes }, (_, n) => lane * bytes + n));

/** Lanes of the low (high) halves of both, by turns. */
function unpack(bytes: number, high: boolean): Two {
  const count = 16 / bytes;
  const from = high ? count / 2 : 0;
  const lanes = bytesOf(
    bytes,
    Array.from({ length: count }, (_, n) => from + (n >> 1) + (n & 1 ? count : 0)),
  );
  return (ir, a, b) => ir.shuffle(a, b, lanes);
}

/** By the two-bit fields of the immediate, in each half. */
function byImmediate(lanesOf: (imm: number) => number[]): Translate {
  return (t, i) => {
    const lanes = lanesOf(immediate(i));
    writeVec(t, i, 0, readVec(t, i, 1).map((v) => t.ir.shuffle(v, v, lanes))); // prettier-ignore
  };
}
const fields = (imm: number): number[] => [0, 2, 4, 6].map((at) => (imm >> at) & 3);
const pshufd = byImmediate((imm) => bytesOf(4, fields(imm)));
const pshufhw = byImmediate((imm) => bytesOf(2, [0, 1, 2, 3, ...fields(imm).map((n) => n + 4)]));
const pshuflw = byImmediate((imm) => bytesOf(2, [...fields(imm), 4, 5, 6, 7]));

const pshufw: Translate = (t, i) => {
  const v = mmVector(t, i, 1);
  enterMmx(t);
  setMmVector(t, i, t.ir.shuffle(v, v, bytesOf(2, [...fields(immediate(i)), 4, 5, 6, 7])));
};

/** Of two sources by an immediate; `lanesOf` gets it and the half's number. */
function ofTwo(lanesOf: (imm: number, half: number) => number[]): Translate {
  return (t, i) => {
    const k = first(i);
    const imm = immediate(i);
    const b = readVec(t, i, k + 1);
    const a = readVec(t, i, k);
    writeVec(t, i, 0, a.map((v, h) => t.ir.shuffle(v, b[h]!, lanesOf(imm, h)))); // prettier-ignore
  };
}
const shufps = ofTwo((imm) => bytesOf(4, fields(imm).map((n, k) => (k < 2 ? n : n + 4)))); // prettier-ignore
const shufpd = ofTwo((imm, half) => bytesOf(8, [(imm >> (2 * half)) & 1, 2 + ((imm >> (2 * half + 1)) & 1)]));
/** Lanes of the second where the immediate has ones; it counts on in the upper half, or starts again. */
const blend = (bytes: number, repeats: boolean): Translate =>
  ofTwo((imm, half) => {
    const count = 16 / bytes;
    const bits = repeats ? imm : imm >> (half * count);
    return bytesOf(
      bytes,
      Array.from({ length: count }, (_, n) => ((bits >> n) & 1 ? n + count : n)),
    );
  });

/** PSHUFB: zero where the top bit of the index is set. */
const pshufb: Translate = (t, i) => {
  if (!isMm(i, 0)) return wide(t, i);
  return narrow(t, i);
};
const wide = two((ir, a, b) => ir.vector(ops.i8x16_swizzle, a, ir.vector(ops.v128_and, b, pattern(ir, 0x8f))));
const narrow = two((ir, a, b) => ir.vector(ops.i8x16_swizzle, a, ir.vector(ops.v128_and, b, pattern(ir, 0x87))));

/** Blends by the top bits of lanes of a third operand: XMM0, or a register of the encoding. */
function blendByMask(shr: OpSpec, bits: number): Translate {
  return (t, i) => {
    const k = first(i);
    const b = readVec(t, i, k + 1);
    const a = readVec(t, i, k);
    const mask = readVec(t, i, k + 2).map((v) => t.ir.vector(shr, v, t.ir.const32(bits - 1)));
    writeVec(t, i, 0, a.map((v, h) => t.ir.vector(ops.v128_bitselect, b[h]!, v, mask[h]!))); // prettier-ignore
  };
}

/** PMOVSX, PMOVZX: `steps` doublings; the upper half is of what follows in the source. */
function extend(low: readonly OpSpec[]): Translate {
  return (t, i) => {
    const { ir } = t;
    const whole = isWide(i) ? 32 : 16;
    const half = whole >> low.length;
    const v = readPart(t, i, 1, half);
    const all = (x: Value): Value => low.reduce((y, spec) => ir.vector(spec, y), x);
    if (!isWide(i)) return writeVec(t, i, 0, [all(v)]);
    const next = ir.shuffle(
      v,
      v,
      Array.from({ length: 16 }, (_, n) => (n + half / 2) & 15),
    );
    writeVec(t, i, 0, [all(v), all(next)]);
  };
}
const S8 = ops.i16x8_extend_low_i8x16_s;
const S16 = ops.i32x4_extend_low_i16x8_s;
const S32 = ops.i64x2_extend_low_i32x4_s;
const U8 = ops.i16x8_extend_low_i8x16_u;
const U16 = ops.i32x4_extend_low_i16x8_u;
const U32 = ops.i64x2_extend_low_i32x4_u;

// ---- AVX, AVX2

/** The two-bit fields of each lane as indexes of bytes. */
const vpermilps: Translate = (t, i) => {
  if (i.operands[2].kind === OPERAND.imm) return pshufd(t, i);
  const { ir } = t;
  const b = readVec(t, i, 2);
  const a = readVec(t, i, 1);
  writeVec(t, i, 0, a.map((v, h) => {
    const n = ir.vector(ops.i32x4_shl, ir.vector(ops.v128_and, b[h]!, pattern(ir, 3, 0, 0, 0)), ir.const32(2));
    return ir.vector(ops.i8x16_swizzle, v, indexes(t, n));
  })); // prettier-ignore
};
/** From the first byte's index in each 32-bit lane the indexes of its four bytes. */
function indexes(t: Tx, n: Value): Value {
  const { ir } = t;
  const spread = ir.shuffle(n, n, [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]);
  return ir.vector(ops.i8x16_add, spread, pattern(ir, 0, 1, 2, 3));
}
const vpermilpd: Translate = (t, i) => {
  const { ir } = t;
  if (i.operands[2].kind === OPERAND.imm) {
    const imm = immediate(i);
    const lanes = (h: number): number[] => bytesOf(8, [(imm >> (2 * h)) & 1, (imm >> (2 * h + 1)) & 1]);
    return writeVec(t, i, 0, readVec(t, i, 1).map((v, h) => ir.shuffle(v, v, lanes(h)))); // prettier-ignore
  }
  const b = readVec(t, i, 2);
  const a = readVec(t, i, 1);
  writeVec(t, i, 0, a.map((v, h) => {
    const mask = ir.vector(ops.i64x2_shr_s, ir.vector(ops.i64x2_shl, b[h]!, ir.const32(62)), ir.const32(63));
    const low = ir.shuffle(v, v, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    const high = ir.shuffle(v, v, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
    return ir.vector(ops.v128_bitselect, high, low, mask);
  })); // prettier-ignore
};

/** VPERM2F128: each half of the result is one of four, or zero. */
const perm2: Translate = (t, i) => {
  const b = readVec(t, i, 2);
  const all = [...readVec(t, i, 1), ...b];
  const imm = immediate(i);
  const pick = (field: number): Value => (field & 8 ? zeros(t.ir) : all[field & 3]!);
  writeVec(t, i, 0, [pick(imm & 15), pick(imm >> 4)]);
};

const insert128: Translate = (t, i) => {
  const v = read128(t, i, 2);
  const a = readVec(t, i, 1);
  a[immediate(i) & 1] = v;
  writeVec(t, i, 0, a);
};
const extract128: Translate = (t, i) => {
  const v = vec(t, i.operands[1].n, (immediate(i) & 1) as 0 | 1);
  if (isMem(i, 0)) return t.storeVec(t.address(0, "w"), v);
  setVec(t, i.operands[0].n, 0, v);
  setVec(t, i.operands[0].n, 1, zeros(t.ir));
};

/** VPERMQ: quadwords of both halves. */
const vpermq: Translate = (t, i) => {
  const [low, high] = readVec(t, i, 1) as [Value, Value];
  const f = fields(immediate(i));
  const half = (x: number, y: number): Value => t.ir.shuffle(low, high, bytesOf(8, [x, y]));
  writeVec(t, i, 0, [half(f[0]!, f[1]!), half(f[2]!, f[3]!)]);
};

/** VPERMD: doublewords of both halves, by indexes in a register. */
const vpermd: Translate = (t, i) => {
  const { ir } = t;
  const [low, high] = readVec(t, i, 2) as [Value, Value];
  const pick = (v: Value): Value => {
    const n = ir.vector(ops.i32x4_shl, ir.vector(ops.v128_and, v, pattern(ir, 7, 0, 0, 0)), ir.const32(2));
    const at = indexes(t, n);
    const above = ir.vector(ops.i8x16_sub, at, pattern(ir, 16));
    return ir.vector(ops.v128_or, ir.vector(ops.i8x16_swizzle, low, at), ir.vector(ops.i8x16_swizzle, high, above));
  };
  writeVec(t, i, 0, readVec(t, i, 1).map(pick)); // prettier-ignore
};

/** One element everywhere. */
function broadcast(bytes: 1 | 2 | 4 | 8 | 16): Translate {
  return (t, i) => {
    const { ir } = t;
    const v = readPart(t, i, 1, bytes);
    const lanes = Array.from({ length: 16 }, (_, n) => n % bytes);
    const all = bytes === 16 ? v : ir.shuffle(v, v, lanes);
    writeVec(t, i, 0, isWide(i) ? [all, all] : [all]);
  };
}

export const shuffles = {
  ...both({
    punpcklbw: two(unpack(1, false)), punpcklwd: two(unpack(2, false)), punpckldq: two(unpack(4, false)), punpcklqdq: two(unpack(8, false)),
    unpcklps: two(unpack(4, false)), unpcklpd: two(unpack(8, false)), unpckhps: two(unpack(4, true)), unpckhpd: two(unpack(8, true)),
    punpckhbw: unpackHigh(1), punpckhwd: unpackHigh(2), punpckhdq: unpackHigh(4), punpckhqdq: unpackHigh(8),
    pshufb, pshufd, pshufhw, pshuflw, shufps, shufpd,
    blendps: blend(4, false), blendpd: blend(8, false), pblendw: blend(2, true),
    pblendvb: blendByMask(ops.i8x16_shr_s, 8), blendvps: blendByMask(ops.i32x4_shr_s, 32), blendvpd: blendByMask(ops.i64x2_shr_s, 64),
    pmovsxbw: extend([S8]), pmovsxbd: extend([S8, S16]), pmovsxbq: extend([S8, S16, S32]),
    pmovsxwd: extend([S16]), pmovsxwq: extend([S16, S32]), pmovsxdq: extend([S32]),
    pmovzxbw: extend([U8]), pmovzxbd: extend([U8, U16]), pmovzxbq: extend([U8, U16, U32]),
    pmovzxwd: extend([U16]), pmovzxwq: extend([U16, U32]), pmovzxdq: extend([U32]),
  }),
  pshufw, vpermilps, vpermilpd, vperm2f128: perm2, vperm2i128: perm2, vinsertf128: insert128, vinserti128: insert128,
  vextractf128: extract128, vextracti128: extract128, vpermq, vpermpd: vpermq, vpermd, vpermps: vpermd, vpblendd: blend(4, false),
  vbroadcastss: broadcast(4), vbroadcastsd: broadcast(8), vbroadcastf128: broadcast(16), vbroadcasti128: broadcast(16),
  vpbroadcastb: broadcast(1), vpbroadcastw: broadcast(2), vpbroadcastd: broadcast(4), vpbroadcastq: broadcast(8),
}; // prettier-ignore

/** On MMX registers the high halves are the upper part of what the low halves of vectors give. */
function unpackHigh(bytes: number): Translate {
  const vectors = two(unpack(bytes, true));
  const mmx = two(unpack(bytes, false), "high");
  return (t, i) => (isMm(i, 0) ? mmx(t, i) : vectors(t, i));
}
