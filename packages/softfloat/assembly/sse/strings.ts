// Source: Intel SDM volume 1 (2023), 12.10 and volume 2, 4.1 "Imm8 control byte operation for PCMPESTRI...".

import { B, RESULT } from "./lanes";

@inline function element(p: usize, format: i32, n: i32): i32 {
  if ((format & 1) == 0) return (format & 2) != 0 ? <i32>load<i8>(p + n) : <i32>load<u8>(p + n);
  return (format & 2) != 0 ? <i32>load<i16>(p + 2 * n) : <i32>load<u16>(p + 2 * n);
}

/** Elements before the first that is zero, or `count`. */
function terminated(p: usize, format: i32, count: i32): i32 {
  let n = 0;
  while (n < count && element(p, format, n) != 0) n++;
  return n;
}

/** One bit of the aggregated comparison. */
function compare(p: usize, format: i32, how: i32, count: i32, lengthA: i32, lengthB: i32, j: i32): bool {
  if (how == 2) {
    if (j >= lengthA || j >= lengthB) return j >= lengthA && j >= lengthB;
    return element(p, format, j) == element(p + B, format, j);
  }
  if (how == 3) {
    for (let i = 0; i < count - j && i < lengthA; i++) {
      if (j + i >= lengthB || element(p, format, i) != element(p + B, format, j + i)) return false;
    }
    return true;
  }
  if (j >= lengthB) return false;
  const b = element(p + B, format, j);
  if (how == 0) {
    for (let i = 0; i < lengthA; i++) if (element(p, format, i) == b) return true;
    return false;
  }
  for (let i = 0; i + 1 < lengthA; i += 2) {
    if (b >= element(p, format, i) && b <= element(p, format, i + 1)) return true;
  }
  return false;
}

/**
 * Compares the strings a and b as `imm` says; lengths -1: up to an element that is zero. The mask is in the result.
 * Returns the index in bits 31:16 and CF, ZF, SF, OF as EFLAGS has them.
 */
export function sse_strings(p: usize, imm: i32, lengthA: i32, lengthB: i32): i32 {
  const format = imm & 3;
  const count = (imm & 1) != 0 ? 8 : 16;
  const a = lengthA < 0 ? terminated(p, format, count) : min<i32>(lengthA, count);
  const b = lengthB < 0 ? terminated(p + B, format, count) : min<i32>(lengthB, count);
  let bits = 0;
  for (let j = 0; j < count; j++) if (compare(p, format, (imm >> 2) & 3, count, a, b, j)) bits |= 1 << j;
  if ((imm & 0x30) == 0x10) bits ^= (1 << count) - 1;
  else if ((imm & 0x30) == 0x30) bits ^= (1 << b) - 1;
  const index = bits == 0 ? count : (imm & 0x40) != 0 ? 31 - <i32>clz<i32>(bits) : <i32>ctz<i32>(bits);
  if ((imm & 0x40) == 0) {
    store<u64>(p, bits, RESULT);
    store<u64>(p, 0, RESULT + 8);
  } else {
    for (let j = 0; j < 16; j++) {
      const on = (bits >> (count == 8 ? j >> 1 : j)) & 1;
      store<u8>(p + j, <u8>(0 - on), RESULT);
    }
  }
  const flags = (<i32>(bits != 0)) | (<i32>(b < count) << 6) | (<i32>(a < count) << 7) | ((bits & 1) << 11);
  return (index << 16) | flags;
}
