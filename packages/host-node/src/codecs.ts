import { promisify } from "node:util";
import type zlib from "node:zlib";

import type { Codecs, FormatHost } from "@mimus/block";
import { DecodeError, inflateRawStart, zstdFrame } from "@mimus/compress";

/** Node's compression, with promises. */
interface Packers {
  readonly inflateRaw: (from: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;
  readonly inflate: (from: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;
  readonly deflateRaw: (from: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;
  readonly deflate: (from: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;
  readonly zstdDecompress: (from: Uint8Array, options: zlib.ZstdOptions) => Promise<Buffer>;
  readonly zstdCompress: (from: Uint8Array, options: zlib.ZstdOptions) => Promise<Buffer>;
  readonly level: number;
}

let packers: Packers | undefined;

// zlib and crypto take 12 ms to load, and most images need neither.
function pack(): Packers {
  if (packers) return packers;
  const z = process.getBuiltinModule("node:zlib");
  return (packers = {
    inflateRaw: promisify<Uint8Array, zlib.ZlibOptions, Buffer>(z.inflateRaw),
    inflate: promisify<Uint8Array, zlib.ZlibOptions, Buffer>(z.inflate),
    deflateRaw: promisify<Uint8Array, zlib.ZlibOptions, Buffer>(z.deflateRaw),
    deflate: promisify<Uint8Array, zlib.ZlibOptions, Buffer>(z.deflate),
    zstdDecompress: promisify<Uint8Array, zlib.ZstdOptions, Buffer>(z.zstdDecompress),
    zstdCompress: promisify<Uint8Array, zlib.ZstdOptions, Buffer>(z.zstdCompress),
    level: z.constants.ZSTD_c_compressionLevel,
  });
}

/** Node's own codecs: they run on its thread pool, several at a time. */
export const nodeCodecs: Codecs = {
  inflateRaw: (from, size) => exactly("deflate", size, pack().inflateRaw(from, bounded(size))),
  inflateRawStart: async (from, size) => inflateRawStart(from, size),
  deflateRaw: (from, level, windowBits) => pack().deflateRaw(from, { level, windowBits, chunkSize: room(from) }),
  inflate: (from, size) => exactly("zlib", size, pack().inflate(from, bounded(size))),
  deflate: (from, level) => pack().deflate(from, { level, chunkSize: room(from) }),
  zstdDecompress: async (from, size) =>
    exactly("zstd", size, pack().zstdDecompress(zstdFrame(from, size), bounded(size))),
  zstdCompress: (from, level) =>
    pack().zstdCompress(from, {
      params: { [pack().level]: level },
      pledgedSrcSize: from.length,
    }),
};

/** What image formats may ask of Node. `secret`: looks up `-object secret`; absent = no image that needs one opens. */
export function nodeFormatHost(secret?: FormatHost["secret"]): Partial<FormatHost> {
  return {
    codecs: nodeCodecs,
    random: (into) => void process.getBuiltinModule("node:crypto").randomFillSync(into),
    now: () => Date.now(),
    pbkdf2(hash, password, salt, iterations, length) {
      const { getHashes, pbkdf2 } = process.getBuiltinModule("node:crypto");
      if (!getHashes().includes(hash)) return undefined;
      return promisify(pbkdf2)(password, salt, iterations, length, hash).then(bytesOf);
    },
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    ...(secret ? { secret } : {}),
  };
}

/** Room for what hardly compresses: a result in one piece is one trip to the pool, which saves a fifth. */
function room(from: Uint8Array): number {
  return from.length + 128;
}

/** One piece of memory for the whole result, and never more than `size`. */
function bounded(size: number): { chunkSize: number; maxOutputLength: number } {
  return { chunkSize: Math.max(size, 64) + 64, maxOutputLength: Math.max(size, 1) };
}

async function exactly(format: string, size: number, work: Promise<Buffer>): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await work;
  } catch (e) {
    throw new DecodeError(format, e instanceof Error ? e.message : String(e));
  }
  if (bytes.length !== size)
    throw new DecodeError(format, `the data hold ${bytes.length} bytes where ${size} are wanted`);
  return bytesOf(bytes);
}

/** The same memory as a plain array: Buffer's slice() would not copy. */
function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
