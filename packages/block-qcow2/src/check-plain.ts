import type { Counts } from "./check-counts.ts";
import { PAGE } from "./check-counts.ts";

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * Entries of an L2 table that need no second look: zero, or a cluster in its place without flags but the copied one. They are nearly all,
 * and this loop calls nothing, so that the engine optimises it while a check of a tenth of a second is running, and it is quick until then.
 */
export class PlainEntries {
  allocated = 0;
  fragmented = 0;
  /** The cluster after the last one; 0 = none. */
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
    let [next, taken, fragmented, highest] = [this.next, 0, 0, -1];
    let i = from;
    for (; i < length; i += 2) {
      const first = words[i]!;
      const second = words[i + 1]!;
      if ((first | second) === 0) continue;
      // Big-endian numbers that were read as little-endian ones.
      const high = (first << 24) | ((first & 0xff00) << 8) | ((first >>> 8) & 0xff00) | (first >>> 24);
      const low = (second << 24) | ((second & 0xff00) << 8) | ((second >>> 8) & 0xff00) | (second >>> 24);
      if ((high & flagsAndHigh) !== 0 || (low & inside) !== 0) break;
      const cluster = ((high & 0x7fffffff) << (32 - bits)) | (low >>> bits);
      if (cluster === 0 || cluster >= limit) break;
      if (cluster >>> 16 !== page) {
        page = cluster >>> 16;
        counts = this.#counts.pageToChange(page);
        if (active) flags = this.#flags.pageToChange(page);
      }
      const at = cluster & (PAGE - 1);
      const n = counts[at]!;
      if (n >= 254) break;
      counts[at] = n + 1;
      if (cluster > highest) highest = cluster;
      if (!active) continue;
      flags[at]! |= high < 0 ? 1 : 2;
      taken++;
      if (next !== 0 && cluster !== next) fragmented++;
      next = cluster + 1;
    }
    this.#counts.reach(highest);
    if (active) this.#flags.reach(highest);
    this.next = next;
    this.allocated += taken;
    this.fragmented += fragmented;
    return i;
  }
}

const NONE = new Uint8Array(0);
