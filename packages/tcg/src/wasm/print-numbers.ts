/** Constants as the text format writes them. Source: WebAssembly Core Specification 3.0, 6.3 "Values". */

/** Small numbers in decimal, with sign; others as bits in hexadecimal. */
export function integerText(value: bigint, bits: 32 | 64): string {
  return value >= -0xffffn && value <= 0xffffn ? String(value) : `0x${BigInt.asUintN(bits, value).toString(16)}`;
}

/** A float whose little-endian bytes are at the start of `view`; NaNs with their payload. */
export function floatText(view: DataView, type: "f32" | "f64"): string {
  const double = type === "f64";
  const bits = double ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  const value = double ? view.getFloat64(0, true) : view.getFloat32(0, true);
  const sign = bits >> (double ? 63n : 31n) === 1n ? "-" : "";
  if (Number.isNaN(value)) return `${sign}nan:0x${BigInt.asUintN(double ? 52 : 23, bits).toString(16)}`;
  // Decimal digits that JavaScript gives read back as the same number.
  return Number.isFinite(value) ? `${sign}${Math.abs(value)}` : `${sign}inf`;
}
