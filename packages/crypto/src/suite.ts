import { Aes } from "./aes.ts";
import { fastAes } from "./aes-sectors.ts";
import type { BlockCipher } from "./block-cipher.ts";
import { Cast5 } from "./cast5.ts";
import { CryptoError } from "./errors.ts";
import type { HashName } from "./hashes.ts";
import { digest, digestSize } from "./hashes.ts";
import type { IvGenerator } from "./iv.ts";
import { essiv, plain, plain64 } from "./iv.ts";
import type { SectorCipher } from "./sectors.ts";
import { cbc, ctr, ecb, xts } from "./sectors.ts";
import { Serpent } from "./serpent.ts";
import { Twofish } from "./twofish.ts";

/** Block ciphers by the names of LUKS headers. */
export type CipherName = "aes" | "cast5" | "serpent" | "twofish";
/** Modes of operation by the names of LUKS headers. */
export type ModeName = "cbc" | "ctr" | "ecb" | "xts";
/** How a sector's number becomes an initialisation vector. */
export type IvName = "essiv" | "plain" | "plain64";

interface CipherKind {
  readonly keySizes: readonly number[];
  /** 32-bit words in a block. */
  readonly words: 2 | 4;
  make(key: Uint8Array): BlockCipher;
}

const CIPHERS: Readonly<Record<CipherName, CipherKind>> = {
  aes: { keySizes: [16, 24, 32], words: 4, make: (key) => new Aes(key) },
  cast5: { keySizes: [16], words: 2, make: (key) => new Cast5(key) },
  serpent: { keySizes: [16, 24, 32], words: 4, make: (key) => new Serpent(key) },
  twofish: { keySizes: [16, 24, 32], words: 4, make: (key) => new Twofish(key) },
};

/** How sectors are encrypted: cipher, mode and initialisation vectors. */
export interface Suite {
  /** Block cipher. */
  readonly cipher: CipherName;
  /** How its blocks are chained. */
  readonly mode: ModeName;
  /** Absent for ecb. */
  readonly iv?: IvName;
  /** For essiv. */
  readonly ivHash?: HashName;
}

/** True for a name of {@link CipherName}. */
export function isCipherName(name: string): name is CipherName {
  return Object.hasOwn(CIPHERS, name);
}

/** Sizes that a cipher's key may have, bytes. */
export function keySizes(cipher: CipherName): readonly number[] {
  return CIPHERS[cipher].keySizes;
}

/** A block cipher with its key. @throws CryptoError "bad-option" for a size that it does not have. */
export function blockCipher(cipher: CipherName, key: Uint8Array): BlockCipher {
  const kind = CIPHERS[cipher];
  if (!kind.keySizes.includes(key.length))
    throw new CryptoError(
      "bad-option",
      `${cipher} has no keys of ${key.length} bytes (it has ${kind.keySizes.join(", ")})`,
    );
  return kind.make(key);
}

/**
 * The cipher for 512-byte sectors; XTS takes a key of two halves.
 * @throws CryptoError "bad-option" or "unsupported-feature" for a combination that does not exist.
 */
export function sectorCipher(suite: Suite, key: Uint8Array): SectorCipher {
  if (suite.mode === "xts") {
    if (CIPHERS[suite.cipher].words !== 4)
      throw new CryptoError(
        "unsupported-feature",
        `xts needs a cipher with blocks of 128 bits; ${suite.cipher} has 64`,
      );
    if (key.length % 2 !== 0) throw new CryptoError("bad-option", `xts key of ${key.length} bytes has no two halves`);
    const half = key.length / 2;
    const fast = fastSectors(suite, key.subarray(0, half), key.subarray(half), key);
    if (fast) return fast;
    const cipher = blockCipher(suite.cipher, key.subarray(0, half));
    return xts(cipher, blockCipher(suite.cipher, key.subarray(half)), vectors(suite, key));
  }
  const fast = suite.mode === "cbc" ? fastSectors(suite, key, undefined, key) : undefined;
  if (fast) return fast;
  const cipher = blockCipher(suite.cipher, key);
  if (suite.mode === "ecb") return ecb(cipher);
  const ivs = vectors(suite, key);
  return suite.mode === "cbc" ? cbc(cipher, ivs) : ctr(cipher, ivs);
}

function fastSectors(
  suite: Suite,
  key: Uint8Array,
  tweaks: Uint8Array | undefined,
  whole: Uint8Array,
): SectorCipher | undefined {
  if (suite.cipher !== "aes" || !CIPHERS.aes.keySizes.includes(key.length)) return undefined;
  return fastAes(key, tweaks, vectors(suite, whole));
}

function vectors(suite: Suite, key: Uint8Array): IvGenerator {
  if (suite.iv === "plain64") return plain64;
  if (suite.iv === "plain") return plain;
  if (suite.iv !== "essiv")
    throw new CryptoError("bad-option", `${suite.mode} needs initialisation vectors: plain, plain64 or essiv`);
  if (!suite.ivHash) throw new CryptoError("bad-option", "essiv needs a hash");
  const size = digestSize(suite.ivHash);
  if (!CIPHERS[suite.cipher].keySizes.includes(size))
    throw new CryptoError(
      "unsupported-feature",
      `essiv:${suite.ivHash} gives keys of ${size} bytes, which ${suite.cipher} has not`,
    );
  return essiv(blockCipher(suite.cipher, digest(suite.ivHash, key)));
}

/** AES-128 of encrypted qcow and old qcow2 images: CBC, the password itself as key, cut or filled with zeroes to 16 bytes. */
export function legacyQcowCipher(password: Uint8Array): SectorCipher {
  const key = new Uint8Array(16);
  key.set(password.subarray(0, 16));
  return sectorCipher({ cipher: "aes", mode: "cbc", iv: "plain64" }, key);
}
