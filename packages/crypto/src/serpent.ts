import type { BlockCipher } from "./block-cipher.ts";
import { BOXES, INVERSES } from "./serpent-boxes.ts";

// Source: R. Anderson, E. Biham, L. Knudsen, "Serpent: A Proposal for the Advanced Encryption Standard" (1998), bitslice form.

const ROUNDS = 32;
const PHI = 0x9e3779b9;

/** Serpent with a key of 16, 24 or 32 bytes. */
export class Serpent implements BlockCipher {
  readonly words = 4 as const;
  readonly #k: Int32Array = new Int32Array(4 * (ROUNDS + 1));

  constructor(key: Uint8Array) {
    const padded = new Uint8Array(32);
    padded.set(key);
    if (key.length < 32) padded[key.length] = 1;
    const w = new Int32Array(8 + 132);
    w.set(new Int32Array(padded.buffer));
    for (let i = 8; i < w.length; i++) {
      const x = w[i - 8]! ^ w[i - 5]! ^ w[i - 3]! ^ w[i - 1]! ^ PHI ^ (i - 8);
      w[i] = (x << 11) | (x >>> 21);
    }
    for (let r = 0; r <= ROUNDS; r++) {
      const four = w.slice(8 + 4 * r, 12 + 4 * r);
      BOXES[(35 - r) % 8]!(four);
      this.#k.set(four, 4 * r);
    }
  }

  encrypt(block: Int32Array, at: number): void {
    const w = block.subarray(at, at + 4);
    for (let r = 0; r < ROUNDS; r++) {
      addKey(w, this.#k, r);
      BOXES[r & 7]!(w);
      if (r < ROUNDS - 1) transform(w);
    }
    addKey(w, this.#k, ROUNDS);
  }

  decrypt(block: Int32Array, at: number): void {
    const w = block.subarray(at, at + 4);
    addKey(w, this.#k, ROUNDS);
    for (let r = ROUNDS - 1; r >= 0; r--) {
      if (r < ROUNDS - 1) restore(w);
      INVERSES[r & 7]!(w);
      addKey(w, this.#k, r);
    }
  }
}

function addKey(w: Int32Array, k: Int32Array, round: number): void {
  w[0]! ^= k[4 * round]!;
  w[1]! ^= k[4 * round + 1]!;
  w[2]! ^= k[4 * round + 2]!;
  w[3]! ^= k[4 * round + 3]!;
}

/** The linear transformation. */
function transform(w: Int32Array): void {
  let a = w[0]!;
  let b = w[1]!;
  let c = w[2]!;
  let d = w[3]!;
  a = (a << 13) | (a >>> 19);
  c = (c << 3) | (c >>> 29);
  b ^= a ^ c;
  d ^= c ^ (a << 3);
  b = (b << 1) | (b >>> 31);
  d = (d << 7) | (d >>> 25);
  a ^= b ^ d;
  c ^= d ^ (b << 7);
  w[0] = (a << 5) | (a >>> 27);
  w[1] = b;
  w[2] = (c << 22) | (c >>> 10);
  w[3] = d;
}

/** Its inverse. */
function restore(w: Int32Array): void {
  let a = w[0]!;
  let b = w[1]!;
  let c = w[2]!;
  let d = w[3]!;
  c = ((c << 10) | (c >>> 22)) ^ d ^ (b << 7);
  a = ((a << 27) | (a >>> 5)) ^ b ^ d;
  d = (d << 25) | (d >>> 7);
  b = (b << 31) | (b >>> 1);
  d ^= c ^ (a << 3);
  b ^= a ^ c;
  w[0] = (a << 19) | (a >>> 13);
  w[1] = b;
  w[2] = (c << 29) | (c >>> 3);
  w[3] = d;
}
