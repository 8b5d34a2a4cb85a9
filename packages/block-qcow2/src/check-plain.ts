import type { Counts } from "./check-counts.ts";
import { PAGE } from "./check-counts.ts";

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A big-endian number that was read as a little-endian one. */
function swapped(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * Entries of an L2 table that need no second look: zero, or a cluster in its place without flags but the copied one. They are nearly all,
 * and this loop is small so that the engine optimises it while a check of a tenth of a second is running.
 */
export class PlainEntries {
  allocated = 0;
  fragmented = 0;
  /** The cluster behind the last one; 0 = none. */
  next = 0;
  readonly #counts: Counts;
  readonly #flags: Counts;
  readonly #limit: number;
  readonly #bits: number;

  /** `limit`: clusters from this one on are not plain, and none is when it is 0. */
  constructor(counts: Counts, flags: Counts, limit: number, clusterBits: number) {
    this.#counts = counts;
    this.#flags = flags;
    this.#limit = LITTLE_ENDIAN ? limit : 0;
    this.#bits = clusterBits;
  }

  /** Counts entries of two words from `from` on. @returns index of the first that is not plain, in words; the length when there is none. */
  run(words: Int32Array, from: number, active: boolean): number {
    const [bits, limit, length] = [this.#bits, this.#limit, words.length];
    const flagsAndHigh = 0x7fffffff & -(1 << (bits - 1));
    const inside = (1 << bits) - 1;
    let page = -1;
    let counts: Uint8Array = NONE;
    let flags: Uint8Array = NONE;
    let [next, taken, fragmented] = [this.next, 0, 0];
    let i = from;
    for (; i < length; i += 2) {
      const first = words[i]!;
      const second = words[i + 1]!;
      if ((first | second) === 0) continue;
      const high = swapped(first);
      const low = swapped(second);
      const cluster = ((high & 0x7fffffff) << (32 - bits)) | (low >>> bits);
      if ((high & flagsAndHigh) !== 0 || (low & inside) !== 0 || cluster === 0 || cluster >= limit) break;
      if (cluster >>> 16 !== page) {
        page = cluster >>> 16;
        counts = this.#counts.pageToChange(page);
        if (active) flags = this.#flags.pageToChange(page);
      }
      const at = cluster & (PAGE - 1);
      const n = counts[at]!;
      if (n >= 254) break;
      counts[at] = n + 1;
      this.#counts.reach(cluster);
      if (!active) continue;
      flags[at]! |= high < 0 ? 1 : 2;
      this.#flags.reach(cluster);
      taken++;
      if (next !== 0 && cluster !== next) fragmented++;
      next = cluster + 1;
    }
    this.next = next;
    this.allocated += taken;
    this.fragmented += fragmented;
    return i;
  }
}

const NONE = new Uint8Array(0);
