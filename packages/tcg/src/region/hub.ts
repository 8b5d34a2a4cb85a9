/**
 * The hub: one dispatch that the indirect jumps of a region share when comparing the targets of each one by one would take
 * too much code, as in the loop of a bytecode interpreter. The address is hashed without collisions.
 */

/** A target of the hub: the low half of its address, and its node. */
interface HubTarget {
  readonly target: number;
  readonly node: number;
}

/** Targets, and the hash that tells them apart. */
export interface Hub {
  readonly targets: readonly HubTarget[];
  readonly factor: number;
  /** The hash is the product's upper bits: so many. */
  readonly bits: number;
}

/** Of the table that is dispatched by. */
const MOST_BITS = 12;
/** Factors tried for each size of table. */
const TRIES = 200;
/** Targets of the indirect jumps of a region, in all, that are compared one by one. */
export const MOST_COMPARISONS = 20;

/** Place of an address in the hub's table. */
export const hubHash = (pcLo: number, factor: number, bits: number): number => Math.imul(pcLo, factor) >>> (32 - bits);

/** A hub for jumps with these targets; undefined when there are few, or no hash is found. */
export function hubFor(jumps: readonly (readonly number[])[], nodeAt: ReadonlyMap<number, number>): Hub | undefined {
  if (jumps.reduce((sum, list) => sum + list.length, 0) <= MOST_COMPARISONS) return undefined;
  const places = [...new Set(jumps.flat())];
  const targets = places.map((target) => ({ target, node: nodeAt.get(target)! }));
  let factor = 0x9e3779b1;
  for (let bits = 33 - Math.clz32(places.length); bits <= MOST_BITS; bits++) {
    for (let n = 0; n < TRIES; n++) {
      if (new Set(places.map((it) => hubHash(it, factor, bits))).size === places.length)
        return { targets, factor, bits };
      factor = (Math.imul(factor, 1664525) + 1013904223) | 1;
    }
  }
  return undefined;
}
