type Small = "f16" | "f32" | "f64";
type Format = Small | "f128";
type Integer = "i32" | "ui32" | "i64" | "ui64";
type Compare = "eq" | "eq_signaling" | "lt" | "lt_quiet" | "le" | "le_quiet";
type Binary = "add" | "sub" | "mul" | "div" | "min" | "max" | "minimum" | "maximum";
type Unary = "sqrt" | "roundToInt" | "roundToInt_quiet";

type Names1 =
  | `${Small}_${Unary | "classify"}`
  | `${Small}_to_${Small | Integer}`
  | `${Integer}_to_${Small}`
  | "f64_to_i32_modular";

/** The exported operations as the JavaScript API shows them: i64 is a bigint; `status` and `out` are byte addresses. */
export type SoftfloatExports = {
  readonly [name in Names1]: (status: number, a: bigint) => bigint;
} & {
  readonly [name in `${Small}_${Binary | Compare}`]: (status: number, a: bigint, b: bigint) => bigint;
} & {
  readonly [name in `${Small}_mulAdd`]: (status: number, a: bigint, b: bigint, c: bigint) => bigint;
} & {
  readonly [name in `f128_${Binary}`]: (
    ...args: [status: number, out: number, aLo: bigint, aHi: bigint, bLo: bigint, bHi: bigint]
  ) => void;
} & {
  readonly [name in `f128_${Compare}`]: (
    ...args: [status: number, aLo: bigint, aHi: bigint, bLo: bigint, bHi: bigint]
  ) => bigint;
} & {
  readonly [name in `f128_${Unary}`]: (status: number, out: number, aLo: bigint, aHi: bigint) => void;
} & {
  readonly f128_mulAdd: (
    ...args: [status: number, out: number, aLo: bigint, aHi: bigint, bLo: bigint, bHi: bigint, cLo: bigint, cHi: bigint]
  ) => void;
} & {
  readonly [name in "f128_classify" | `f128_to_${Exclude<Format, "f128"> | Integer}`]: (
    ...args: [status: number, aLo: bigint, aHi: bigint]
  ) => bigint;
} & {
  readonly [name in `${Small | Integer}_to_f128`]: (status: number, out: number, a: bigint) => void;
};
