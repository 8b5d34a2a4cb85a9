/**
 * The instructions of WebAssembly as data: binary code, name, signature, kind of immediate.
 *
 * A row is `name signature [immediate]`. A signature is operand types, `:`, result types: i i32, I i64, f f32, F f64,
 * V v128, x any; `?`: how many there are depends on the place. Rows of a group have consecutive codes; `-` is a code that is not used.
 * Source: WebAssembly Core Specification 3.0, 5.4 "Instructions".
 */

/** What follows an opcode. `m0`…`m4`: memory argument, log2 of the natural alignment; `lane`: with a lane index behind it. */
type Immediate =
  | "" | "block" | "label" | "labels" | "func" | "indirect" | "types" | "local" | "global" | "table" | "memory"
  | "memories" | "segment" | "segment0" | "elements" | "tables" | "i32" | "i64" | "f32" | "f64" | "v128" | "lanes"
  | "lane" | "m0" | "m1" | "m2" | "m3" | "m4" | "m0lane" | "m1lane" | "m2lane" | "m3lane"; // prettier-ignore

/** One instruction. */
export interface Opcode {
  /** Code; behind the prefixes 0xfc and 0xfd, the prefix × 2^16 + the code. */
  readonly code: number;
  readonly name: string;
  /** Operand types, then result types; undefined when their number depends on the place. */
  readonly signature: readonly [params: string, results: string] | undefined;
  readonly immediate: Immediate;
}

const PREFIX_FC = 0xfc0000;
const PREFIX_FD = 0xfd0000;

type Group = readonly [first: number, ...rows: string[]];

/** `T.op` for each of the names, all of one signature. */
const each = (type: string, signature: string, names: string): string[] =>
  names.split(" ").map((name) => (name === "-" ? "-" : `${type}.${name} ${signature}`));

const INT_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const FLOAT_COMPARE = "eq ne lt gt le ge";
const INT_UNARY = "clz ctz popcnt";
const INT_BINARY = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const FLOAT_UNARY = "abs neg ceil floor trunc nearest sqrt";
const FLOAT_BINARY = "add sub mul div min max copysign";

const CORE: readonly Group[] = [
  [0x00, "unreachable :", "nop :", "block ? block", "loop ? block", "if ? block", "else ?"],
  [0x0b, "end ?", "br ? label", "br_if ? label", "br_table ? labels", "return ?", "call ? func", "call_indirect ? indirect",
    "return_call ? func", "return_call_indirect ? indirect"],
  [0x1a, "drop x:", "select xxi:x", "select xxi:x types"],
  [0x20, "local.get :x local", "local.set x: local", "local.tee x:x local", "global.get :x global", "global.set x: global",
    "table.get i:x table", "table.set ix: table"],
  [0x28, "i32.load i:i m2", "i64.load i:I m3", "f32.load i:f m2", "f64.load i:F m3"],
  [0x2c, "i32.load8_s i:i m0", "i32.load8_u i:i m0", "i32.load16_s i:i m1", "i32.load16_u i:i m1"],
  [0x30, "i64.load8_s i:I m0", "i64.load8_u i:I m0", "i64.load16_s i:I m1", "i64.load16_u i:I m1",
    "i64.load32_s i:I m2", "i64.load32_u i:I m2"],
  [0x36, "i32.store ii: m2", "i64.store iI: m3", "f32.store if: m2", "f64.store iF: m3", "i32.store8 ii: m0",
    "i32.store16 ii: m1", "i64.store8 iI: m0", "i64.store16 iI: m1", "i64.store32 iI: m2"],
  [0x3f, "memory.size :i memory", "memory.grow i:i memory"],
  [0x41, "i32.const :i i32", "i64.const :I i64", "f32.const :f f32", "f64.const :F f64"],
  [0x45, "i32.eqz i:i", ...each("i32", "ii:i", INT_COMPARE), "i64.eqz I:i", ...each("i64", "II:i", INT_COMPARE),
    ...each("f32", "ff:i", FLOAT_COMPARE), ...each("f64", "FF:i", FLOAT_COMPARE)],
  [0x67, ...each("i32", "i:i", INT_UNARY), ...each("i32", "ii:i", INT_BINARY)],
  [0x79, ...each("i64", "I:I", INT_UNARY), ...each("i64", "II:I", INT_BINARY)],
  [0x8b, ...each("f32", "f:f", FLOAT_UNARY), ...each("f32", "ff:f", FLOAT_BINARY)],
  [0x99, ...each("f64", "F:F", FLOAT_UNARY), ...each("f64", "FF:F", FLOAT_BINARY)],
  [0xa7, "i32.wrap_i64 I:i", "i32.trunc_f32_s f:i", "i32.trunc_f32_u f:i", "i32.trunc_f64_s F:i", "i32.trunc_f64_u F:i"],
  [0xac, "i64.extend_i32_s i:I", "i64.extend_i32_u i:I", "i64.trunc_f32_s f:I", "i64.trunc_f32_u f:I",
    "i64.trunc_f64_s F:I", "i64.trunc_f64_u F:I"],
  [0xb2, "f32.convert_i32_s i:f", "f32.convert_i32_u i:f", "f32.convert_i64_s I:f", "f32.convert_i64_u I:f",
    "f32.demote_f64 F:f"],
  [0xb7, "f64.convert_i32_s i:F", "f64.convert_i32_u i:F", "f64.convert_i64_s I:F", "f64.convert_i64_u I:F",
    "f64.promote_f32 f:F"],
  [0xbc, "i32.reinterpret_f32 f:i", "i64.reinterpret_f64 F:I", "f32.reinterpret_i32 i:f", "f64.reinterpret_i64 I:F"],
  [0xc0, "i32.extend8_s i:i", "i32.extend16_s i:i", "i64.extend8_s I:I", "i64.extend16_s I:I", "i64.extend32_s I:I"],
]; // prettier-ignore

const MISC: readonly Group[] = [
  [0, "i32.trunc_sat_f32_s f:i", "i32.trunc_sat_f32_u f:i", "i32.trunc_sat_f64_s F:i", "i32.trunc_sat_f64_u F:i"],
  [4, "i64.trunc_sat_f32_s f:I", "i64.trunc_sat_f32_u f:I", "i64.trunc_sat_f64_s F:I", "i64.trunc_sat_f64_u F:I"],
  [8, "memory.init iii: segment0", "data.drop : segment", "memory.copy iii: memories", "memory.fill iii: memory",
    "table.init iii: elements", "elem.drop : segment", "table.copy iii: tables", "table.grow xi:i table",
    "table.size :i table", "table.fill ixi: table"],
]; // prettier-ignore

const LANES = ["i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2"] as const;
const SCALARS = "iiiIfF";

const VECTOR: readonly Group[] = [
  [0, "v128.load i:V m4", "v128.load8x8_s i:V m3", "v128.load8x8_u i:V m3", "v128.load16x4_s i:V m3",
    "v128.load16x4_u i:V m3", "v128.load32x2_s i:V m3", "v128.load32x2_u i:V m3", "v128.load8_splat i:V m0",
    "v128.load16_splat i:V m1", "v128.load32_splat i:V m2", "v128.load64_splat i:V m3", "v128.store iV: m4",
    "v128.const :V v128", "i8x16.shuffle VV:V lanes", "i8x16.swizzle VV:V"],
  [15, ...LANES.map((lanes, i) => `${lanes}.splat ${SCALARS[i]}:V`)],
  [21, ...LANES.flatMap((lanes, i) => [
    ...(i < 2 ? ["extract_lane_s", "extract_lane_u"] : ["extract_lane"]).map((op) => `${lanes}.${op} V:${SCALARS[i]} lane`),
    `${lanes}.replace_lane V${SCALARS[i]}:V lane`,
  ])],
  [35, ...LANES.slice(0, 3).flatMap((lanes) => each(lanes, "VV:V", INT_COMPARE)),
    ...LANES.slice(4).flatMap((lanes) => each(lanes, "VV:V", FLOAT_COMPARE))],
  [77, "v128.not V:V", "v128.and VV:V", "v128.andnot VV:V", "v128.or VV:V", "v128.xor VV:V", "v128.bitselect VVV:V",
    "v128.any_true V:i"],
  [84, "v128.load8_lane iV:V m0lane", "v128.load16_lane iV:V m1lane", "v128.load32_lane iV:V m2lane",
    "v128.load64_lane iV:V m3lane", "v128.store8_lane iV: m0lane", "v128.store16_lane iV: m1lane",
    "v128.store32_lane iV: m2lane", "v128.store64_lane iV: m3lane", "v128.load32_zero i:V m2", "v128.load64_zero i:V m3",
    "f32x4.demote_f64x2_zero V:V", "f64x2.promote_low_f32x4 V:V"],
  [96, ...each("i8x16", "V:V", "abs neg popcnt"), ...each("i8x16", "V:i", "all_true bitmask"),
    ...each("i8x16", "VV:V", "narrow_i16x8_s narrow_i16x8_u"), ...each("f32x4", "V:V", "ceil floor trunc nearest"),
    ...each("i8x16", "Vi:V", "shl shr_s shr_u"), ...each("i8x16", "VV:V", "add add_sat_s add_sat_u sub sub_sat_s sub_sat_u"),
    ...each("f64x2", "V:V", "ceil floor"), ...each("i8x16", "VV:V", "min_s min_u max_s max_u"), "f64x2.trunc V:V",
    "i8x16.avgr_u VV:V", ...each("i16x8", "V:V", "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u"),
    ...each("i32x4", "V:V", "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u")],
  [128, ...each("i16x8", "V:V", "abs neg"), "i16x8.q15mulr_sat_s VV:V", ...each("i16x8", "V:i", "all_true bitmask"),
    ...each("i16x8", "VV:V", "narrow_i32x4_s narrow_i32x4_u"),
    ...each("i16x8", "V:V", "extend_low_i8x16_s extend_high_i8x16_s extend_low_i8x16_u extend_high_i8x16_u"),
    ...each("i16x8", "Vi:V", "shl shr_s shr_u"), ...each("i16x8", "VV:V", "add add_sat_s add_sat_u sub sub_sat_s sub_sat_u"),
    "f64x2.nearest V:V", ...each("i16x8", "VV:V", "mul min_s min_u max_s max_u - avgr_u extmul_low_i8x16_s " +
      "extmul_high_i8x16_s extmul_low_i8x16_u extmul_high_i8x16_u")],
  [160, ...each("i32x4", "V:V", "abs neg -"), ...each("i32x4", "V:i", "all_true bitmask - -"),
    ...each("i32x4", "V:V", "extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u extend_high_i16x8_u"),
    ...each("i32x4", "Vi:V", "shl shr_s shr_u"), ...each("i32x4", "VV:V", "add - - sub - - - mul min_s min_u max_s max_u " +
      "dot_i16x8_s - extmul_low_i16x8_s extmul_high_i16x8_s extmul_low_i16x8_u extmul_high_i16x8_u")],
  [192, ...each("i64x2", "V:V", "abs neg -"), ...each("i64x2", "V:i", "all_true bitmask - -"),
    ...each("i64x2", "V:V", "extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u"),
    ...each("i64x2", "Vi:V", "shl shr_s shr_u"), ...each("i64x2", "VV:V", "add - - sub - - - mul eq ne lt_s gt_s le_s ge_s " +
      "extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u")],
  [224, ...each("f32x4", "V:V", "abs neg - sqrt"), ...each("f32x4", "VV:V", "add sub mul div min max pmin pmax")],
  [236, ...each("f64x2", "V:V", "abs neg - sqrt"), ...each("f64x2", "VV:V", "add sub mul div min max pmin pmax")],
  [248, ...each("i32x4", "V:V", "trunc_sat_f32x4_s trunc_sat_f32x4_u"), ...each("f32x4", "V:V", "convert_i32x4_s convert_i32x4_u"),
    ...each("i32x4", "V:V", "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero"),
    ...each("f64x2", "V:V", "convert_low_i32x4_s convert_low_i32x4_u")],
  [256, "i8x16.relaxed_swizzle VV:V", ...each("i32x4", "V:V", "relaxed_trunc_f32x4_s relaxed_trunc_f32x4_u " +
    "relaxed_trunc_f64x2_s_zero relaxed_trunc_f64x2_u_zero"), ...each("f32x4", "VVV:V", "relaxed_madd relaxed_nmadd"),
    ...each("f64x2", "VVV:V", "relaxed_madd relaxed_nmadd")],
  [265, ...LANES.slice(0, 4).map((lanes) => `${lanes}.relaxed_laneselect VVV:V`),
    ...LANES.slice(4).flatMap((lanes) => each(lanes, "VV:V", "relaxed_min relaxed_max")), "i16x8.relaxed_q15mulr_s VV:V",
    "i16x8.relaxed_dot_i8x16_i7x16_s VV:V", "i32x4.relaxed_dot_i8x16_i7x16_add_s VVV:V"],
]; // prettier-ignore

function build(): ReadonlyMap<number, Opcode> {
  const table = new Map<number, Opcode>();
  for (const [prefix, groups] of [
    [0, CORE],
    [PREFIX_FC, MISC],
    [PREFIX_FD, VECTOR],
  ] as const)
    // prettier-ignore
    for (const [first, ...rows] of groups)
      for (const [i, row] of rows.entries()) {
        const [name = "-", signature = "?", immediate = ""] = row.split(" ");
        if (name === "-") continue;
        const code = prefix + first + i;
        if (table.has(code)) throw new Error(`Two instructions have the code 0x${code.toString(16)}`);
        const [params = "", results = ""] = signature.split(":");
        table.set(code, {
          code,
          name,
          signature: signature === "?" ? undefined : [params, results],
          immediate: immediate as Immediate,
        });
      }
  return table;
}

/** All instructions by code. */
export const OPCODES: ReadonlyMap<number, Opcode> = build();

/** Names of the value types by their code. */
export const TYPE_NAMES: Readonly<Record<number, string>> = {
  0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref",
}; // prettier-ignore
