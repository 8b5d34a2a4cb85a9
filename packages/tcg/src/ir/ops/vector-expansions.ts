/** Expansions of operations on vectors that are more than one instruction, or have lanes in their code. */
import { HOST_FMA } from "../../wasm/host-fma.ts";
import type { Op } from "../block.ts";
import type { Expansion, WasmOps } from "../wasm-ops.ts";
import { laneCount, VECTOR, type VectorOpName } from "./vector.ts";

/** The instruction with a code behind the prefix. */
export function simd(code: number): number[] {
  return code < 0x80 ? [0xfd, code] : [0xfd, (code & 0x7f) | 0x80, code >> 7];
}

const of = (name: VectorOpName): number[] => simd(VECTOR[name][1]);
const SWIZZLE = of("i8x16_swizzle");
const XOR = of("v128_xor");
const AND = of("v128_and");
const OR = of("v128_or");
const SELECT = of("v128_bitselect");

/** A constant of 16 bytes. */
const vector = (byte: (n: number) => number): number[] => [
  ...simd(0x0c),
  ...Array.from({ length: 16 }, (_, n) => byte(n)),
];

const SIGNS64 = vector((n) => (n % 8 === 7 ? 0x80 : 0));
const LOW8 = vector((n) => (n % 2 === 0 ? 0xff : 0));
const SIXTEENS = vector(() => 16);

const constant: Expansion = (w, op) => w.imm128(op.list);

/** Where the code cannot hold the indexes: two swizzles, of which one gives 0. */
const shuffle: Expansion = (w, op) => {
  w.arg(0);
  if (w.immediatesInCode) {
    w.arg(1);
    w.raw([...simd(VECTOR.i8x16_shuffle[1]), ...op.list]);
    return;
  }
  w.imm128(op.list);
  w.raw(SWIZZLE);
  w.arg(1);
  w.imm128(op.list);
  w.raw(SIXTEENS);
  w.raw(of("i8x16_sub"));
  w.raw(SWIZZLE);
  w.raw(OR);
};

/** Bytes of a lane: `inside` of it by their place in it, elsewhere `outside`. */
function laneBytes(op: Op, inside: (n: number) => number, outside: number): number[] {
  const bytes = 16 / laneCount(op.spec.name);
  return Array.from({ length: 16 }, (_, n) => (Math.floor(n / bytes) === op.imm ? inside(n) : outside));
}

/** Where the code cannot hold the lane, it is brought to lane 0. */
function extractLane(code: number): Expansion {
  return (w, op) => {
    w.arg(0);
    if (!w.immediatesInCode) {
      const bytes = 16 / laneCount(op.spec.name);
      w.imm128(Array.from({ length: 16 }, (_, n) => (n < bytes ? op.imm * bytes + n : 0xff)));
      w.raw(SWIZZLE);
    }
    w.raw([...simd(code), w.immediatesInCode ? op.imm : 0]);
  };
}

/** Where the code cannot hold the lane, a mask selects it. */
function replaceLane(code: number, splat: number[]): Expansion {
  return (w, op) => {
    if (w.immediatesInCode) {
      w.arg(0);
      w.arg(1);
      w.raw([...simd(code), op.imm]);
      return;
    }
    w.arg(1);
    w.raw(splat);
    w.arg(0);
    w.imm128(laneBytes(op, () => 0xff, 0));
    w.raw(SELECT);
  };
}

function operands(w: WasmOps, ...each: (readonly number[])[]): void {
  for (const [n, after] of each.entries()) {
    w.arg(n);
    if (after.length > 0) w.raw(after);
  }
}

/** Of 64-bit lanes without sign: with the signs inverted, the order is that with sign. */
function unsigned64(signed: VectorOpName): Expansion {
  return (w) => {
    operands(w, [...SIGNS64, ...XOR], [...SIGNS64, ...XOR]);
    w.raw(of(signed));
  };
}

/** Selects between a and b by a comparison of them; operands are pushed twice. */
function extremum64(less: VectorOpName, invert: boolean, max: boolean): Expansion {
  const flip = invert ? [...SIGNS64, ...XOR] : [];
  return (w) => {
    w.arg(max ? 1 : 0);
    w.arg(max ? 0 : 1);
    operands(w, flip, flip);
    w.raw(of(less));
    w.raw(SELECT);
  };
}

/** Of bytes: products of the even ones, and of the odd ones moved down, in lanes of 16 bits. */
const mul8: Expansion = (w) => {
  const down = (n: number): void => {
    w.arg(n);
    w.const32(8);
    w.raw(of("i16x8_shr_u"));
  };
  operands(w, [], []);
  w.raw([...of("i16x8_mul"), ...LOW8, ...AND]);
  down(0);
  down(1);
  w.raw(of("i16x8_mul"));
  w.const32(8);
  w.raw(of("i16x8_shl"));
  w.raw(OR);
};

/** relaxed_madd where it is fused; else something that compiles. */
function fmadd(madd: number, mul: VectorOpName, add: VectorOpName): Expansion {
  return (w) => {
    w.arg(0);
    w.arg(1);
    if (!HOST_FMA) w.raw(of(mul));
    w.arg(2);
    w.raw(HOST_FMA ? simd(madd) : of(add));
  };
}

/** Expansions by name; an operation without one is one instruction. `repeats`: it pushes an operand twice. */
export const EXPANSIONS: Readonly<Partial<Record<VectorOpName, { expand: Expansion; repeats?: true }>>> = {
  v128_const: { expand: constant },
  i8x16_shuffle: { expand: shuffle },
  i8x16_mul: { expand: mul8, repeats: true },
  i64x2_lt_u: { expand: unsigned64("i64x2_lt_s") },
  i64x2_gt_u: { expand: unsigned64("i64x2_gt_s") },
  i64x2_le_u: { expand: unsigned64("i64x2_le_s") },
  i64x2_ge_u: { expand: unsigned64("i64x2_ge_s") },
  i64x2_min_s: { expand: extremum64("i64x2_lt_s", false, false), repeats: true },
  i64x2_min_u: { expand: extremum64("i64x2_lt_s", true, false), repeats: true },
  i64x2_max_s: { expand: extremum64("i64x2_lt_s", false, true), repeats: true },
  i64x2_max_u: { expand: extremum64("i64x2_lt_s", true, true), repeats: true },
  f32x4_fmadd: { expand: fmadd(0x105, "f32x4_mul", "f32x4_add") },
  f64x2_fmadd: { expand: fmadd(0x107, "f64x2_mul", "f64x2_add") },
  ...lanes(),
};

function lanes(): Partial<Record<VectorOpName, { expand: Expansion }>> {
  const all: Partial<Record<VectorOpName, { expand: Expansion }>> = {};
  for (const [name, [, code]] of Object.entries(VECTOR) as [VectorOpName, readonly [string, number]][]) {
    const shape = name.slice(0, name.indexOf("_"));
    if (name.includes("extract_lane")) all[name] = { expand: extractLane(code) };
    if (name.includes("replace_lane")) all[name] = { expand: replaceLane(code, of(`${shape}_splat` as VectorOpName)) };
  }
  return all;
}
