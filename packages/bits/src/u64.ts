/** The number of a 64-bit value given as unsigned halves; exact up to 2^53. */
export function fromHalves(lo: number, hi: number): number {
  return (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0);
}

/** Low 32 bits of a non-negative number up to 2^53, unsigned. */
export function low32(n: number): number {
  return n >>> 0;
}

/** Bits 32 and above of a non-negative number up to 2^53, unsigned. */
export function high32(n: number): number {
  return Math.floor(n / 0x1_0000_0000) >>> 0;
}

/** The bigint (unsigned) of two halves; for monitors, debuggers and tests only. */
export function bigFromHalves(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** Little-endian 64-bit unsigned number at byte `at`; exact up to 2^53. */
export function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** Stores a non-negative number up to 2^53 as 64 bits, little-endian, at byte `at`. */
export function writeU64(view: DataView, at: number, n: number): void {
  view.setUint32(at, low32(n), true);
  view.setUint32(at + 4, high32(n), true);
}

/** Sets `out` to the full 64-bit product [lo, hi] of two unsigned 32-bit numbers. */
export function mul32(a: number, b: number, out: Uint32Array): void {
  const a0 = a & 0xffff,
    a1 = a >>> 16,
    b0 = b & 0xffff,
    b1 = b >>> 16;
  const low = a0 * b0;
  const mid = a1 * b0 + (low >>> 16);
  const mid2 = a0 * b1 + (mid & 0xffff);
  out[0] = ((mid2 & 0xffff) << 16) | (low & 0xffff);
  out[1] = a1 * b1 + Math.floor(mid / 0x10000) + Math.floor(mid2 / 0x10000);
}
