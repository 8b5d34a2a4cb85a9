const U32 = 0x1_0000_0000n;

/** A number in C syntax (decimal, 0x hexadecimal, leading-0 octal), modulo 2^64; undefined when it is none. */
export function parseU64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)) return undefined;
  const digits = text.replace(/^[+-]/, "");
  const octal = /^0[0-7]+$/.test(digits);
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return BigInt.asUintN(64, text.startsWith("-") ? -value : value);
}

/** The halves of a 64-bit value. */
export function halves(value: bigint): [number, number] {
  return [Number(value % U32), Number(value / U32)];
}

/** `0x` and at least `digits` hexadecimal digits. */
export function hexOf(lo: number, hi: number, digits: number): string {
  const text = hi === 0 ? lo.toString(16) : hi.toString(16) + lo.toString(16).padStart(8, "0");
  return `0x${text.padStart(digits, "0")}`;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 with padding. Source: RFC 4648, section 4. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.subarray(i, i + 3);
    const word = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    text += ALPHABET[word >>> 18]! + ALPHABET[(word >>> 12) & 63]!;
    text += b === undefined ? "=" : ALPHABET[(word >>> 6) & 63]!;
    text += c === undefined ? "=" : ALPHABET[word & 63]!;
  }
  return text;
}

/** The bytes of a base64 text; undefined when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const body = text.replace(/=+$/, "");
  const out = new Uint8Array(Math.floor((body.length * 3) / 4));
  let word = 0;
  let bits = 0;
  let at = 0;
  for (const c of body) {
    const value = ALPHABET.indexOf(c);
    if (value < 0) return undefined;
    word = ((word << 6) | value) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (word >>> bits) & 0xff;
    }
  }
  return out;
}
