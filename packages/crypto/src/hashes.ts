import { ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { sha224, sha256, sha384, sha512 } from "@noble/hashes/sha2.js";

/** Hashes by QEMU's names. */
export type HashName = "ripemd160" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

type HashFunction = typeof sha256 | typeof sha512 | typeof sha1;

const HASHES: Readonly<Record<HashName, HashFunction>> = { ripemd160, sha1, sha224, sha256, sha384, sha512 };

/** Names of all hashes. */
export const HASH_NAMES: readonly HashName[] = ["sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"];

/** True for a name in {@link HASH_NAMES}. */
export function isHashName(name: string): name is HashName {
  return Object.hasOwn(HASHES, name);
}

/** The digest of all pieces, one after another. */
export function digest(hash: HashName, ...pieces: readonly Uint8Array[]): Uint8Array {
  const h = HASHES[hash].create();
  for (const piece of pieces) h.update(piece);
  return h.digest();
}

/** A digest that is taken often: nothing is made anew for each. The answer writes the digest of its pieces into `into`. */
export function digester(hash: HashName): (into: Uint8Array, ...pieces: readonly Uint8Array[]) => void {
  const blank = HASHES[hash].create();
  const work = blank.clone();
  return (into, ...pieces) => {
    blank._cloneInto(work as never);
    for (const piece of pieces) work.update(piece);
    work.digestInto(into);
  };
}

/** Bytes of a digest. */
export function digestSize(hash: HashName): number {
  return HASHES[hash].outputLen;
}

/** The hash as the library has it, for HMAC. */
export function hashFunction(hash: HashName): HashFunction {
  return HASHES[hash];
}
