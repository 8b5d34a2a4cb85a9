// AES rounds. A lookup is sixteen selections of bytes from constants, so that its time does not depend on the data.
// Source: FIPS 197 (2023), 5.1 to 5.3, tables 4 and 6; Intel SDM volume 2 (2023), AESENC and its kin.

import { B, RESULT } from "./lanes";

function substitute(x: v128): v128 {
  let r = i8x16.swizzle(i8x16(99, 124, 119, 123, -14, 107, 111, -59, 48, 1, 103, 43, -2, -41, -85, 118), x);
  r = v128.or(r, i8x16.swizzle(i8x16(-54, -126, -55, 125, -6, 89, 71, -16, -83, -44, -94, -81, -100, -92, 114, -64), v128.xor(x, i8x16.splat(16))));
  r = v128.or(r, i8x16.swizzle(i8x16(-73, -3, -109, 38, 54, 63, -9, -52, 52, -91, -27, -15, 113, -40, 49, 21), v128.xor(x, i8x16.splat(32))));
  r = v128.or(r, i8x16.swizzle(i8x16(4, -57, 35, -61, 24, -106, 5, -102, 7, 18, -128, -30, -21, 39, -78, 117), v128.xor(x, i8x16.splat(48))));
  r = v128.or(r, i8x16.swizzle(i8x16(9, -125, 44, 26, 27, 110, 90, -96, 82, 59, -42, -77, 41, -29, 47, -124), v128.xor(x, i8x16.splat(64))));
  r = v128.or(r, i8x16.swizzle(i8x16(83, -47, 0, -19, 32, -4, -79, 91, 106, -53, -66, 57, 74, 76, 88, -49), v128.xor(x, i8x16.splat(80))));
  r = v128.or(r, i8x16.swizzle(i8x16(-48, -17, -86, -5, 67, 77, 51, -123, 69, -7, 2, 127, 80, 60, -97, -88), v128.xor(x, i8x16.splat(96))));
  r = v128.or(r, i8x16.swizzle(i8x16(81, -93, 64, -113, -110, -99, 56, -11, -68, -74, -38, 33, 16, -1, -13, -46), v128.xor(x, i8x16.splat(112))));
  r = v128.or(r, i8x16.swizzle(i8x16(-51, 12, 19, -20, 95, -105, 68, 23, -60, -89, 126, 61, 100, 93, 25, 115), v128.xor(x, i8x16.splat(-128))));
  r = v128.or(r, i8x16.swizzle(i8x16(96, -127, 79, -36, 34, 42, -112, -120, 70, -18, -72, 20, -34, 94, 11, -37), v128.xor(x, i8x16.splat(-112))));
  r = v128.or(r, i8x16.swizzle(i8x16(-32, 50, 58, 10, 73, 6, 36, 92, -62, -45, -84, 98, -111, -107, -28, 121), v128.xor(x, i8x16.splat(-96))));
  r = v128.or(r, i8x16.swizzle(i8x16(-25, -56, 55, 109, -115, -43, 78, -87, 108, 86, -12, -22, 101, 122, -82, 8), v128.xor(x, i8x16.splat(-80))));
  r = v128.or(r, i8x16.swizzle(i8x16(-70, 120, 37, 46, 28, -90, -76, -58, -24, -35, 116, 31, 75, -67, -117, -118), v128.xor(x, i8x16.splat(-64))));
  r = v128.or(r, i8x16.swizzle(i8x16(112, 62, -75, 102, 72, 3, -10, 14, 97, 53, 87, -71, -122, -63, 29, -98), v128.xor(x, i8x16.splat(-48))));
  r = v128.or(r, i8x16.swizzle(i8x16(-31, -8, -104, 17, 105, -39, -114, -108, -101, 30, -121, -23, -50, 85, 40, -33), v128.xor(x, i8x16.splat(-32))));
  r = v128.or(r, i8x16.swizzle(i8x16(-116, -95, -119, 13, -65, -26, 66, 104, 65, -103, 45, 15, -80, 84, -69, 22), v128.xor(x, i8x16.splat(-16))));
  return r;
}

function substituteInverse(x: v128): v128 {
  let r = i8x16.swizzle(i8x16(82, 9, 106, -43, 48, 54, -91, 56, -65, 64, -93, -98, -127, -13, -41, -5), x);
  r = v128.or(r, i8x16.swizzle(i8x16(124, -29, 57, -126, -101, 47, -1, -121, 52, -114, 67, 68, -60, -34, -23, -53), v128.xor(x, i8x16.splat(16))));
  r = v128.or(r, i8x16.swizzle(i8x16(84, 123, -108, 50, -90, -62, 35, 61, -18, 76, -107, 11, 66, -6, -61, 78), v128.xor(x, i8x16.splat(32))));
  r = v128.or(r, i8x16.swizzle(i8x16(8, 46, -95, 102, 40, -39, 36, -78, 118, 91, -94, 73, 109, -117, -47, 37), v128.xor(x, i8x16.splat(48))));
  r = v128.or(r, i8x16.swizzle(i8x16(114, -8, -10, 100, -122, 104, -104, 22, -44, -92, 92, -52, 93, 101, -74, -110), v128.xor(x, i8x16.splat(64))));
  r = v128.or(r, i8x16.swizzle(i8x16(108, 112, 72, 80, -3, -19, -71, -38, 94, 21, 70, 87, -89, -115, -99, -124), v128.xor(x, i8x16.splat(80))));
  r = v128.or(r, i8x16.swizzle(i8x16(-112, -40, -85, 0, -116, -68, -45, 10, -9, -28, 88, 5, -72, -77, 69, 6), v128.xor(x, i8x16.splat(96))));
  r = v128.or(r, i8x16.swizzle(i8x16(-48, 44, 30, -113, -54, 63, 15, 2, -63, -81, -67, 3, 1, 19, -118, 107), v128.xor(x, i8x16.splat(112))));
  r = v128.or(r, i8x16.swizzle(i8x16(58, -111, 17, 65, 79, 103, -36, -22, -105, -14, -49, -50, -16, -76, -26, 115), v128.xor(x, i8x16.splat(-128))));
  r = v128.or(r, i8x16.swizzle(i8x16(-106, -84, 116, 34, -25, -83, 53, -123, -30, -7, 55, -24, 28, 117, -33, 110), v128.xor(x, i8x16.splat(-112))));
  r = v128.or(r, i8x16.swizzle(i8x16(71, -15, 26, 113, 29, 41, -59, -119, 111, -73, 98, 14, -86, 24, -66, 27), v128.xor(x, i8x16.splat(-96))));
  r = v128.or(r, i8x16.swizzle(i8x16(-4, 86, 62, 75, -58, -46, 121, 32, -102, -37, -64, -2, 120, -51, 90, -12), v128.xor(x, i8x16.splat(-80))));
  r = v128.or(r, i8x16.swizzle(i8x16(31, -35, -88, 51, -120, 7, -57, 49, -79, 18, 16, 89, 39, -128, -20, 95), v128.xor(x, i8x16.splat(-64))));
  r = v128.or(r, i8x16.swizzle(i8x16(96, 81, 127, -87, 25, -75, 74, 13, 45, -27, 122, -97, -109, -55, -100, -17), v128.xor(x, i8x16.splat(-48))));
  r = v128.or(r, i8x16.swizzle(i8x16(-96, -32, 59, 77, -82, 42, -11, -80, -56, -21, -69, 60, -125, 83, -103, 97), v128.xor(x, i8x16.splat(-32))));
  r = v128.or(r, i8x16.swizzle(i8x16(23, 43, 4, 126, -70, 119, -42, 38, -31, 105, 20, 99, 85, 33, 12, 125), v128.xor(x, i8x16.splat(-16))));
  return r;
}

/** Each byte times x in GF(2^8). */
@inline function times2(v: v128): v128 {
  return v128.xor(v128.shl<i8>(v, 1), v128.and(v128.shr<i8>(v, 7), i8x16.splat(0x1b)));
}

@inline function mixColumns(v: v128): v128 {
  const w = i8x16.shuffle(v, v, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
  const sum = v128.xor(v, w);
  const far = i8x16.shuffle(sum, sum, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return v128.xor(v128.xor(times2(sum), w), far);
}

@inline function mixColumnsInverse(v: v128): v128 {
  const w = v128.xor(v, i8x16.shuffle(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  return mixColumns(v128.xor(v, times2(times2(w))));
}

/** 0 AESENC, 1 AESENCLAST, 2 AESDEC, 3 AESDECLAST of a with round key b, 4 AESIMC of b. */
export function sse_aes(p: usize, op: i32): void {
  const a = v128.load(p);
  const b = v128.load(p, B);
  let r: v128;
  if (op == 4) r = mixColumnsInverse(b);
  else if (op < 2) {
    r = substitute(i8x16.shuffle(a, a, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11));
    r = v128.xor(op == 0 ? mixColumns(r) : r, b);
  } else {
    r = substituteInverse(i8x16.shuffle(a, a, 0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3));
    r = v128.xor(op == 2 ? mixColumnsInverse(r) : r, b);
  }
  v128.store(p, r, RESULT);
}

/** AESKEYGENASSIST of b. */
export function sse_aesKeygen(p: usize, round: i32): void {
  const s = substitute(v128.load(p, B));
  const r = i8x16.shuffle(s, s, 4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12);
  v128.store(p, v128.xor(r, i32x4.replace_lane(i32x4.splat(0), 1, round)), RESULT);
  store<i32>(p, load<i32>(p, RESULT + 12) ^ round, RESULT + 12);
}
