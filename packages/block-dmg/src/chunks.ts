import { BlockError, Fields } from "@mimus/block";

const SECTOR = 512;
/** Bytes of a compressed chunk, on both sides. */
const MAX_CHUNK = 64 << 20;
const HEADER = 204;
const ENTRY = 40;

/** Kinds of chunks. Source: "Demystifying the DMG File Format" (J. Levin, 2013), table of block types. */
export const KIND = {
  zero: 0,
  raw: 1,
  ignore: 2,
  adc: 0x80000004,
  zlib: 0x80000005,
  bzip2: 0x80000006,
  lzfse: 0x80000007,
  lzma: 0x80000008,
  comment: 0x7ffffffe,
  end: 0xffffffff,
} as const;

/** Chunks in order of their place on the disk, as columns; bytes. */
export interface Chunks {
  readonly count: number;
  readonly start: Float64Array;
  readonly length: Float64Array;
  readonly offset: Float64Array;
  readonly packed: Float64Array;
  readonly kind: Uint32Array;
  /** Bytes of the disk: the end of the last chunk. */
  readonly size: number;
}

interface Chunk {
  start: number;
  length: number;
  offset: number;
  packed: number;
  kind: number;
}

/** Reads all block tables. `dataAt`: of the data fork; `fileSize` bounds every chunk. @throws BlockError */
export function parseChunks(tables: readonly Uint8Array[], filename: string, dataAt: number, fileSize: number): Chunks {
  const all: Chunk[] = [];
  for (const table of tables) parseTable(table, filename, dataAt, fileSize, all);
  all.sort((a, b) => a.start - b.start);
  for (const [i, chunk] of all.entries()) {
    const before = all[i - 1];
    if (before && before.start + before.length > chunk.start)
      throw new BlockError(
        "corrupt",
        `'${filename}': chunk at sector ${chunk.start / SECTOR} overlaps the one at sector ${before.start / SECTOR}`,
      );
  }
  const column = (key: keyof Chunk): Float64Array => Float64Array.from(all, (c) => c[key]);
  const last = all.at(-1);
  return {
    count: all.length,
    start: column("start"),
    length: column("length"),
    offset: column("offset"),
    packed: column("packed"),
    kind: Uint32Array.from(all, (c) => c.kind),
    size: last ? last.start + last.length : 0,
  };
}

function parseTable(bytes: Uint8Array, filename: string, dataAt: number, fileSize: number, out: Chunk[]): void {
  const f = new Fields(bytes, { filename, littleEndian: false });
  const first = f.u64(8, "mish first sector");
  const offset = f.u64(24, "mish data offset");
  const count = f.bound(
    "mish block count",
    f.u32(200, "mish block count"),
    0,
    Math.floor((bytes.length - HEADER) / ENTRY),
    200,
  );
  for (let i = 0; i < count; i++) {
    const at = HEADER + i * ENTRY;
    const kind = f.u32(at, "chunk type");
    if (kind === KIND.end) break;
    if (kind === KIND.comment) continue;
    const sectors = f.u64(at + 16, "chunk sectors");
    if (sectors === 0) continue;
    const start = first + f.u64(at + 8, "chunk first sector");
    const chunk: Chunk = {
      kind,
      start: start * SECTOR,
      length: sectors * SECTOR,
      offset: dataAt + offset + f.u64(at + 24, "chunk offset"),
      packed: f.u64(at + 32, "chunk length"),
    };
    f.bound("chunk end", chunk.start + chunk.length, 0, Number.MAX_SAFE_INTEGER, at + 8);
    if (kind === KIND.zero || kind === KIND.ignore) chunk.packed = 0;
    else checkStored(f, chunk, at, fileSize);
    out.push(chunk);
  }
}

function checkStored(f: Fields, chunk: Chunk, at: number, fileSize: number): void {
  f.bound("chunk offset", chunk.offset, 0, fileSize, at + 24);
  f.bound("chunk length", chunk.packed, 0, fileSize - chunk.offset, at + 32);
  if (chunk.kind === KIND.raw) {
    f.bound("raw chunk length", chunk.packed, chunk.length, fileSize, at + 32);
    return;
  }
  const { adc, zlib, bzip2, lzfse, lzma } = KIND;
  if (![adc, zlib, bzip2, lzfse, lzma].some((kind) => kind === chunk.kind))
    throw new BlockError(
      "unsupported-feature",
      `'${f.filename}': chunk type 0x${chunk.kind.toString(16)} is not supported`,
    );
  f.bound("chunk sectors", chunk.length / SECTOR, 1, MAX_CHUNK / SECTOR, at + 16);
  f.bound("chunk length", chunk.packed, 0, MAX_CHUNK, at + 32);
}
