import type { BlockCipher } from "./block-cipher.ts";
import { onWords } from "./block-cipher.ts";
import type { IvGenerator } from "./iv.ts";

/** Bytes of the unit that disk encryption numbers. */
export const SECTOR = 512;

/** Encrypts and decrypts in place; `sector` is the number of the first one. Lengths are whole cipher blocks. */
export interface SectorCipher {
  /** Encrypts whole sectors in place. */
  encrypt(bytes: Uint8Array, sector: number): void;
  /** Decrypts whole sectors in place. */
  decrypt(bytes: Uint8Array, sector: number): void;
}

type SectorWork = (words: Int32Array, from: number, to: number, iv: Int32Array) => void;

/** Goes through the sectors, each with its own vector. */
function each(bytes: Uint8Array, sector: number, ivs: IvGenerator | undefined, work: SectorWork): void {
  const iv = new Int32Array(4);
  onWords(bytes, (words) => {
    for (let from = 0; from < words.length; from += SECTOR / 4) {
      ivs?.(sector++, iv);
      work(words, from, Math.min(from + SECTOR / 4, words.length), iv);
    }
  });
}

/** Electronic codebook: SP 800-38A section 6.1. */
export function ecb(cipher: BlockCipher): SectorCipher {
  const step = cipher.words;
  return {
    encrypt: (bytes) =>
      onWords(bytes, (w) => {
        for (let i = 0; i < w.length; i += step) cipher.encrypt(w, i);
      }),
    decrypt: (bytes) =>
      onWords(bytes, (w) => {
        for (let i = 0; i < w.length; i += step) cipher.decrypt(w, i);
      }),
  };
}

/** Cipher block chaining within each sector: SP 800-38A section 6.2. */
export function cbc(cipher: BlockCipher, ivs: IvGenerator): SectorCipher {
  const n = cipher.words;
  const encrypt: SectorWork = (w, from, to, iv) => {
    for (let j = 0; j < n; j++) w[from + j]! ^= iv[j]!;
    cipher.encrypt(w, from);
    for (let i = from + n; i < to; i += n) {
      for (let j = i; j < i + n; j++) w[j]! ^= w[j - n]!;
      cipher.encrypt(w, i);
    }
  };
  const decrypt: SectorWork = (w, from, to, iv) => {
    for (let i = to - n; i > from; i -= n) {
      cipher.decrypt(w, i);
      for (let j = i; j < i + n; j++) w[j]! ^= w[j - n]!;
    }
    cipher.decrypt(w, from);
    for (let j = 0; j < n; j++) w[from + j]! ^= iv[j]!;
  };
  return {
    encrypt: (bytes, sector) => each(bytes, sector, ivs, encrypt),
    decrypt: (bytes, sector) => each(bytes, sector, ivs, decrypt),
  };
}

/** XTS: IEEE 1619-2007 section 5; `tweaks` encrypts the sector's vector. Blocks of 128 bits, no ciphertext stealing. */
export function xts(cipher: BlockCipher, tweaks: BlockCipher, ivs: IvGenerator): SectorCipher {
  const run = (w: Int32Array, from: number, to: number, iv: Int32Array, forward: boolean): void => {
    tweaks.encrypt(iv, 0);
    let a = iv[0]!;
    let b = iv[1]!;
    let c = iv[2]!;
    let d = iv[3]!;
    for (let i = from; i < to; i += 4) {
      w[i]! ^= a;
      w[i + 1]! ^= b;
      w[i + 2]! ^= c;
      w[i + 3]! ^= d;
      if (forward) cipher.encrypt(w, i);
      else cipher.decrypt(w, i);
      w[i]! ^= a;
      w[i + 1]! ^= b;
      w[i + 2]! ^= c;
      w[i + 3]! ^= d;
      const carry = (d >> 31) & 0x87;
      d = (d << 1) | (c >>> 31);
      c = (c << 1) | (b >>> 31);
      b = (b << 1) | (a >>> 31);
      a = (a << 1) ^ carry;
    }
  };
  return {
    encrypt: (bytes, sector) => each(bytes, sector, ivs, (w, from, to, iv) => run(w, from, to, iv, true)),
    decrypt: (bytes, sector) => each(bytes, sector, ivs, (w, from, to, iv) => run(w, from, to, iv, false)),
  };
}

/** Counter mode within each sector: SP 800-38A section 6.5; the vector counts up as one big-endian number. */
export function ctr(cipher: BlockCipher, ivs: IvGenerator): SectorCipher {
  const pad = new Int32Array(cipher.words);
  const run: SectorWork = (w, from, to, iv) => {
    const counter = new DataView(iv.buffer);
    for (let i = from; i < to; i += cipher.words) {
      for (let j = 0; j < cipher.words; j++) pad[j] = iv[j]!;
      cipher.encrypt(pad, 0);
      for (let j = 0; j < cipher.words && i + j < to; j++) w[i + j]! ^= pad[j]!;
      for (let at = cipher.words * 4 - 4; at >= 0; at -= 4) {
        const next = (counter.getUint32(at) + 1) >>> 0;
        counter.setUint32(at, next);
        if (next !== 0) break;
      }
    }
  };
  const both = (bytes: Uint8Array, sector: number): void => each(bytes, sector, ivs, run);
  return { encrypt: both, decrypt: both };
}
