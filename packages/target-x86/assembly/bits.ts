/** PEXT, PDEP, CRC32. Source: Intel SDM volume 2 (2023), chapters 3 and 4. */

/** The bits of v that mask selects, packed. */
export function pext(v: u64, mask: u64): u64 {
  let result: u64 = 0;
  let to: u64 = 1;
  while (mask != 0) {
    const lowest: u64 = mask & (0 - mask);
    if ((v & lowest) != 0) result |= to;
    to <<= 1;
    mask ^= lowest;
  }
  return result;
}

/** The low bits of v, each where mask has its next one. */
export function pdep(v: u64, mask: u64): u64 {
  let result: u64 = 0;
  while (mask != 0) {
    const lowest: u64 = mask & (0 - mask);
    if ((v & 1) != 0) result |= lowest;
    v >>= 1;
    mask ^= lowest;
  }
  return result;
}

/** CRC-32C (polynomial 1EDC6F41h, reflected) of the low `bytes` bytes of data. */
export function crc32c(crc: u32, data: u64, bytes: i32): u32 {
  let v: u64 = data ^ u64(crc);
  if (bytes < 8) v &= (u64(1) << u64(8 * bytes)) - 1;
  const rest: u32 = bytes < 4 ? crc >> u32(8 * bytes) : 0;
  for (let n = 8 * bytes; n > 0; n--) v = (v >> 1) ^ (0x82f63b78 & (0 - (v & 1)));
  return u32(v) ^ rest;
}
