import { decompress } from "fzstd";
import { deflateSync, inflateSync, unzlibSync, zlibSync } from "fflate";
import type { Codecs } from "./codecs.ts";

type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Codecs in plain JavaScript, for hosts without their own. Zstandard is only decoded. */
export const portable: Codecs = {
  inflateRaw: async (from, size) => exactly(inflateSync(from, { out: new Uint8Array(size) }), size),
  deflateRaw: async (from, level) => deflateSync(from, { level: level as Level }),
  inflate: async (from, size) => exactly(unzlibSync(from, { out: new Uint8Array(size) }), size),
  deflate: async (from, level) => zlibSync(from, { level: level as Level }),
  zstdDecompress: async (from, size) => exactly(decompress(from, new Uint8Array(size)), size),
};

function exactly(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length !== size)
    throw new RangeError(`compressed data hold ${bytes.length} bytes where ${size} are wanted`);
  return bytes;
}
