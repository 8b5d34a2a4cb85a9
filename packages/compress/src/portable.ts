import type { Codecs } from "./codecs.ts";
import { deflateRawWithin, deflateZlib } from "./deflate.ts";
import { inflateRaw, inflateRawStart, inflateZlib } from "./inflate.ts";
import { zstdDecompress } from "./zstd.ts";

/** Codecs in plain JavaScript, for hosts without their own. Zstandard is only decoded. */
export const portable: Codecs = {
  inflateRaw: async (from, size) => inflateRaw(from, size),
  inflateRawStart: async (from, size) => inflateRawStart(from, size),
  deflateRaw: async (from, level, windowBits) => deflateRawWithin(from, level, windowBits),
  inflate: async (from, size) => inflateZlib(from, size),
  deflate: async (from, level) => deflateZlib(from, level),
  zstdDecompress: async (from, size) => zstdDecompress(from, size),
};
