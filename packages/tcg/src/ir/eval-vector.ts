import type { Op } from "./block.ts";
import { fromBits, nearest, rounded, saturated, toBits } from "./eval-float.ts";
import { fusedMultiplyAdd } from "./eval-fma.ts";

/** The lanes of a vector, unsigned, lowest first. */
function split(v: bigint, bits: number): bigint[] {
  return Array.from({ length: 128 / bits }, (_, n) => BigInt.asUintN(bits, v >> BigInt(n * bits)));
}

/** The vector of lanes, each cut to `bits`. */
function join(lanes: readonly bigint[], bits: number): bigint {
  return lanes.reduceRight((v, lane) => (v << BigInt(bits)) | BigInt.asUintN(bits, lane), 0n);
}

const clamp = (x: bigint, low: bigint, high: bigint): bigint => (x < low ? low : x > high ? high : x);
const least = (bits: number, signed: boolean): bigint => (signed ? -(1n << BigInt(bits - 1)) : 0n);
const greatest = (bits: number, signed: boolean): bigint => (1n << BigInt(signed ? bits - 1 : bits)) - 1n;

/** Whether a comparison (`eq`, `lt`, …) holds. */
function holds<T>(name: string, x: T, y: T): boolean {
  switch (name) {
    case "eq":
      return x === y;
    case "ne":
      return x !== y;
    case "lt":
      return x < y;
    case "gt":
      return x > y;
    case "le":
      return x <= y;
    default:
      return x >= y;
  }
}

/** Operations of one lane of integers; x and y have a sign if the operation's name ends so. */
function integerLane(name: string, x: bigint, y: bigint, bits: number, signed: boolean): bigint {
  switch (name) {
    case "add":
      return x + y;
    case "sub":
      return x - y;
    case "mul":
      return x * y;
    case "add_sat":
      return clamp(x + y, least(bits, signed), greatest(bits, signed));
    case "sub_sat":
      return clamp(x - y, least(bits, signed), greatest(bits, signed));
    case "q15mulr_sat":
      return clamp((x * y + 0x4000n) >> 15n, -0x8000n, 0x7fffn);
    case "min":
      return x < y ? x : y;
    case "max":
      return x > y ? x : y;
    case "avgr":
      return (x + y + 1n) >> 1n;
    case "neg":
      return -x;
    case "abs":
      return BigInt.asIntN(bits, x) < 0n ? -x : x;
    case "popcnt":
      return BigInt(x.toString(2).replaceAll("0", "").length);
    default:
      if (!/^(eq|ne|lt|gt|le|ge)$/.test(name)) throw new Error(`evaluate: ${name}`);
      return holds(name, x, y) ? -1n : 0n;
  }
}

/** Operations of one lane of floats; the bits are needed where a NaN is moved. */
function floatLane(name: string, a: bigint, b: bigint, c: bigint, bits: number): bigint {
  const [x, y] = [fromBits(a, bits), fromBits(b, bits)];
  const sign = 1n << BigInt(bits - 1);
  const of = (n: number): bigint => toBits(n, bits);
  switch (name) {
    case "abs":
      return a & ~sign;
    case "neg":
      return a ^ sign;
    case "sqrt":
      return of(Math.sqrt(x));
    case "ceil":
      return of(Math.ceil(x));
    case "floor":
      return of(Math.floor(x));
    case "trunc":
      return of(Math.trunc(x));
    case "nearest":
      return of(nearest(x));
    case "add":
      return of(x + y);
    case "sub":
      return of(x - y);
    case "mul":
      return of(x * y);
    case "div":
      return of(x / y);
    case "min":
      return of(Math.min(x, y));
    case "max":
      return of(Math.max(x, y));
    case "pmin":
      return y < x ? b : a;
    case "pmax":
      return x < y ? b : a;
    case "fmadd":
      return fusedMultiplyAdd(a, b, c, bits);
    default:
      if (!/^(eq|ne|lt|gt|le|ge)$/.test(name)) throw new Error(`evaluate: ${name}`);
      return holds(name, x, y) ? -1n : 0n;
  }
}

/** Conversions between lanes of different kinds; undefined when the operation is none. */
function converted(rest: string, a: bigint, b: bigint): bigint | undefined {
  const signed = /_s(_zero)?$/.test(rest);
  const of = (v: bigint, bits: number): bigint[] => split(v, bits).map((x) => (signed ? BigInt.asIntN(bits, x) : x));
  const match = /^(narrow|extend|extmul|extadd_pairwise|dot)_(?:(low|high)_)?i(\d+)x\d+/.exec(rest);
  if (match !== null) {
    const [, kind, half, width] = match;
    const from = Number(width);
    if (kind === "narrow") {
      const to = from / 2;
      const lanes = [...split(a, from), ...split(b, from)].map((x) => BigInt.asIntN(from, x));
      return join(lanes.map((x) => clamp(x, least(to, signed), greatest(to, signed))), to); // prettier-ignore
    }
    const count = 64 / from;
    const part = (v: bigint): bigint[] => of(v, from).slice(half === "high" ? count : 0).slice(0, count); // prettier-ignore
    if (kind === "extend") return join(part(a), from * 2);
    if (kind === "extmul") return join(part(a).map((x, n) => x * part(b)[n]!), from * 2); // prettier-ignore
    const [x, y] = [of(a, from), of(b, from)];
    const terms = kind === "dot" ? x.map((lane, n) => lane * y[n]!) : x;
    const sums = Array.from({ length: count }, (_, n) => terms[2 * n]! + terms[2 * n + 1]!);
    return join(sums, from * 2);
  }
  const limits = [least(32, signed), greatest(32, signed)] as const;
  switch (rest.replace(/_[su](?=$|_zero)/, "")) {
    case "trunc_sat_f32x4":
      return join(split(a, 32).map((x) => saturated(fromBits(x, 32), ...limits)), 32); // prettier-ignore
    case "trunc_sat_f64x2_zero":
      return join(split(a, 64).map((x) => saturated(fromBits(x, 64), ...limits)), 32); // prettier-ignore
    case "convert_i32x4":
      return join(of(a, 32).map((x) => toBits(rounded(x, 32), 32)), 32); // prettier-ignore
    case "convert_low_i32x4":
      return join(of(a, 32).slice(0, 2).map((x) => toBits(Number(x), 64)), 64); // prettier-ignore
    case "demote_f64x2_zero":
      return join(split(a, 64).map((x) => toBits(fromBits(x, 64), 32)), 32); // prettier-ignore
    case "promote_low_f32x4":
      return join(split(a, 32).slice(0, 2).map((x) => toBits(fromBits(x, 32), 64)), 64); // prettier-ignore
    default:
      return undefined;
  }
}

/** Operations on the vector as a whole, or on single lanes; undefined when the operation is none. */
function whole(op: Op, shape: string, rest: string, a: bigint, b: bigint, c: bigint): bigint | undefined {
  const bits = shape === "v128" ? 128 : Number(/\d+/.exec(shape)![0]);
  const lanes = split(a, bits);
  const bytes = split(a, 8);
  switch (rest) {
    case "const":
      return join(op.list.map(BigInt), 8);
    case "shuffle":
      return join(op.list.map((n) => [...bytes, ...split(b, 8)][n]!), 8); // prettier-ignore
    case "swizzle":
      return join(split(b, 8).map((n) => bytes[Number(n)] ?? 0n), 8); // prettier-ignore
    case "splat":
      return join(lanes.map(() => a), bits); // prettier-ignore
    case "extract_lane_s":
      return BigInt.asIntN(bits, lanes[op.imm]!);
    case "extract_lane":
    case "extract_lane_u":
      return lanes[op.imm]!;
    case "replace_lane":
      return join(lanes.with(op.imm, b), bits);
    case "bitselect":
      return (a & c) | (b & ~c);
    case "not":
      return ~a;
    case "and":
      return a & b;
    case "andnot":
      return a & ~b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "any_true":
      return a === 0n ? 0n : 1n;
    case "all_true":
      return lanes.includes(0n) ? 0n : 1n;
    case "bitmask":
      return lanes.reduce((mask, lane, n) => mask | ((lane >> BigInt(bits - 1)) << BigInt(n)), 0n);
    case "shl":
      return join(lanes.map((x) => x << b % BigInt(bits)), bits); // prettier-ignore
    case "shr_u":
      return join(lanes.map((x) => x >> b % BigInt(bits)), bits); // prettier-ignore
    case "shr_s":
      return join(lanes.map((x) => BigInt.asIntN(bits, x) >> b % BigInt(bits)), bits); // prettier-ignore
    default:
      return undefined;
  }
}

/** The operations on vectors of the reference evaluator, lane by lane on bits. */
export function evalVector(op: Op, a: bigint, b: bigint, c: bigint): bigint {
  const [shape, rest] = [op.spec.name.slice(0, op.spec.name.indexOf("_")), op.spec.name.replace(/^[^_]*_/, "")];
  const special = whole(op, shape, rest, a, b, c) ?? converted(rest, a, b);
  if (special !== undefined) return special;
  const bits = Number(/\d+/.exec(shape)![0]);
  const [x, y, z] = [split(a, bits), split(b, bits), split(c, bits)];
  if (shape.startsWith("f")) return join(x.map((_, n) => floatLane(rest, x[n]!, y[n]!, z[n]!, bits)), bits); // prettier-ignore
  const signed = rest.endsWith("_s");
  const value = (lane: bigint): bigint => (signed ? BigInt.asIntN(bits, lane) : lane);
  const name = rest.replace(/_[su]$/, "");
  return join(x.map((lane, n) => integerLane(name, value(lane), value(y[n]!), bits, signed)), bits); // prettier-ignore
}
