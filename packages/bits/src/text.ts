/** `n` as `0x…` with at least `digits` digits. */
export function hex(n: number | bigint, digits = 1): string {
  return `0x${n.toString(16).padStart(digits, "0")}`;
}

/** The UTF-8 bytes of `text`; an unpaired surrogate becomes U+FFFD. Source: RFC 3629, section 3. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  for (const char of text) {
    let c = char.codePointAt(0) ?? 0xfffd;
    if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd;
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 0x3f));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 0x3f), 0x80 | (c & 0x3f));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 0x3f), 0x80 | ((c >> 6) & 0x3f), 0x80 | (c & 0x3f));
  }
  return Uint8Array.from(out);
}

/** The text of UTF-8 `bytes`; a malformed sequence becomes U+FFFD, never an error. Source: RFC 3629, section 3. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.every((b) => b < 0x80)) return decodeLatin1(bytes);
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i++]!;
    const more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (more < 0) {
      text += "\ufffd";
      continue;
    }
    let c = more === 0 ? lead : lead & (0x3f >> more);
    let n = 0;
    while (n < more && i < bytes.length && (bytes[i]! & 0xc0) === 0x80) {
      c = (c << 6) | (bytes[i++]! & 0x3f);
      n++;
    }
    const least = more === 1 ? 0x80 : more === 2 ? 0x800 : more === 3 ? 0x10000 : 0;
    const good = n === more && c >= least && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
    text += good ? String.fromCodePoint(c) : "\ufffd";
  }
  return text;
}

/** One character per byte, code points 0..255: for names in tables and for debug text. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK)
    // Spread, a typed array takes seven times as long.
    text += String.fromCharCode.apply(undefined, bytes.subarray(at, at + CHUNK) as unknown as number[]);
  return text;
}

/** Characters that one call makes. */
const CHUNK = 4096;
