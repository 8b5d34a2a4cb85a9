// Big-endian numbers, the byte order of the protocol. Offsets are numbers up to 2^53 - 1; cookies stay two halves.

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function u32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** Infinity for what a number cannot hold exactly: it lies outside every export. */
export function u64(bytes: Uint8Array, at: number): number {
  const high = u32(bytes, at);
  return high >= 1 << 21 ? Number.POSITIVE_INFINITY : high * 2 ** 32 + u32(bytes, at + 4);
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function put64(bytes: Uint8Array, at: number, value: number): void {
  put32(bytes, at, Math.floor(value / 2 ** 32));
  put32(bytes, at + 4, value >>> 0);
}

/** UTF-8 of a text. */
export function encode(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const c = char.codePointAt(0) as number;
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(out);
}

/** The text of UTF-8 bytes; undefined when they are not UTF-8. */
export function decode(bytes: Uint8Array): string | undefined {
  let out = "";
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i++] as number;
    const more = first < 0x80 ? 0 : first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : -1;
    if (more < 0 || first >= 0xf5 || i + more > bytes.length) return undefined;
    let c = more === 0 ? first : first & (0x3f >> more);
    for (let n = 0; n < more; n++) {
      const next = bytes[i++] as number;
      if ((next & 0xc0) !== 0x80) return undefined;
      c = (c << 6) | (next & 63);
    }
    const least = [0, 0x80, 0x800, 0x10000][more] as number;
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return undefined;
    out += String.fromCodePoint(c);
  }
  return out;
}

/** Bytes one after another in one array. */
export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const p of pieces) length += p.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const p of pieces) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** A number as bytes: for messages that are put together once. */
export function be(bits: 16 | 32 | 64, value: number): Uint8Array {
  const out = new Uint8Array(bits / 8);
  if (bits === 16) put16(out, 0, value);
  else if (bits === 32) put32(out, 0, value);
  else put64(out, 0, value);
  return out;
}
