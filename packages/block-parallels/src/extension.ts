import type { BitmapOps, BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";
import type { OtherSpace } from "./check.ts";
import type { Header } from "./header.ts";
import { md5 } from "./md5.ts";

const MAGIC: readonly [number, number] = [0xab234cef, 0x23dcea87];
const DIRTY_BITMAP: readonly [number, number] = [0x20385fae, 0x252cb34a];
/** Largest cluster whose extension is read. */
const MOST_CLUSTER_BYTES = 16 << 20;
const MOST_BITMAPS = 1024;
const MOST_BITMAP_BYTES = 64 << 20;

/** A bitmap of the extension: a piece of a cluster for each entry of its table. */
export interface StoredBitmap {
  readonly id: string;
  /** Bytes of disk for each bit. */
  readonly granularity: number;
  readonly diskBytes: number;
  /** For each piece 0 (no bit is set), 1 (all are), or the sector where it lies. */
  readonly pieces: readonly number[];
}

/**
 * Reads the format extension: dirty bitmaps.
 * Source: QEMU documentation, "Parallels Expandable Image File Format", "Format Extension".
 * @throws BlockError "corrupt"
 */
export async function readExtension(file: BlockNode, header: Header, filename: string): Promise<StoredBitmap[]> {
  const { extensionAt, clusterBytes } = header;
  if (clusterBytes > MOST_CLUSTER_BYTES)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': extension in clusters of ${clusterBytes} bytes, at most ${MOST_CLUSTER_BYTES}`,
    );
  if (extensionAt + clusterBytes > file.size)
    throw new BlockError(
      "corrupt",
      `'${filename}': extension offset ${extensionAt} must lie a cluster before the end (${file.size})`,
      { at: 56 },
    );
  const bytes = new Uint8Array(clusterBytes);
  await file.read(extensionAt, bytes);
  const f = new Fields(bytes, { filename, littleEndian: true, base: extensionAt });
  if (!is(f.halves(0, "extension magic"), MAGIC))
    throw f.wrong("extension magic", "", "is not the one of an extension", 0);
  const sum = md5(bytes.subarray(24));
  if (!sum.every((b, i) => b === bytes[8 + i]))
    throw f.wrong("extension checksum", "", "does not match its content", 8);
  const bitmaps: StoredBitmap[] = [];
  for (let at = 24; at + 24 <= bytes.length;) {
    const magic = f.halves(at, "section magic");
    if (magic[0] === 0 && magic[1] === 0) break;
    const length = f.u32(at + 16, "section length");
    if (at + 24 + length > bytes.length)
      throw f.wrong("section length", String(length), "must end inside the extension", at + 16);
    if (is(magic, DIRTY_BITMAP)) {
      if (bitmaps.length >= MOST_BITMAPS)
        throw f.wrong("bitmaps", String(bitmaps.length + 1), `must be at most ${MOST_BITMAPS}`);
      bitmaps.push(parseBitmap(f, at + 24, length, header));
    } else if (f.u32(at + 8, "section flags") & 1)
      throw new BlockError(
        "unsupported-feature",
        `'${filename}': a section of the extension is required and not known`,
        {
          at: extensionAt + at,
        },
      );
    at += 24 + Math.ceil(length / 8) * 8;
  }
  return bitmaps;
}

function parseBitmap(f: Fields, at: number, length: number, header: Header): StoredBitmap {
  const diskBytes = f.bound("bitmap sectors", f.u64(at, "bitmap sectors"), 0, 2 ** 44, at) * 512;
  const granularity = f.u32(at + 24, "bitmap granularity") * 512;
  const count = f.u32(at + 28, "bitmap pieces");
  if (granularity === 0 || (granularity & (granularity - 1)) !== 0)
    throw f.wrong("bitmap granularity", String(granularity), "must be a power of two", at + 24);
  if (32 + count * 8 > length) throw f.wrong("bitmap pieces", String(count), "must lie inside the section", at + 28);
  const bits = Math.ceil(diskBytes / granularity);
  const needed = Math.ceil(bits / 8 / header.clusterBytes);
  if (count < needed) throw f.wrong("bitmap pieces", String(count), `must be at least ${needed}`, at + 28);
  const pieces = Array.from({ length: count }, (_, i) => f.u64(at + 32 + i * 8, "bitmap piece"));
  return { id: uuid(f.slice(at + 8, 16, "bitmap id")), granularity, diskBytes, pieces };
}

/** Where extension and bitmaps lie. */
export function spaceOf(header: Header, bitmaps: readonly StoredBitmap[]): OtherSpace[] {
  const bytes = header.clusterBytes;
  const pieces = bitmaps.flatMap((b) => b.pieces.filter((p) => p > 1).map((p) => ({ at: p * 512, bytes })));
  return [{ at: header.extensionAt, bytes }, ...pieces];
}

/** The bitmaps as an image gives them: they can be read. */
export function bitmapOps(
  file: BlockNode,
  header: Header,
  bitmaps: readonly StoredBitmap[],
  filename: string,
): BitmapOps {
  const refuse = async (): Promise<never> => {
    throw new BlockError("unsupported-feature", `'${filename}': bitmaps of Parallels images can only be read`);
  };
  return {
    list: async () => bitmaps.map((b) => ({ name: b.id, granularity: b.granularity, auto: false, inUse: false })),
    async load(name) {
      const bitmap = bitmaps.find((b) => b.id === name);
      if (!bitmap) throw new BlockError("not-found", `'${filename}' has no bitmap '${name}'`);
      return loadBitmap(file, header, bitmap, filename);
    },
    add: refuse,
    remove: refuse,
    store: refuse,
    setAuto: refuse,
  };
}

async function loadBitmap(file: BlockNode, header: Header, b: StoredBitmap, filename: string): Promise<Uint8Array> {
  const bytes = Math.ceil(b.diskBytes / b.granularity / 8);
  if (bytes > MOST_BITMAP_BYTES)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': bitmap of ${bytes} bytes, at most ${MOST_BITMAP_BYTES}`,
    );
  const out = new Uint8Array(bytes);
  for (const [i, piece] of b.pieces.entries()) {
    const part = out.subarray(i * header.clusterBytes, (i + 1) * header.clusterBytes);
    if (piece === 1) part.fill(0xff);
    else if (piece > 1) {
      if (piece * 512 + part.length > file.size)
        throw new BlockError(
          "corrupt",
          `'${filename}': bitmap piece at sector ${piece} must lie inside the file (${file.size} bytes)`,
        );
      await file.read(piece * 512, part);
    }
  }
  return out;
}

function uuid(b: Uint8Array): string {
  const h = [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

function is(halves: readonly [number, number], wanted: readonly [number, number]): boolean {
  return halves[0] === wanted[0] && halves[1] === wanted[1];
}
