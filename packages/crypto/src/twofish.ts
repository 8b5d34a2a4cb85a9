import type { BlockCipher } from "./block-cipher.ts";
import { keyWords } from "./block-cipher.ts";

// Source: B. Schneier et al., "Twofish: A 128-Bit Block Cipher" (1998), sections 4.2 to 4.3.5.

/** The 4-bit boxes of the permutations q0 and q1, section 4.3.5. */
const Q_NIBBLES = [
  ["817d6f320b59eca4", "ecb81235f4a6709d", "ba5e6d90c8f32471", "d7f4126e9b3085ca"],
  ["28bdf76e31940ac5", "1e2b4c376da5f908", "4c75169a0ed82b3f", "b951c3de647f208a"],
] as const;
const Q0: Uint8Array = permutation(Q_NIBBLES[0]);
const Q1: Uint8Array = permutation(Q_NIBBLES[1]);
/** The MDS matrix, by rows. */
const MDS = [
  [0x01, 0xef, 0x5b, 0x5b],
  [0x5b, 0xef, 0xef, 0x01],
  [0xef, 0x5b, 0x01, 0xef],
  [0xef, 0x01, 0xef, 0x5b],
] as const;
/** The Reed-Solomon matrix, by rows. */
const RS = [
  [0x01, 0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e],
  [0xa4, 0x56, 0x82, 0xf3, 0x1e, 0xc6, 0x68, 0xe5],
  [0x02, 0xa1, 0xfc, 0xc1, 0x47, 0xae, 0x3d, 0x19],
  [0xa4, 0x55, 0x87, 0x5a, 0x58, 0xdb, 0x9e, 0x03],
] as const;
const COLUMNS: readonly Int32Array[] = [0, 1, 2, 3].map(mdsColumn);
const RHO = 0x01010101;

/** Twofish with a key of 16, 24 or 32 bytes; the boxes are made for the key ("full keying"). */
export class Twofish implements BlockCipher {
  readonly words = 4 as const;
  readonly #k: Int32Array = new Int32Array(40);
  readonly #s0: Int32Array = new Int32Array(256);
  readonly #s1: Int32Array = new Int32Array(256);
  readonly #s2: Int32Array = new Int32Array(256);
  readonly #s3: Int32Array = new Int32Array(256);

  constructor(key: Uint8Array) {
    const m = keyWords(key);
    const n = m.length >> 1;
    const even = Array.from({ length: n }, (_, i) => m[2 * i]!);
    const odd = Array.from({ length: n }, (_, i) => m[2 * i + 1]!);
    for (let i = 0; i < 20; i++) {
      const a = h(Math.imul(2 * i, RHO), even);
      const b = rol(h(Math.imul(2 * i + 1, RHO), odd), 8);
      this.#k[2 * i] = a + b;
      this.#k[2 * i + 1] = rol(a + 2 * b, 9);
    }
    const s = Array.from({ length: n }, (_, i) => reedSolomon(key.subarray(8 * (n - 1 - i), 8 * (n - i))));
    const boxes = [this.#s0, this.#s1, this.#s2, this.#s3];
    for (let x = 0; x < 256; x++)
      for (let byte = 0; byte < 4; byte++) boxes[byte]![x] = COLUMNS[byte]![through(byte, x, s)]!;
  }

  encrypt(block: Int32Array, at: number): void {
    const k = this.#k;
    const [s0, s1, s2, s3] = [this.#s0, this.#s1, this.#s2, this.#s3];
    let a = block[at]! ^ k[0]!;
    let b = block[at + 1]! ^ k[1]!;
    let c = block[at + 2]! ^ k[2]!;
    let d = block[at + 3]! ^ k[3]!;
    for (let r = 8; r < 40; r += 4) {
      let t = s0[a & 255]! ^ s1[(a >>> 8) & 255]! ^ s2[(a >>> 16) & 255]! ^ s3[a >>> 24]!;
      let u = s1[b & 255]! ^ s2[(b >>> 8) & 255]! ^ s3[(b >>> 16) & 255]! ^ s0[b >>> 24]!;
      c ^= (t + u + k[r]!) | 0;
      c = (c >>> 1) | (c << 31);
      d = ((d << 1) | (d >>> 31)) ^ ((t + 2 * u + k[r + 1]!) | 0);
      t = s0[c & 255]! ^ s1[(c >>> 8) & 255]! ^ s2[(c >>> 16) & 255]! ^ s3[c >>> 24]!;
      u = s1[d & 255]! ^ s2[(d >>> 8) & 255]! ^ s3[(d >>> 16) & 255]! ^ s0[d >>> 24]!;
      a ^= (t + u + k[r + 2]!) | 0;
      a = (a >>> 1) | (a << 31);
      b = ((b << 1) | (b >>> 31)) ^ ((t + 2 * u + k[r + 3]!) | 0);
    }
    block[at] = c ^ k[4]!;
    block[at + 1] = d ^ k[5]!;
    block[at + 2] = a ^ k[6]!;
    block[at + 3] = b ^ k[7]!;
  }

  decrypt(block: Int32Array, at: number): void {
    const k = this.#k;
    const [s0, s1, s2, s3] = [this.#s0, this.#s1, this.#s2, this.#s3];
    let c = block[at]! ^ k[4]!;
    let d = block[at + 1]! ^ k[5]!;
    let a = block[at + 2]! ^ k[6]!;
    let b = block[at + 3]! ^ k[7]!;
    for (let r = 36; r >= 8; r -= 4) {
      let t = s0[c & 255]! ^ s1[(c >>> 8) & 255]! ^ s2[(c >>> 16) & 255]! ^ s3[c >>> 24]!;
      let u = s1[d & 255]! ^ s2[(d >>> 8) & 255]! ^ s3[(d >>> 16) & 255]! ^ s0[d >>> 24]!;
      a = ((a << 1) | (a >>> 31)) ^ ((t + u + k[r + 2]!) | 0);
      b ^= (t + 2 * u + k[r + 3]!) | 0;
      b = (b >>> 1) | (b << 31);
      t = s0[a & 255]! ^ s1[(a >>> 8) & 255]! ^ s2[(a >>> 16) & 255]! ^ s3[a >>> 24]!;
      u = s1[b & 255]! ^ s2[(b >>> 8) & 255]! ^ s3[(b >>> 16) & 255]! ^ s0[b >>> 24]!;
      c = ((c << 1) | (c >>> 31)) ^ ((t + u + k[r]!) | 0);
      d ^= (t + 2 * u + k[r + 1]!) | 0;
      d = (d >>> 1) | (d << 31);
    }
    block[at] = a ^ k[0]!;
    block[at + 1] = b ^ k[1]!;
    block[at + 2] = c ^ k[2]!;
    block[at + 3] = d ^ k[3]!;
  }
}

function rol(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

/** The function h, section 4.3.2. */
function h(x: number, l: readonly number[]): number {
  let out = 0;
  for (let byte = 0; byte < 4; byte++) out ^= COLUMNS[byte]![through(byte, (x >>> (8 * byte)) & 255, l)]!;
  return out;
}

/** Which permutation each byte passes, first for the words l[3] and l[2], then l[1], l[0] and last. */
const ORDER = [
  [Q1, Q0, Q0, Q1],
  [Q1, Q1, Q0, Q0],
  [Q0, Q1, Q0, Q1],
  [Q0, Q0, Q1, Q1],
  [Q1, Q0, Q1, Q0],
] as const;

function through(byte: number, x: number, l: readonly number[]): number {
  let y = x;
  for (let i = l.length - 1; i >= 0; i--) y = ORDER[3 - i]![byte]![y]! ^ ((l[i]! >>> (8 * byte)) & 255);
  return ORDER[4][byte]![y]!;
}

/** Four bytes of the key's eight through the RS matrix, as a word. */
function reedSolomon(key: Uint8Array): number {
  let out = 0;
  for (let row = 0; row < 4; row++) {
    let sum = 0;
    for (let i = 0; i < 8; i++) sum ^= multiply(RS[row]![i]!, key[i]!, 0x14d);
    out |= sum << (8 * row);
  }
  return out;
}

function mdsColumn(column: number): Int32Array {
  const out = new Int32Array(256);
  for (let x = 0; x < 256; x++)
    for (let row = 0; row < 4; row++) out[x]! |= multiply(MDS[row]![column]!, x, 0x169) << (8 * row);
  return out;
}

function multiply(a: number, b: number, polynomial: number): number {
  let out = 0;
  for (let x = a, y = b; y > 0; y >>= 1) {
    if (y & 1) out ^= x;
    x <<= 1;
    if (x & 0x100) x ^= polynomial;
  }
  return out;
}

function permutation(nibbles: readonly string[]): Uint8Array {
  const t = nibbles.map((row) => Array.from(row, (c) => Number.parseInt(c, 16)));
  const half = (x: number): number => ((x >> 1) | (x << 3)) & 15;
  return Uint8Array.from({ length: 256 }, (_, x) => {
    let [a, b] = [x >> 4, x & 15];
    [a, b] = [a ^ b, a ^ half(b) ^ ((8 * a) & 15)];
    [a, b] = [t[0]![a]!, t[1]![b]!];
    [a, b] = [a ^ b, a ^ half(b) ^ ((8 * a) & 15)];
    return (t[3]![b]! << 4) | t[2]![a]!;
  });
}
