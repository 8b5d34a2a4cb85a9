import { BlockError, Fields } from "@mimus/block";

// Source: Bochs documentation, "Harddisk images", growing mode; measured on images of bximage 2.x.

/** Bytes of the header. */
export const HEADER = 512;
const MAX_CATALOG = 1 << 20;
const MIN_EXTENT = 512;
const MAX_EXTENT = 8 << 20;
const TEXTS = [
  [0, "Bochs Virtual HD Image"],
  [32, "Redolog"],
  [48, "Growing"],
] as const;

/** A growing redolog's header, inside its bounds. Sizes in bytes. */
export interface BochsHeader {
  /** Where the catalog begins. */
  readonly catalogAt: number;
  /** Entries of the catalog. */
  readonly entries: number;
  /** Sectors of the bitmap before each extent. */
  readonly bitmapSectors: number;
  readonly extent: number;
  readonly size: number;
}

/** True for the header of a growing image in version 1 or 2. */
export function isBochs(head: Uint8Array): boolean {
  if (head.length < 72) return false;
  for (const [at, text] of TEXTS)
    for (let i = 0; i <= text.length; i++) if (head[at + i] !== (text.charCodeAt(i) || 0)) return false;
  const version = head[66]!;
  return head[64] === 0 && head[65] === 0 && head[67] === 0 && (version === 1 || version === 2);
}

/** Reads and checks the header. @throws BlockError */
export function parseHeader(bytes: Uint8Array, filename: string, fileSize: number): BochsHeader {
  if (!isBochs(bytes)) throw new BlockError("not-this-format", `'${filename}': no header of a growing Bochs image`);
  const f = new Fields(bytes, { filename, littleEndian: true });
  const version = f.u32(64, "version") >>> 16;
  const header = f.bound("header size", f.u32(68, "header size"), HEADER, 1 << 16, 68);
  const entries = f.bound("catalog size", f.u32(72, "catalog size"), 1, MAX_CATALOG, 72);
  const bitmap = f.bound("bitmap size", f.u32(76, "bitmap size"), 1, MAX_EXTENT / 512 / 8, 76);
  const extent = f.bound("extent size", f.u32(80, "extent size"), MIN_EXTENT, MAX_EXTENT, 80);
  if ((extent & (extent - 1)) !== 0) throw f.wrong("extent size", String(extent), "must be a power of two", 80);
  if (bitmap * 8 * 512 < extent)
    throw f.wrong(
      "bitmap size",
      String(bitmap),
      `must be at least ${Math.ceil(extent / 4096)} for extents of ${extent}`,
      76,
    );
  const at = version === 1 ? 84 : 88;
  const size = f.u64(at, "disk size");
  if (entries < Math.ceil(size / extent))
    throw f.wrong(
      "catalog size",
      String(entries),
      `must be at least ${Math.ceil(size / extent)} for this disk size`,
      72,
    );
  if (header + entries * 4 > Math.ceil(fileSize / 512) * 512)
    throw f.wrong("catalog size", String(entries), `must end inside the file of ${fileSize} bytes`, 72);
  return {
    catalogAt: header,
    entries,
    bitmapSectors: Math.ceil(bitmap / 512),
    extent,
    size: Math.floor(size / 512) * 512,
  };
}
