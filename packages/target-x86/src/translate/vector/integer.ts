/** Arithmetic and logic on integers. Source: Intel SDM volume 2 (2023), the instructions of each name. */
import { ops, type Builder, type Value } from "@mimus/tcg";
import { both } from "./registers.ts";
import { idiom, one, ones, op1, op2, pattern, two, zeros, type Two } from "./lanes.ts";

/** The high halves of 16-bit products that stand in two vectors of 32-bit ones. */
const HIGH = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];
const mulHigh =
  (low: typeof ops.i32x4_extmul_low_i16x8_s, high: typeof low): Two =>
  (ir, a, b) =>
    ir.shuffle(ir.vector(low, a, b), ir.vector(high, a, b), HIGH);

/** Lanes 0 and 2 in the low half. */
const EVEN32 = [0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11];
const mulEven =
  (spec: typeof ops.i64x2_extmul_low_i32x4_s): Two =>
  (ir, a, b) =>
    ir.vector(spec, ir.shuffle(a, a, EVEN32), ir.shuffle(b, b, EVEN32));

const differences: Two = (ir, a, b) =>
  ir.vector(ops.v128_or, ir.vector(ops.i8x16_sub_sat_u, a, b), ir.vector(ops.i8x16_sub_sat_u, b, a));

const psadbw: Two = (ir, a, b) => {
  const sums = ir.vector(ops.i16x8_extadd_pairwise_i8x16_u, differences(ir, a, b));
  const fours = ir.vector(ops.i32x4_extadd_pairwise_i16x8_u, sums);
  const eights = ir.vector(ops.i64x2_add, fours, ir.vector(ops.i64x2_shr_u, fours, ir.const32(32)));
  return ir.vector(ops.v128_and, eights, pattern(ir, 0xff, 0xff, 0, 0, 0, 0, 0, 0));
};

/** Unsigned bytes of a times signed bytes of b, neighbours added with saturation. */
const pmaddubsw: Two = (ir, a, b) => {
  const eight = ir.const32(8);
  const evenA = ir.vector(ops.v128_and, a, pattern(ir, 0xff, 0));
  const evenB = ir.vector(ops.i16x8_shr_s, ir.vector(ops.i16x8_shl, b, eight), eight);
  const oddA = ir.vector(ops.i16x8_shr_u, a, eight);
  const oddB = ir.vector(ops.i16x8_shr_s, b, eight);
  const [even, odd] = [ir.vector(ops.i16x8_mul, evenA, evenB), ir.vector(ops.i16x8_mul, oddA, oddB)];
  return ir.vector(ops.i16x8_add_sat_s, even, odd);
};

/** The host saturates -1 * -1 to 1 less a bit; here it wraps. */
const pmulhrsw: Two = (ir, a, b) => {
  const least = pattern(ir, 0, 0x80);
  const wraps = ir.vector(ops.v128_and, ir.vector(ops.i16x8_eq, a, least), ir.vector(ops.i16x8_eq, b, least));
  return ir.vector(ops.v128_xor, ir.vector(ops.i16x8_q15mulr_sat_s, a, b), wraps);
};

/** Bytes of even and of odd lanes of two vectors. */
const lanesOf = (bytes: number, odd: number): number[] =>
  Array.from({ length: 16 }, (_, n) => Math.floor(n / bytes) * 2 * bytes + odd * bytes + (n % bytes));
const EVENS = { 2: lanesOf(2, 0), 4: lanesOf(4, 0) };
const ODDS = { 2: lanesOf(2, 1), 4: lanesOf(4, 1) };
const horizontal = (bytes: 2 | 4, spec: typeof ops.i16x8_add): Two => {
  return (ir, a, b) => ir.vector(spec, ir.shuffle(a, b, EVENS[bytes]), ir.shuffle(a, b, ODDS[bytes]));
};

/** a with the signs of b; 0 where b is 0. */
const sign =
  (shr: typeof ops.i8x16_shr_s, sub: typeof ops.i8x16_sub, eq: typeof ops.i8x16_eq, bits: number): Two =>
  (ir, a, b) => {
    const negative = ir.vector(shr, b, ir.const32(bits - 1));
    const v = ir.vector(sub, ir.vector(ops.v128_xor, a, negative), negative);
    return ir.vector(ops.v128_andnot, v, ir.vector(eq, b, zeros(ir)));
  };

const exclusiveOr = idiom(op2(ops.v128_xor), zeros);
const conjunction = two(op2(ops.v128_and));
const disjunction = two(op2(ops.v128_or));
const andNot = two((ir: Builder, a: Value, b: Value) => ir.vector(ops.v128_andnot, b, a));

export const integer = both({
  paddb: two(op2(ops.i8x16_add)), paddw: two(op2(ops.i16x8_add)), paddd: two(op2(ops.i32x4_add)), paddq: two(op2(ops.i64x2_add)),
  paddsb: two(op2(ops.i8x16_add_sat_s)), paddsw: two(op2(ops.i16x8_add_sat_s)),
  paddusb: two(op2(ops.i8x16_add_sat_u)), paddusw: two(op2(ops.i16x8_add_sat_u)),
  psubb: idiom(op2(ops.i8x16_sub), zeros), psubw: idiom(op2(ops.i16x8_sub), zeros),
  psubd: idiom(op2(ops.i32x4_sub), zeros), psubq: idiom(op2(ops.i64x2_sub), zeros),
  psubsb: two(op2(ops.i8x16_sub_sat_s)), psubsw: two(op2(ops.i16x8_sub_sat_s)),
  psubusb: two(op2(ops.i8x16_sub_sat_u)), psubusw: two(op2(ops.i16x8_sub_sat_u)),
  pmullw: two(op2(ops.i16x8_mul)), pmulld: two(op2(ops.i32x4_mul)),
  pmulhw: two(mulHigh(ops.i32x4_extmul_low_i16x8_s, ops.i32x4_extmul_high_i16x8_s)),
  pmulhuw: two(mulHigh(ops.i32x4_extmul_low_i16x8_u, ops.i32x4_extmul_high_i16x8_u)),
  pmuludq: two(mulEven(ops.i64x2_extmul_low_i32x4_u)), pmuldq: two(mulEven(ops.i64x2_extmul_low_i32x4_s)),
  pmaddwd: two(op2(ops.i32x4_dot_i16x8_s)), pmaddubsw: two(pmaddubsw), pmulhrsw: two(pmulhrsw), psadbw: two(psadbw),
  pavgb: two(op2(ops.i8x16_avgr_u)), pavgw: two(op2(ops.i16x8_avgr_u)),
  pminub: two(op2(ops.i8x16_min_u)), pmaxub: two(op2(ops.i8x16_max_u)), pminsw: two(op2(ops.i16x8_min_s)), pmaxsw: two(op2(ops.i16x8_max_s)),
  pminsb: two(op2(ops.i8x16_min_s)), pmaxsb: two(op2(ops.i8x16_max_s)), pminuw: two(op2(ops.i16x8_min_u)), pmaxuw: two(op2(ops.i16x8_max_u)),
  pminsd: two(op2(ops.i32x4_min_s)), pmaxsd: two(op2(ops.i32x4_max_s)), pminud: two(op2(ops.i32x4_min_u)), pmaxud: two(op2(ops.i32x4_max_u)),
  pabsb: one(op1(ops.i8x16_abs)), pabsw: one(op1(ops.i16x8_abs)), pabsd: one(op1(ops.i32x4_abs)),
  psignb: two(sign(ops.i8x16_shr_s, ops.i8x16_sub, ops.i8x16_eq, 8)),
  psignw: two(sign(ops.i16x8_shr_s, ops.i16x8_sub, ops.i16x8_eq, 16)),
  psignd: two(sign(ops.i32x4_shr_s, ops.i32x4_sub, ops.i32x4_eq, 32)),
  phaddw: two(horizontal(2, ops.i16x8_add), "joined"), phaddd: two(horizontal(4, ops.i32x4_add), "joined"),
  phaddsw: two(horizontal(2, ops.i16x8_add_sat_s), "joined"), phsubw: two(horizontal(2, ops.i16x8_sub), "joined"),
  phsubd: two(horizontal(4, ops.i32x4_sub), "joined"), phsubsw: two(horizontal(2, ops.i16x8_sub_sat_s), "joined"),
  pcmpeqb: idiom(op2(ops.i8x16_eq), ones), pcmpeqw: idiom(op2(ops.i16x8_eq), ones),
  pcmpeqd: idiom(op2(ops.i32x4_eq), ones), pcmpeqq: idiom(op2(ops.i64x2_eq), ones),
  pcmpgtb: two(op2(ops.i8x16_gt_s)), pcmpgtw: two(op2(ops.i16x8_gt_s)), pcmpgtd: two(op2(ops.i32x4_gt_s)), pcmpgtq: two(op2(ops.i64x2_gt_s)),
  packsswb: two(op2(ops.i8x16_narrow_i16x8_s), "joined"), packuswb: two(op2(ops.i8x16_narrow_i16x8_u), "joined"),
  packssdw: two(op2(ops.i16x8_narrow_i32x4_s), "joined"), packusdw: two(op2(ops.i16x8_narrow_i32x4_u)),
  pand: conjunction, por: disjunction, pxor: exclusiveOr, pandn: andNot,
  andps: conjunction, andpd: conjunction, orps: disjunction, orpd: disjunction,
  xorps: exclusiveOr, xorpd: exclusiveOr, andnps: andNot, andnpd: andNot,
}); // prettier-ignore
