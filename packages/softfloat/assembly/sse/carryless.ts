// Products of polynomials over GF(2), and remainders. Source: Intel SDM volume 2 (2023), PCLMULQDQ, CRC32.

import { B, RESULT } from "./lanes";

/** Product of one half of a (imm bit 0) and one of b (imm bit 4). */
export function sse_clmul(p: usize, imm: i32): void {
  const a = load<u64>(p + ((imm & 1) << 3));
  const b = load<u64>(p + B + ((imm & 16) >> 1));
  let low: u64 = 0;
  let high: u64 = 0;
  for (let n = 0; n < 64; n++) {
    const mask = 0 - ((b >> n) & 1);
    low ^= (a << n) & mask;
    high ^= ((a >> 1) >> (63 - n)) & mask;
  }
  store<u64>(p, low, RESULT);
  store<u64>(p, high, RESULT + 8);
}

/** CRC-32C of the low bytes of `v`. */
export function sse_crc32(crc: i32, v: i64, bytes: i32): i32 {
  let x = (<u64>v & (bytes == 8 ? <u64>-1 : ((<u64>1 << (bytes << 3)) - 1))) ^ <u64>(<u32>crc);
  for (let n = bytes << 3; n > 0; n--) x = (x >> 1) ^ (0x82f63b78 & (0 - (x & 1)));
  return <i32>x;
}
