import { hmac } from "@noble/hashes/hmac.js";
import { CryptoError } from "./errors.ts";
import type { HashName } from "./hashes.ts";
import { digestSize, hashFunction } from "./hashes.ts";

/** What the world gives to key derivation: part of a block format's host. */
export interface KdfHost {
  /** The host's own PBKDF2, off the event loop; undefined = it has none for this hash. */
  pbkdf2?(
    hash: string,
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    length: number,
  ): Promise<Uint8Array> | undefined;
  /** Lets the event loop run before long work goes on. */
  pause?(): Promise<void>;
}

/** More iterations than this would hold a processor for minutes: refused. */
export const MAX_ITERATIONS = 100_000_000;

/** Iterations between two pauses: a few milliseconds. */
const SLICE = 2048;

/**
 * PBKDF2 with HMAC: RFC 8018 section 5.2. Runs on the host's own where it has one, else in slices between which the event
 * loop may run. @throws CryptoError "bad-option" for iterations outside 1 to {@link MAX_ITERATIONS}.
 */
export async function pbkdf2(
  hash: HashName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
  host: KdfHost = {},
): Promise<Uint8Array> {
  if (!(iterations >= 1 && iterations <= MAX_ITERATIONS))
    throw new CryptoError("bad-option", `PBKDF2 iterations ${iterations} must be 1 to ${MAX_ITERATIONS}`);
  const native = host.pbkdf2?.(hash, password, salt, iterations, length);
  if (native) return native;
  const out = new Uint8Array(length);
  const size = digestSize(hash);
  for (let block = 1, at = 0; at < length; block++, at += size)
    out.set((await chain(hash, password, salt, iterations, block, host)).subarray(0, length - at), at);
  return out;
}

/** One block of output: the XOR of a chain of HMACs. */
async function chain(
  hash: HashName,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  block: number,
  host: KdfHost,
): Promise<Uint8Array> {
  const keyed = hmac.create(hashFunction(hash), password);
  const { iHash, oHash } = keyed;
  const work = oHash.clone();
  const number = new Uint8Array([block >>> 24, block >>> 16, block >>> 8, block]);
  const u = new Uint8Array(digestSize(hash));
  iHash._cloneInto(work).update(salt).update(number).digestInto(u);
  oHash._cloneInto(work).update(u).digestInto(u);
  const out = u.slice();
  for (let done = 1; done < iterations;) {
    for (const end = Math.min(done + SLICE, iterations); done < end; done++) {
      iHash._cloneInto(work).update(u).digestInto(u);
      oHash._cloneInto(work).update(u).digestInto(u);
      for (let i = 0; i < u.length; i++) out[i]! ^= u[i]!;
    }
    if (done < iterations) await host.pause?.();
  }
  return out;
}
