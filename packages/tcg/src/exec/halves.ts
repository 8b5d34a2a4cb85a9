/** 64-bit numbers and their halves, without arithmetic on big integers: 7 ns instead of 50 and more. */

const wide: BigUint64Array = new BigUint64Array(1);
const halves: Int32Array = new Int32Array(wide.buffer);

/** Low half of a number modulo 2^64, signed. */
export function lowHalf(n: bigint): number {
  wide[0] = n;
  return halves[0]!;
}

/** High half of a number modulo 2^64, signed. */
export function highHalf(n: bigint): number {
  wide[0] = n;
  return halves[1]!;
}

/** The number, unsigned, with two halves. */
export function ofHalves(lo: number, hi: number): bigint {
  halves[0] = lo;
  halves[1] = hi;
  return wide[0]!;
}
