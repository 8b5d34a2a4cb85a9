/** Bytes that one step takes. */
const STEP = 8;
/** Reflected polynomial of CRC-32C (Castagnoli). Source: RFC 3720, appendix B.4. */
const TABLE: Uint32Array = /* @__PURE__ */ makeTable();

/** Row k says what a byte does that k others follow. */
function makeTable(): Uint32Array {
  const table = new Uint32Array(256 * STEP);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    table[n] = c >>> 0;
  }
  for (let n = 256; n < table.length; n++) {
    const c = table[n - 256]!;
    table[n] = (c >>> 8) ^ table[c & 0xff]!;
  }
  return table;
}

/** CRC-32C of the bytes; four bytes from `zeroAt` on count as zero: where a structure keeps its own checksum. */
export function crc32c(bytes: Uint8Array, zeroAt: number): number {
  let crc = add(-1, bytes, 0, Math.min(zeroAt, bytes.length));
  crc = add(crc, ZEROES, 0, Math.min(4, Math.max(0, bytes.length - zeroAt)));
  return ~add(crc, bytes, zeroAt + 4, bytes.length) >>> 0;
}

const ZEROES = new Uint8Array(4);

/** The register after more bytes: eight at once, from eight rows of the table. */
function add(start: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = start;
  let i = from;
  for (; i + STEP <= to; i += STEP)
    crc =
      TABLE[1792 + ((crc ^ bytes[i]!) & 0xff)]! ^
      TABLE[1536 + (((crc >>> 8) ^ bytes[i + 1]!) & 0xff)]! ^
      TABLE[1280 + (((crc >>> 16) ^ bytes[i + 2]!) & 0xff)]! ^
      TABLE[1024 + ((crc >>> 24) ^ bytes[i + 3]!)]! ^
      TABLE[768 + bytes[i + 4]!]! ^
      TABLE[512 + bytes[i + 5]!]! ^
      TABLE[256 + bytes[i + 6]!]! ^
      TABLE[bytes[i + 7]!]!;
  for (; i < to; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return crc;
}

/** Puts the checksum of a structure into it, at byte 4. */
export function seal(bytes: Uint8Array): Uint8Array {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, crc32c(bytes, 4), true);
  return bytes;
}

/** True when the checksum at byte 4 is right. */
export function isSealed(bytes: Uint8Array): boolean {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) === crc32c(bytes, 4);
}
