import type { Codecs, FormatHost } from "@mimus/block";
import { DecodeError, inflateRawStart, zstdFrame } from "@mimus/compress";
import { getHashes, pbkdf2 as nodePbkdf2, randomFillSync } from "node:crypto";
import { promisify } from "node:util";
import zlib from "node:zlib";

const inflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflateRaw);
const inflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate);
const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);
const deflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflate);
const zstdDecompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
const zstdCompress = promisify<zlib.InputType, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
const derive = promisify(nodePbkdf2);

/** Node's own codecs: they run on its thread pool, several at a time. */
export const nodeCodecs: Codecs = {
  inflateRaw: (from, size) => exactly("deflate", size, inflateRaw(from, bounded(size))),
  inflateRawStart: async (from, size) => inflateRawStart(from, size),
  deflateRaw: (from, level, windowBits) => deflateRaw(from, { level, windowBits, chunkSize: room(from) }),
  inflate: (from, size) => exactly("zlib", size, inflate(from, bounded(size))),
  deflate: (from, level) => deflate(from, { level, chunkSize: room(from) }),
  zstdDecompress: async (from, size) => exactly("zstd", size, zstdDecompress(zstdFrame(from, size), bounded(size))),
  zstdCompress: (from, level) =>
    zstdCompress(from, {
      params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: from.length,
    }),
};

/** What image formats may ask of Node. `secret`: looks up `-object secret`; absent = no image that needs one opens. */
export function nodeFormatHost(secret?: FormatHost["secret"]): Partial<FormatHost> {
  return {
    codecs: nodeCodecs,
    random: (into) => void randomFillSync(into),
    now: () => Date.now(),
    pbkdf2: (hash, password, salt, iterations, length) =>
      HASHES.has(hash) ? derive(password, salt, iterations, length, hash).then(bytesOf) : undefined,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    ...(secret ? { secret } : {}),
  };
}

const HASHES: ReadonlySet<string> = new Set(getHashes());

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
