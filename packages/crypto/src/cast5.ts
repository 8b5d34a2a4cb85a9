import type { BlockCipher } from "./block-cipher.ts";
import { CAST5_BOXES } from "./cast5-boxes.ts";

const BOX_WORDS = 256;
const ROUNDS = 16;

/** S1 to S8, made when a key first needs them. */
let boxes: readonly Int32Array[] | undefined;

function allBoxes(): readonly Int32Array[] {
  return (boxes ??= Array.from({ length: 8 }, (_, box) =>
    Int32Array.from({ length: BOX_WORDS }, (_, i) => {
      const at = (box * BOX_WORDS + i) * 8;
      return Number.parseInt(CAST5_BOXES.slice(at, at + 8), 16);
    }),
  ));
}

/**
 * RFC 2144 section 2.4, one line for each new word of the temporary key: which old word it begins with, which bytes go
 * through S5 to S8 (of the old key in the first line, of the new one in the others), the box and the old byte added last.
 */
type Mix = readonly (readonly [word: number, bytes: string, box: number, last: number])[];
const TO_Z: Mix = [
  [0, "dfce", 7, 0x8],
  [2, "0213", 8, 0xa],
  [3, "7654", 5, 0x9],
  [1, "a9b8", 6, 0xb],
];
const TO_X: Mix = [
  [2, "5746", 7, 0x0],
  [0, "0213", 8, 0x2],
  [1, "7654", 5, 0x1],
  [3, "a9b8", 6, 0x3],
];

/** The same section: the bytes that go through S5 to S8 for each subkey, then the one that goes through S5, S6, S7, S8 in turn. */
const SUBKEYS: readonly (readonly string[])[] = [
  ["89762", "ab546", "cd329", "ef10c"],
  ["32cd8", "10efd", "76893", "54ab7"],
  ["32cd9", "10efc", "76892", "54ab6"],
  ["89763", "ab547", "cd328", "ef10d"],
];

/** CAST5 (CAST-128) with a key of 128 bits: RFC 2144. Blocks of 64 bits. */
export class Cast5 implements BlockCipher {
  readonly words = 2;
  readonly #mask = new Int32Array(ROUNDS);
  readonly #turn = new Int32Array(ROUNDS);
  readonly #boxes: readonly Int32Array[] = allBoxes();

  constructor(key: Uint8Array) {
    let old: Uint8Array = new Uint8Array(key);
    const words: number[] = [];
    for (let half = 0; half < 2; half++)
      for (const [quarter, lines] of SUBKEYS.entries()) {
        old = mixed(old, quarter % 2 === 0 ? TO_Z : TO_X);
        words.push(...lines.map((bytes, i) => through(old, bytes) ^ box(5 + i, old, bytes.charAt(4))));
      }
    this.#mask.set(words.slice(0, ROUNDS));
    this.#turn.set(words.slice(ROUNDS).map((word) => word & 31));
  }

  encrypt(block: Int32Array, at: number): void {
    let left = swap(block[at]!);
    let right = swap(block[at + 1]!);
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ this.#f(round, right);
      left = right;
      right = next;
    }
    block[at] = swap(right);
    block[at + 1] = swap(left);
  }

  decrypt(block: Int32Array, at: number): void {
    let left = swap(block[at]!);
    let right = swap(block[at + 1]!);
    for (let round = ROUNDS - 1; round >= 0; round--) {
      const next = left ^ this.#f(round, right);
      left = right;
      right = next;
    }
    block[at] = swap(right);
    block[at + 1] = swap(left);
  }

  /** Section 2.2: three kinds of rounds take turns. */
  #f(round: number, data: number): number {
    const mask = this.#mask[round]!;
    const turn = this.#turn[round]!;
    const kind = round % 3;
    const sum = kind === 0 ? mask + data : kind === 1 ? mask ^ data : mask - data;
    const i = (sum << turn) | ((sum | 0) >>> (32 - turn));
    const a = this.#boxes[0]![i >>> 24]!;
    const b = this.#boxes[1]![(i >>> 16) & 0xff]!;
    const c = this.#boxes[2]![(i >>> 8) & 0xff]!;
    const d = this.#boxes[3]![i & 0xff]!;
    if (kind === 0) return ((a ^ b) - c + d) | 0;
    if (kind === 1) return (a - b + c) ^ d;
    return (((a + b) ^ c) - d) | 0;
  }
}

/** The next temporary key. */
function mixed(old: Uint8Array, mix: Mix): Uint8Array {
  const next = new Uint8Array(16);
  const from = new DataView(old.buffer);
  const to = new DataView(next.buffer);
  for (const [i, [word, bytes, last, at]] of mix.entries())
    to.setInt32(
      4 * i,
      from.getInt32(4 * word) ^ through(i === 0 ? old : next, bytes) ^ allBoxes()[last - 1]![old[at]!]!,
    );
  return next;
}

/** Four bytes of a key through S5 to S8. */
function through(key: Uint8Array, bytes: string): number {
  return [0, 1, 2, 3].reduce((sum, i) => sum ^ box(5 + i, key, bytes.charAt(i)), 0);
}

function box(number: number, key: Uint8Array, at: string): number {
  return allBoxes()[number - 1]![key[Number.parseInt(at, 16)]!]!;
}

/** Words of a block are big-endian in the standard. */
function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
