/** Most bytes that are asked for at once: Web Crypto gives no more. Source: Web Cryptography API, `getRandomValues`. */
const MOST = 65536;

/** Where random bytes come from. */
interface RandomSource {
  random(into: Uint8Array): unknown;
}

/** Fills with random bytes, whatever the length. */
export function fillRandom(host: RandomSource, into: Uint8Array): void {
  for (let at = 0; at < into.length; at += MOST) host.random(into.subarray(at, at + MOST));
}
