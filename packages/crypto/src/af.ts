import type { HashName } from "./hashes.ts";
import { digester, digestSize } from "./hashes.ts";

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
  const diffuse = diffuser(block, hash);
  for (let s = 0; s < stripes - 1; s++) {
    for (let i = 0; i < n; i++) block[i]! ^= pieces[s * n + i]!;
    diffuse();
  }
  return block;
}

/** Replaces each digest-sized part by the hash of its number and itself; the last part may be shorter. */
function diffuser(block: Uint8Array, hash: HashName): () => void {
  const size = digestSize(hash);
  const digest = digester(hash);
  const out = new Uint8Array(size);
  const parts = Array.from({ length: Math.ceil(block.length / size) }, (_, number) => {
    const part = block.subarray(number * size, (number + 1) * size);
    const counter = new Uint8Array([number >>> 24, number >>> 16, number >>> 8, number]);
    return { part, counter, kept: out.subarray(0, part.length) };
  });
  return () => {
    for (const { part, counter, kept } of parts) {
      digest(out, counter, part);
      part.set(kept);
    }
  };
}
