/**
 * Compression for image formats. A host may offer faster ones than the portable ones. Each decoder
 * fails when the data would become longer than `size` (a bomb) or end early (garbage).
 */
export interface Codecs {
  /** Raw deflate, RFC 1951. `size`: bytes that come out. */
  inflateRaw(from: Uint8Array, size: number): Promise<Uint8Array>;
  /** As {@link inflateRaw}, for data that may go on behind `size`: they are cut off there. */
  inflateRawStart?(from: Uint8Array, size: number): Promise<Uint8Array>;
  /** `windowBits` 9 to 15: the largest distance is 2^windowBits. Level 0 to 9. */
  deflateRaw(from: Uint8Array, level: number, windowBits: number): Promise<Uint8Array>;
  /** zlib, RFC 1950. */
  inflate(from: Uint8Array, size: number): Promise<Uint8Array>;
  /** zlib, RFC 1950. Level 0 to 9. */
  deflate(from: Uint8Array, level: number): Promise<Uint8Array>;
  /** Zstandard, RFC 8878; bytes after the frame are ignored. */
  zstdDecompress(from: Uint8Array, size: number): Promise<Uint8Array>;
  /** Absent where the host has no encoder. */
  zstdCompress?(from: Uint8Array, level: number): Promise<Uint8Array>;
}
