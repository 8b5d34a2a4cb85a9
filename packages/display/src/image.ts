import type { Surface } from "./console.ts";

/** Compresses bytes into a zlib stream (RFC 1950); the host's. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/** A picture as a Portable Pixmap, binary ("P6"), as QEMU writes it. Source: Netpbm, "PPM format". */
export function ppm({ width, height, stride, bytes }: Surface): Uint8Array {
  const head = Uint8Array.from(`P6\n${width} ${height}\n255\n`, (c) => c.charCodeAt(0));
  const out = new Uint8Array(head.length + width * height * 3);
  out.set(head);
  let to = head.length;
  for (let y = 0; y < height; y++) to = rgb(bytes, y * stride, width, out, to);
  return out;
}

/** A picture as PNG: 8 bits of red, green and blue, no filter. Without `deflate` the data is stored. Source: PNG, third edition (W3C, 2025). */
export function png({ width, height, stride, bytes }: Surface, deflate: Deflate = stored): Uint8Array {
  const lines = new Uint8Array(height * (1 + width * 3));
  for (let y = 0; y < height; y++) rgb(bytes, y * stride, width, lines, y * (1 + width * 3) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("IDAT", deflate(lines)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function rgb(from: Uint8Array, start: number, pixels: number, into: Uint8Array, start2: number): number {
  let to = start2;
  for (let x = 0, at = start; x < pixels; x++, at += 4) {
    into[to++] = from[at + 2]!;
    into[to++] = from[at + 1]!;
    into[to++] = from[at]!;
  }
  return to;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

const CRC: Uint32Array = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The check sum of a chunk. Source: PNG, annex D. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** A zlib stream of stored blocks. Source: RFC 1950, 2.2; RFC 1951, 3.2.4. */
export function stored(bytes: Uint8Array): Uint8Array {
  const most = 0xffff;
  const blocks = Math.max(1, Math.ceil(bytes.length / most));
  const out = new Uint8Array(2 + blocks * 5 + bytes.length + 4);
  out.set([0x78, 0x01]);
  let to = 2;
  let [a, b] = [1, 0];
  for (let n = 0; n < blocks; n++) {
    const part = bytes.subarray(n * most, (n + 1) * most);
    out.set([n === blocks - 1 ? 1 : 0, part.length, part.length >> 8, ~part.length, ~part.length >> 8], to);
    out.set(part, to + 5);
    to += 5 + part.length;
  }
  // Sums stay below 2^32 for 5552 bytes.
  for (let at = 0; at < bytes.length;) {
    for (const end = Math.min(bytes.length, at + 5552); at < end; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  new DataView(out.buffer).setUint32(to, ((b << 16) | a) >>> 0);
  return out;
}
