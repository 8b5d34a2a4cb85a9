import type { FormatHost } from "@mimus/block";

const HASHES: Readonly<Record<string, string>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/**
 * What image formats may ask of a browser; codecs are the portable ones. `secret`: looks up a passphrase by id; absent = no image that needs one
 * opens.
 */
export function webFormatHost(secret?: FormatHost["secret"]): Partial<FormatHost> {
  return {
    random: fill,
    now: () => Date.now(),
    pbkdf2: (hash, password, salt, iterations, length) => {
      const name = HASHES[hash];
      // Pages without https have no WebCrypto.
      if (name === undefined || globalThis.crypto?.subtle === undefined) return undefined;
      return derive(name, password, salt, iterations, length);
    },
    pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
    ...(secret ? { secret } : {}),
  };
}

/** The browser gives at most 64 KiB at once. Source: Web Cryptography API, `getRandomValues`. */
function fill(into: Uint8Array): void {
  const piece = new Uint8Array(Math.min(into.length, 65536));
  for (let done = 0; done < into.length; done += piece.length) {
    crypto.getRandomValues(piece);
    into.set(piece.subarray(0, Math.min(piece.length, into.length - done)), done);
  }
}

async function derive(
  hash: string,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array> {
  const { subtle } = crypto;
  const key = await subtle.importKey("raw", password.slice(), "PBKDF2", false, ["deriveBits"]);
  const bits = await subtle.deriveBits({ name: "PBKDF2", hash, salt: salt.slice(), iterations }, key, length * 8);
  return new Uint8Array(bits);
}
