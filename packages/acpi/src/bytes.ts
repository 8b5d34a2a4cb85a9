/** Bytes in a row. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `size` bytes of a non-negative integer up to 2^53, low byte first. */
export function le(size: number, value: number): Uint8Array {
  const out = new Uint8Array(size);
  let rest = value;
  for (let i = 0; i < size; i++) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return out;
}

/** Text of a fixed length: cut, or filled up with `fill`. */
export function ascii(text: string, size: number, fill = " "): Uint8Array {
  return Uint8Array.from(text.padEnd(size, fill).slice(0, size), (c) => c.charCodeAt(0) & 0xff);
}

/** The byte that makes the sum of all bytes 0. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return -sum & 0xff;
}
