import type { Codecs } from "./codecs.ts";
import { inflateRaw, inflateZlib } from "./inflate.ts";

type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** Codecs in plain JavaScript, for hosts without their own. Zstandard is only decoded. Libraries are loaded at first use. */
export const portable: Codecs = {
  inflateRaw: async (from, size) => inflateRaw(from, size),
  deflateRaw: async (from, level) => (await import("fflate")).deflateSync(from, { level: level as Level }),
  inflate: async (from, size) => inflateZlib(from, size),
  deflate: async (from, level) => (await import("fflate")).zlibSync(from, { level: level as Level }),
  zstdDecompress: async (from, size) => (await import("./zstd.ts")).zstdDecompress(from, size),
};
