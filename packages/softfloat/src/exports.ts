/** Formats whose values fit into one i64: binary16, binary32, binary64. */
export type FloatFormat = "f16" | "f32" | "f64";
/** Integers that are converted from and to: signed and unsigned. */
export type IntegerFormat = "i32" | "ui32" | "i64" | "ui64";
/** Comparisons; the plain ordered ones signal invalid for a quiet NaN, `_quiet` ones and `eq` do not. */
export type FloatComparison = "eq" | "eq_signaling" | "lt" | "lt_quiet" | "le" | "le_quiet";
/** Operations on two values. */
export type BinaryFloatOp = "add" | "sub" | "mul" | "div" | "min" | "max" | "minimum" | "maximum";
/** Operations on one value; `_quiet` does not raise inexact. */
export type UnaryFloatOp = "sqrt" | "roundToInt" | "roundToInt_quiet";

/** The exported operations as the JavaScript API shows them: i64 is a bigint; `status` and `out` are byte addresses. */
export type SoftfloatExports = {
  readonly [
    name in
      | `${FloatFormat}_${UnaryFloatOp | "classify"}`
      | `${FloatFormat}_to_${FloatFormat | IntegerFormat}`
      | `${IntegerFormat}_to_${FloatFormat}`
      | "f64_to_i32_modular"
  ]: (status: number, a: bigint) => bigint;
} & {
  readonly [name in `${FloatFormat}_${BinaryFloatOp | FloatComparison}`]: (
    status: number,
    a: bigint,
    b: bigint,
  ) => bigint;
} & {
  readonly [name in `${FloatFormat}_mulAdd`]: (status: number, a: bigint, b: bigint, c: bigint) => bigint;
} & {
  readonly [name in `f128_${BinaryFloatOp}`]: (
    ...args: [status: number, out: number, aLo: bigint, aHi: bigint, bLo: bigint, bHi: bigint]
  ) => void;
} & {
  readonly [name in `f128_${FloatComparison}`]: (
    ...args: [status: number, aLo: bigint, aHi: bigint, bLo: bigint, bHi: bigint]
  ) => bigint;
} & {
  readonly [name in `f128_${UnaryFloatOp}`]: (status: number, out: number, aLo: bigint, aHi: bigint) => void;
} & {
  readonly f128_mulAdd: (
    ...args: [status: number, out: number, aLo: bigint, aHi: bigint, bLo: bigint, bHi: bigint, cLo: bigint, cHi: bigint]
  ) => void;
} & {
  readonly [name in "f128_classify" | `f128_to_${FloatFormat | IntegerFormat}`]: (
    ...args: [status: number, aLo: bigint, aHi: bigint]
  ) => bigint;
} & {
  readonly [name in `${FloatFormat | IntegerFormat}_to_f128`]: (status: number, out: number, a: bigint) => void;
};
