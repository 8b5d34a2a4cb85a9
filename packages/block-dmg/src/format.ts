import type { BlockFormat, BlockNode, BlockStatus, FormatContext } from "@mimus/block";
import { BlockError, ChunkCache, defineFormat, ReadOnlyNode } from "@mimus/block";
import { adcDecompress, bzip2Decompress, lzfseDecompress, xzDecompress } from "@mimus/compress";
import { z } from "zod";
import type { Chunks } from "./chunks.ts";
import { KIND, parseChunks } from "./chunks.ts";
import { blockTables } from "./tables.ts";
import { lastKoly, readTrailer, TRAILER } from "./trailer.ts";

/** Apple's disk image (UDIF): read only. */
export const dmg: BlockFormat = defineFormat({
  name: "dmg",
  summary: "Apple disk image, UDIF (read only)",
  options: z.strictObject({}),
  probe: (head, filename) => (/\.dmg$/i.test(filename) ? 2 : lastKoly(head) >= 0 ? 2 : 0),
  async open(file, _options, ctx) {
    if (file.size < TRAILER)
      throw new BlockError("not-this-format", `'${ctx.filename}': ${file.size} bytes hold no koly block`);
    const trailer = await readTrailer(file, ctx.filename);
    const tables = await blockTables(file, trailer, ctx.filename);
    return new DmgNode(file, ctx, parseChunks(tables, ctx.filename, trailer.dataAt, file.size));
  },
});

/** A list of chunks, each stored, zero or compressed in its own way; between them are zeroes. */
class DmgNode extends ReadOnlyNode {
  readonly #ctx: FormatContext;
  readonly #chunks: Chunks;
  readonly #cache: ChunkCache = new ChunkCache();

  constructor(file: BlockNode, ctx: FormatContext, chunks: Chunks) {
    super(file, ctx, "dmg", chunks.size);
    this.#ctx = ctx;
    this.#chunks = chunks;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const { start, kind, offset } = this.#chunks;
    for (let done = 0; done < into.length;) {
      const { chunk, length } = this.#find(at + done, into.length - done);
      const part = into.subarray(done, done + length);
      const from = at + done - (chunk === undefined ? 0 : start[chunk]!);
      if (chunk === undefined || kind[chunk] === KIND.zero || kind[chunk] === KIND.ignore) part.fill(0);
      else if (kind[chunk] === KIND.raw) await this.file.read(offset[chunk]! + from, part);
      else {
        const bytes = await this.#cache.get(chunk, () => this.#decode(chunk));
        part.set(bytes.subarray(from, from + length));
      }
      done += length;
    }
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const found = this.#find(at, length);
    const kind = found.chunk === undefined ? KIND.zero : this.#chunks.kind[found.chunk];
    const zero = kind === KIND.zero || kind === KIND.ignore;
    if (zero) return { length: found.length, allocated: true, zero: true, data: false };
    const stored = { length: found.length, allocated: true, zero: false, data: true };
    if (kind !== KIND.raw) return { ...stored, compressed: true };
    const chunk = found.chunk!;
    return { ...stored, offset: this.#chunks.offset[chunk]! + at - this.#chunks.start[chunk]!, file: this.file };
  }

  /** The chunk at an offset (none in a gap) and how far it reaches, at most `most`. */
  #find(at: number, most: number): { chunk: number | undefined; length: number } {
    const { start, length, count } = this.#chunks;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (start[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    const chunk = low - 1;
    const end = chunk < 0 ? 0 : start[chunk]! + length[chunk]!;
    if (at < end) return { chunk, length: Math.min(most, end - at) };
    return { chunk: undefined, length: Math.min(most, (start[low] ?? this.size) - at) };
  }

  async #decode(chunk: number): Promise<Uint8Array> {
    const { length, offset, packed, kind } = this.#chunks;
    const bytes = new Uint8Array(packed[chunk]!);
    await this.file.read(offset[chunk]!, bytes);
    const size = length[chunk]!;
    try {
      if (kind[chunk] === KIND.zlib) return await this.#ctx.host.codecs.inflate(bytes, size);
      if (kind[chunk] === KIND.bzip2) return bzip2Decompress(bytes, size);
      if (kind[chunk] === KIND.lzfse) return lzfseDecompress(bytes, size);
      return kind[chunk] === KIND.lzma ? xzDecompress(bytes, size) : adcDecompress(bytes, size);
    } catch (e) {
      const why = e instanceof Error ? e.message : String(e);
      throw new BlockError("corrupt", `'${this.filename}': chunk ${chunk} at ${offset[chunk]}: ${why}`, {
        at: offset[chunk]!,
        cause: e,
      });
    }
  }
}
