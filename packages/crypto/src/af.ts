import type { HashName } from "./hashes.ts";
import { digest, digestSize } from "./hashes.ts";

// Source: LUKS1 On-Disk Format Specification 1.2.3, section 2.4 "AF-splitter" (after T. Fruehwirth, "New methods in hard disk encryption").

/** Spreads a key over `stripes` pieces of its own length, all of which are needed to get it back. */
export function afSplit(
  key: Uint8Array,
  stripes: number,
  hash: HashName,
  random: (into: Uint8Array) => void,
): Uint8Array<ArrayBuffer> {
  const n = key.length;
  const out = new Uint8Array(n * stripes);
  random(out.subarray(0, n * (stripes - 1)));
  const mixed = mix(out, n, stripes, hash);
  for (let i = 0; i < n; i++) out[n * (stripes - 1) + i] = mixed[i]! ^ key[i]!;
  return out;
}

/** The key from its pieces. */
export function afMerge(pieces: Uint8Array, stripes: number, hash: HashName): Uint8Array {
  const n = pieces.length / stripes;
  const key = mix(pieces, n, stripes, hash);
  for (let i = 0; i < n; i++) key[i]! ^= pieces[n * (stripes - 1) + i]!;
  return key;
}

/** All pieces but the last, folded together. */
function mix(pieces: Uint8Array, n: number, stripes: number, hash: HashName): Uint8Array {
  const block = new Uint8Array(n);
  for (let s = 0; s < stripes - 1; s++) {
    for (let i = 0; i < n; i++) block[i]! ^= pieces[s * n + i]!;
    diffuse(block, hash);
  }
  return block;
}

/** Replaces each digest-sized part by the hash of its number and itself; the last part may be shorter. */
function diffuse(block: Uint8Array, hash: HashName): void {
  const size = digestSize(hash);
  for (let at = 0, number = 0; at < block.length; at += size, number++) {
    const part = block.subarray(at, at + size);
    const counter = new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
    part.set(digest(hash, counter, part).subarray(0, part.length));
  }
}
