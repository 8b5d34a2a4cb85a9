/** Geometry of one flash chip. */
export interface ChipGeometry {
  /** Bytes of the chip. */
  readonly size: number;
  /** Bytes of one erase block of the chip. */
  readonly blockSize: number;
  /** log2 of the write buffer, bytes. */
  readonly bufferBits: number;
}

/**
 * The answers to a CFI query, byte by byte from query address 0.
 * Source: JEDEC JESD68.01, "Common Flash Interface", section 4; Intel command set 0001h, extended table version 1.0.
 */
export function cfiTable({ size, blockSize, bufferBits }: ChipGeometry): Uint8Array {
  const table = new Uint8Array(0x52);
  const blocks = size / blockSize - 1;
  const unit = blockSize / 256;
  const put = (at: number, ...bytes: number[]): void => table.set(bytes, at);
  put(0x10, 0x51, 0x52, 0x59); // "QRY"
  put(0x13, 0x01, 0x00, 0x31, 0x00); // command set 0001h, its extended table at 31h; no alternate
  put(0x1b, 0x45, 0x55, 0x00, 0x00); // supply 4.5 to 5.5 V, no programming supply
  put(0x1f, 0x07, 0x07, 0x0a, 0x00); // typical times: program 128 us, buffer 128 us, block erase 1 s
  put(0x23, 0x04, 0x04, 0x04, 0x00); // maximum: 16 times typical
  put(0x27, Math.log2(size));
  put(0x28, 0x02, 0x00); // x8/x16
  put(0x2a, bufferBits, 0x00);
  put(0x2c, 0x01); // one erase region
  put(0x2d, blocks & 0xff, blocks >>> 8, unit & 0xff, unit >>> 8);
  put(0x31, 0x50, 0x52, 0x49, 0x31, 0x30); // "PRI10"
  put(0x3a, 0x00, 0x00, 0x00, 0x00); // no optional features, nothing after suspend
  put(0x3f, 0x01); // one protection field
  return table;
}
