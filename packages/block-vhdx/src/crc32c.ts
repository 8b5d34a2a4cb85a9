/** Reflected polynomial of CRC-32C (Castagnoli). Source: RFC 3720, appendix B.4. */
const TABLE: Uint32Array = /* @__PURE__ */ makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    table[n] = c >>> 0;
  }
  return table;
}

/** CRC-32C of the bytes; four bytes from `zeroAt` on count as zero: where a structure keeps its own checksum. */
export function crc32c(bytes: Uint8Array, zeroAt: number): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    const byte = i >= zeroAt && i < zeroAt + 4 ? 0 : (bytes[i] ?? 0);
    crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
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
