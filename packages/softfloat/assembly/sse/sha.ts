// Source: FIPS 180-4 (2015), 4.1, 6.1 and 6.2; Intel SDM volume 2 (2023), SHA1RNDS4 and its kin.

import { B, C, RESULT } from "./lanes";

@inline function word(p: usize, n: usize): u32 {
  return load<u32>(p + 4 * n);
}

@inline function result(p: usize, w0: u32, w1: u32, w2: u32, w3: u32): void {
  store<u32>(p, w0, RESULT);
  store<u32>(p, w1, RESULT + 4);
  store<u32>(p, w2, RESULT + 8);
  store<u32>(p, w3, RESULT + 12);
}

/** Four rounds. `kind` 0..3: function and constant. */
function rounds4(p: usize, kind: i32): void {
  let a = word(p, 3);
  let b = word(p, 2);
  let c = word(p, 1);
  let d = word(p, 0);
  let e: u32 = 0;
  const k: u32 = kind == 0 ? 0x5a827999 : kind == 1 ? 0x6ed9eba1 : kind == 2 ? 0x8f1bbcdc : 0xca62c1d6;
  for (let n = 3; n >= 0; n--) {
    const f = kind == 0 ? (b & c) ^ (~b & d) : kind == 2 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d;
    const next = f + rotl<u32>(a, 5) + word(p + B, n) + e + k;
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  result(p, d, c, b, a);
}

/** 0..3 SHA1RNDS4 with that immediate, 4 SHA1NEXTE, 5 SHA1MSG1, 6 SHA1MSG2. */
export function sse_sha1(p: usize, op: i32): void {
  const b = p + B;
  if (op < 4) return rounds4(p, op);
  if (op == 4) return result(p, word(b, 0), word(b, 1), word(b, 2), word(b, 3) + rotl<u32>(word(p, 3), 30));
  if (op == 5) {
    return result(p, word(b, 2) ^ word(p, 0), word(b, 3) ^ word(p, 1), word(p, 0) ^ word(p, 2), word(p, 1) ^ word(p, 3));
  }
  const w16 = rotl<u32>(word(p, 3) ^ word(b, 2), 1);
  const w17 = rotl<u32>(word(p, 2) ^ word(b, 1), 1);
  const w18 = rotl<u32>(word(p, 1) ^ word(b, 0), 1);
  result(p, rotl<u32>(word(p, 0) ^ w16, 1), w18, w17, w16);
}

@inline function sigma0(x: u32): u32 {
  return rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3);
}

@inline function sigma1(x: u32): u32 {
  return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10);
}

/** 0 SHA256RNDS2 (c: the third operand), 1 SHA256MSG1, 2 SHA256MSG2. */
export function sse_sha256(p: usize, op: i32): void {
  const q = p + B;
  if (op == 1) {
    const w1 = word(p, 1);
    const w2 = word(p, 2);
    const w3 = word(p, 3);
    return result(p, word(p, 0) + sigma0(w1), w1 + sigma0(w2), w2 + sigma0(w3), w3 + sigma0(word(q, 0)));
  }
  if (op == 2) {
    const w16 = word(p, 0) + sigma1(word(q, 2));
    const w17 = word(p, 1) + sigma1(word(q, 3));
    return result(p, w16, w17, word(p, 2) + sigma1(w16), word(p, 3) + sigma1(w17));
  }
  let a = word(q, 3);
  let b = word(q, 2);
  let c = word(p, 3);
  let d = word(p, 2);
  let e = word(q, 1);
  let f = word(q, 0);
  let g = word(p, 1);
  let h = word(p, 0);
  for (let n: usize = 0; n < 2; n++) {
    const t1 = ((e & f) ^ (~e & g)) + (rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)) + word(p + C, n) + h;
    const t2 = ((a & b) ^ (a & c) ^ (b & c)) + (rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22));
    h = g;
    g = f;
    f = e;
    e = t1 + d;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  result(p, f, e, b, a);
}
