/** Accesses to RAM that cross the border of two pages, which may lie anywhere in the machine memory. */

/** Where the two parts of an access lie. */
export interface Sides {
  /** Bytes in the first page. */
  readonly first: number;
  readonly host: number;
  /** Start of the second page. */
  readonly behind: number;
}

const placeOf = (sides: Sides, i: number): number =>
  i < sides.first ? sides.host + i : sides.behind + i - sides.first;

/** Reads `size` bytes into two words at `out` (index): done. */
export function loadAcross(
  { u8, i32 }: { readonly u8: Uint8Array; readonly i32: Int32Array }, out: number, sides: Sides, size: number,
): true {
  i32[out] = i32[out + 1] = 0;
  for (let i = 0; i < size; i++) i32[out + (i >>> 2)]! |= u8[placeOf(sides, i)]! << (8 * (i & 3));
  return true;
} // prettier-ignore

/** Writes the `size` low bytes of two words: done. */
export function storeAcross(u8: Uint8Array, sides: Sides, size: number, low: number, high: number): true {
  for (let i = 0; i < size; i++) u8[placeOf(sides, i)] = (i < 4 ? low : high) >>> (8 * (i & 3));
  return true;
}
