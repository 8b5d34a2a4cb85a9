import { LAYOUT } from "./aes-wasm.ts";
import type { BlockCipher } from "./block-cipher.ts";
import { keyWords } from "./block-cipher.ts";

// Source: FIPS 197 (2001, updated 2023). The tables are those of "AES Proposal: Rijndael", section 5.2, for little-endian words.

interface Tables {
  readonly sbox: Uint8Array;
  readonly inverse: Uint8Array;
  readonly e: readonly [Int32Array, Int32Array, Int32Array, Int32Array];
  readonly d: readonly [Int32Array, Int32Array, Int32Array, Int32Array];
}

const TABLES: Tables = makeTables();
const SBOX: Uint8Array = TABLES.sbox;
const INVERSE: Uint8Array = TABLES.inverse;
const [E0, E1, E2, E3] = TABLES.e;
const [D0, D1, D2, D3] = TABLES.d;

/** AES with a key of 16, 24 or 32 bytes. */
export class Aes implements BlockCipher {
  readonly words = 4 as const;
  readonly #rounds: number;
  readonly #encrypt: Int32Array;
  readonly #decrypt: Int32Array;

  constructor(key: Uint8Array) {
    this.#rounds = key.length / 4 + 6;
    this.#encrypt = expand(key, this.#rounds);
    this.#decrypt = invert(this.#encrypt, this.#rounds);
  }

  /** Puts tables and round keys into the memory of the WebAssembly module; returns the bytes of one key schedule. */
  place(memory: Int32Array): number {
    for (const [i, table] of TABLES.e.entries()) memory.set(table, LAYOUT.encryptTables / 4 + 256 * i);
    for (const [i, table] of TABLES.d.entries()) memory.set(table, LAYOUT.decryptTables / 4 + 256 * i);
    const bytes = new Uint8Array(memory.buffer);
    bytes.set(SBOX, LAYOUT.sbox);
    bytes.set(INVERSE, LAYOUT.inverse);
    memory.set(this.#encrypt, LAYOUT.encryptKeys / 4);
    memory.set(this.#decrypt, LAYOUT.decryptKeys / 4);
    return this.#encrypt.length * 4;
  }

  encrypt(block: Int32Array, at: number): void {
    const k = this.#encrypt;
    const last = this.#rounds << 2;
    let a = block[at]! ^ k[0]!;
    let b = block[at + 1]! ^ k[1]!;
    let c = block[at + 2]! ^ k[2]!;
    let d = block[at + 3]! ^ k[3]!;
    for (let i = 4; i < last; i += 4) {
      const na = E0[a & 255]! ^ E1[(b >>> 8) & 255]! ^ E2[(c >>> 16) & 255]! ^ E3[d >>> 24]! ^ k[i]!;
      const nb = E0[b & 255]! ^ E1[(c >>> 8) & 255]! ^ E2[(d >>> 16) & 255]! ^ E3[a >>> 24]! ^ k[i + 1]!;
      const nc = E0[c & 255]! ^ E1[(d >>> 8) & 255]! ^ E2[(a >>> 16) & 255]! ^ E3[b >>> 24]! ^ k[i + 2]!;
      d = E0[d & 255]! ^ E1[(a >>> 8) & 255]! ^ E2[(b >>> 16) & 255]! ^ E3[c >>> 24]! ^ k[i + 3]!;
      a = na;
      b = nb;
      c = nc;
    }
    block[at] = join(SBOX, a, b, c, d) ^ k[last]!;
    block[at + 1] = join(SBOX, b, c, d, a) ^ k[last + 1]!;
    block[at + 2] = join(SBOX, c, d, a, b) ^ k[last + 2]!;
    block[at + 3] = join(SBOX, d, a, b, c) ^ k[last + 3]!;
  }

  decrypt(block: Int32Array, at: number): void {
    const k = this.#decrypt;
    const last = this.#rounds << 2;
    let a = block[at]! ^ k[0]!;
    let b = block[at + 1]! ^ k[1]!;
    let c = block[at + 2]! ^ k[2]!;
    let d = block[at + 3]! ^ k[3]!;
    for (let i = 4; i < last; i += 4) {
      const na = D0[a & 255]! ^ D1[(d >>> 8) & 255]! ^ D2[(c >>> 16) & 255]! ^ D3[b >>> 24]! ^ k[i]!;
      const nb = D0[b & 255]! ^ D1[(a >>> 8) & 255]! ^ D2[(d >>> 16) & 255]! ^ D3[c >>> 24]! ^ k[i + 1]!;
      const nc = D0[c & 255]! ^ D1[(b >>> 8) & 255]! ^ D2[(a >>> 16) & 255]! ^ D3[d >>> 24]! ^ k[i + 2]!;
      d = D0[d & 255]! ^ D1[(c >>> 8) & 255]! ^ D2[(b >>> 16) & 255]! ^ D3[a >>> 24]! ^ k[i + 3]!;
      a = na;
      b = nb;
      c = nc;
    }
    block[at] = join(INVERSE, a, d, c, b) ^ k[last]!;
    block[at + 1] = join(INVERSE, b, a, d, c) ^ k[last + 1]!;
    block[at + 2] = join(INVERSE, c, b, a, d) ^ k[last + 2]!;
    block[at + 3] = join(INVERSE, d, c, b, a) ^ k[last + 3]!;
  }
}

/** A column of the last round: each byte through the box, from the four words. */
function join(box: Uint8Array, a: number, b: number, c: number, d: number): number {
  return box[a & 255]! | (box[(b >>> 8) & 255]! << 8) | (box[(c >>> 16) & 255]! << 16) | (box[d >>> 24]! << 24);
}

/** Key expansion, FIPS 197 section 5.2. */
function expand(key: Uint8Array, rounds: number): Int32Array {
  const n = key.length >> 2;
  const w = new Int32Array((rounds + 1) * 4);
  w.set(keyWords(key));
  let constant = 1;
  for (let i = n; i < w.length; i++) {
    let t = w[i - 1]!;
    if (i % n === 0) {
      t =
        join(SBOX, (t >>> 8) | (t << 24), (t >>> 8) | (t << 24), (t >>> 8) | (t << 24), (t >>> 8) | (t << 24)) ^
        constant;
      constant = (constant << 1) ^ (constant & 0x80 ? 0x11b : 0);
    } else if (n > 6 && i % n === 4) t = join(SBOX, t, t, t, t);
    w[i] = w[i - n]! ^ t;
  }
  return w;
}

/** Keys of the equivalent inverse cipher, section 5.3.5: backwards, the inner ones through InvMixColumns. */
function invert(keys: Int32Array, rounds: number): Int32Array {
  const w = new Int32Array(keys.length);
  for (let r = 0; r <= rounds; r++)
    for (let j = 0; j < 4; j++) {
      const k = keys[(rounds - r) * 4 + j]!;
      w[r * 4 + j] =
        r === 0 || r === rounds
          ? k
          : D0[SBOX[k & 255]!]! ^ D1[SBOX[(k >>> 8) & 255]!]! ^ D2[SBOX[(k >>> 16) & 255]!]! ^ D3[SBOX[k >>> 24]!]!;
    }
  return w;
}

function makeTables(): Tables {
  const sbox = new Uint8Array(256);
  const inverse = new Uint8Array(256);
  const double = (x: number): number => (x << 1) ^ (x & 0x80 ? 0x11b : 0);
  for (let p = 1, q = 1, first = true; first || p !== 1; first = false) {
    p ^= double(p); // times 3, a generator; q is its inverse
    p &= 255;
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q &= 255;
    if (q & 0x80) q ^= 9;
    const turn = (n: number): number => ((q << n) | (q >>> (8 - n))) & 255;
    sbox[p] = q ^ turn(1) ^ turn(2) ^ turn(3) ^ turn(4) ^ 0x63;
  }
  sbox[0] = 0x63;
  for (let i = 0; i < 256; i++) inverse[sbox[i]!] = i;
  const e = four();
  const d = four();
  for (let i = 0; i < 256; i++) {
    const s = sbox[i]!;
    const s2 = double(s);
    const x = inverse[i]!;
    const x2 = double(x);
    const x4 = double(x2);
    const x8 = double(x4);
    const forward = s2 | (s << 8) | (s << 16) | ((s2 ^ s) << 24);
    const back = (x8 ^ x4 ^ x2) | ((x8 ^ x) << 8) | ((x8 ^ x4 ^ x) << 16) | ((x8 ^ x2 ^ x) << 24);
    for (let t = 0; t < 4; t++) {
      e[t]![i] = (forward << (8 * t)) | (t === 0 ? 0 : forward >>> (32 - 8 * t));
      d[t]![i] = (back << (8 * t)) | (t === 0 ? 0 : back >>> (32 - 8 * t));
    }
  }
  return { sbox, inverse, e, d };
}

function four(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  return [new Int32Array(256), new Int32Array(256), new Int32Array(256), new Int32Array(256)];
}
