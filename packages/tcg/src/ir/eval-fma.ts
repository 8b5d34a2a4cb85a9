/** Fused multiply-add for the reference evaluator: exact in integers, rounded once. */

/** A finite number as (−1)^negative × size × 2^exponent. */
interface Parts {
  readonly negative: boolean;
  readonly size: bigint;
  readonly exponent: number;
}

/** The format's precision and its least exponent, that of the last bit of a subnormal. */
const formatOf = (width: number): { precision: number; least: number } =>
  width === 32 ? { precision: 24, least: -149 } : { precision: 53, least: -1074 };

/** The number's parts; "infinite" or "nan" when it has none. */
function parts(bits: bigint, width: number): Parts | "infinite" | "nan" {
  const { precision, least } = formatOf(width);
  const fraction = bits & ((1n << BigInt(precision - 1)) - 1n);
  const field = Number((bits >> BigInt(precision - 1)) & ((1n << BigInt(width - precision)) - 1n));
  if (field === 2 ** (width - precision) - 1) return fraction === 0n ? "infinite" : "nan";
  const negative = bits >> BigInt(width - 1) === 1n;
  if (field === 0) return { negative, size: fraction, exponent: least };
  return { negative, size: fraction | (1n << BigInt(precision - 1)), exponent: least + field - 1 };
}

/** The bits of size × 2^exponent, rounded to nearest, ties to even. */
function rounded(negative: boolean, size: bigint, exponent: number, width: number): bigint {
  const { precision, least } = formatOf(width);
  const sign = negative ? 1n << BigInt(width - 1) : 0n;
  if (size === 0n) return sign;
  // The exponent of the last bit that is kept.
  let last = Math.max(exponent + size.toString(2).length - precision, least);
  let kept = size << BigInt(Math.max(exponent - last, 0));
  if (last > exponent) {
    const drop = BigInt(last - exponent);
    const rest = size & ((1n << drop) - 1n);
    const half = 1n << (drop - 1n);
    kept = size >> drop;
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept += 1n;
  }
  if (kept >> BigInt(precision) !== 0n) {
    kept >>= 1n;
    last++;
  }
  const normal = kept >> BigInt(precision - 1) !== 0n;
  const field = normal ? last - least + 1 : 0;
  const limit = 2 ** (width - precision) - 1;
  if (field >= limit) return sign | (BigInt(limit) << BigInt(precision - 1));
  return sign | (BigInt(field) << BigInt(precision - 1)) | (kept & ((1n << BigInt(precision - 1)) - 1n));
}

/** a × b + c of bits of the width (32 or 64), rounded once; a NaN is the quiet one without sign. */
export function fusedMultiplyAdd(a: bigint, b: bigint, c: bigint, width: number): bigint {
  const { precision } = formatOf(width);
  const nan = ((1n << BigInt(width - precision + 1)) - 1n) << BigInt(precision - 2);
  const [x, y, z] = [parts(a, width), parts(b, width), parts(c, width)];
  if (x === "nan" || y === "nan" || z === "nan") return nan;
  const top = BigInt(width - 1);
  if (x === "infinite" || y === "infinite") {
    const zero = (p: Parts | "infinite"): boolean => p !== "infinite" && p.size === 0n;
    const product = a ^ b;
    if (zero(x) || zero(y) || (z === "infinite" && product >> top !== c >> top)) return nan;
    const infinity = ((1n << BigInt(width - precision)) - 1n) << BigInt(precision - 1);
    return ((product >> top) << top) | infinity;
  }
  if (z === "infinite") return c;
  const exponent = Math.min(x.exponent + y.exponent, z.exponent);
  const product = (x.size * y.size) << BigInt(x.exponent + y.exponent - exponent);
  const addend = z.size << BigInt(z.exponent - exponent);
  const negative = x.negative !== y.negative;
  const sum = (negative ? -product : product) + (z.negative ? -addend : addend);
  // An exact zero is positive, unless both are negative zeros.
  if (sum === 0n) return negative && z.negative ? 1n << top : 0n;
  return rounded(sum < 0n, sum < 0n ? -sum : sum, exponent, width);
}
