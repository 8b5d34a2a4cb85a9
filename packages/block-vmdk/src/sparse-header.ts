import { BlockError, Fields } from "@mimus/block";

/** Bytes of a sector, the unit of all offsets and sizes of the format. */
export const SECTOR = 512;
/** Bytes of the header of a hosted sparse extent. */
export const HEADER_BYTES = 512;
/** Each half of `gdOffset` of a stream: the footer at the end of the file has the real one. */
const GD_AT_END = 0xffffffff;

/** Bits of `flags`. */
const FLAG_NEWLINES = 1;
const FLAG_REDUNDANT = 2;
const FLAG_ZEROED_GRAINS = 4;
const FLAG_COMPRESSED: number = 1 << 16;
const FLAG_MARKERS: number = 1 << 17;

/** `compressAlgorithm`: none, or deflate in zlib's wrapping. */
const DEFLATE = 1;

/** Most grain tables of an extent, as QEMU bounds them. */
export const MOST_TABLES: number = 32 << 20;
/** Most entries of a grain table, and sectors of a grain. */
const MOST_ENTRIES = 512;
const MOST_GRAIN = 0x200000;
/** Sectors of a compressed grain, which is held in memory. */
const MOST_COMPRESSED_GRAIN = 0x20000;

/** Where the grains of a sparse extent are, whatever its kind. All in bytes but the counts. */
export interface SparseLayout {
  readonly size: number;
  readonly grain: number;
  /** Entries of a grain table. */
  readonly entries: number;
  /** Grain tables. */
  readonly tables: number;
  readonly directoryAt: number;
  /** A second directory with tables of its own, of which each is a copy. */
  readonly copyAt?: number | undefined;
  readonly compressed: boolean;
  readonly markers: boolean;
  readonly zeroedGrains: boolean;
  /** What else lies in the file: no grain can be there. */
  readonly metadata: readonly Metadata[];
}

/** A part of the file that is not the disk's. */
export interface Metadata {
  readonly what: string;
  readonly at: number;
  readonly bytes: number;
}

/** Header of a hosted sparse extent. Source: VMware, "Virtual Disk Format 5.0", "Hosted Sparse Extent Header". */
export interface SparseHeader extends SparseLayout {
  readonly version: number;
  readonly flags: number;
  /** Bytes; 0 and 0 without an embedded descriptor. */
  readonly descriptorAt: number;
  readonly descriptorBytes: number;
  /** First byte behind the metadata. */
  readonly overhead: number;
  /** The directory is named by the footer. */
  readonly footer: boolean;
}

/** Reads and bounds the header (or, in a stream, the footer). @throws BlockError */
export function parseSparseHeader(bytes: Uint8Array, filename: string, base = 0): SparseHeader {
  const f = new Fields(bytes, { filename, littleEndian: true, base });
  const version = f.u32(4, "version");
  if (version < 1 || version > 3)
    throw new BlockError("unsupported-feature", `'${filename}': VMDK version ${version} must be 1 to 3`, {
      at: base + 4,
    });
  const flags = f.u32(8, "flags");
  const compressed = (flags & FLAG_COMPRESSED) !== 0;
  if (compressed) f.bound("compressAlgorithm", f.u16(77, "compressAlgorithm"), DEFLATE, DEFLATE, 77);
  const size = sectors(f, 12, "capacity");
  const grainSectors = grainOf(f, f.u64(20, "grainSize"), 20, compressed);
  const entries = f.bound("numGTEsPerGT", f.u32(44, "numGTEsPerGT"), 1, MOST_ENTRIES, 44);
  const grain = grainSectors * SECTOR;
  const tables = f.bound("capacity (grain tables)", Math.ceil(size / (grain * entries)), 0, MOST_TABLES, 12);
  const [gdHigh, gdLow] = f.halves(56, "gdOffset");
  const footer = gdLow === GD_AT_END && gdHigh === GD_AT_END;
  const redundant = (flags & FLAG_REDUNDANT) !== 0 && f.u64(48, "rgdOffset") > 0;
  const descriptorAt = sectors(f, 28, "descriptorOffset");
  const descriptorBytes = sectors(f, 36, "descriptorSize");
  return {
    version,
    flags,
    size,
    grain,
    entries,
    tables,
    directoryAt: footer ? 0 : sectors(f, 56, "gdOffset"),
    copyAt: redundant && !footer ? sectors(f, 48, "rgdOffset") : undefined,
    compressed,
    markers: (flags & FLAG_MARKERS) !== 0,
    zeroedGrains: (flags & FLAG_ZEROED_GRAINS) !== 0,
    metadata: [
      { what: "header", at: 0, bytes: HEADER_BYTES },
      { what: "descriptor", at: descriptorAt, bytes: descriptorBytes },
    ],
    descriptorAt,
    descriptorBytes,
    overhead: sectors(f, 64, "overHead"),
    footer,
  };
}

/** A number of sectors, as bytes. */
function sectors(f: Fields, at: number, field: string): number {
  const value = f.u64(at, field);
  return f.bound(field, value, 0, Math.floor(Number.MAX_SAFE_INTEGER / SECTOR), at) * SECTOR;
}

/** Bounds the sectors of a grain. */
export function grainOf(f: Fields, value: number, at: number, compressed: boolean): number {
  f.bound("grainSize", value, 1, compressed ? MOST_COMPRESSED_GRAIN : MOST_GRAIN, at);
  if (!Number.isInteger(Math.log2(value))) throw f.wrong("grainSize", String(value), "must be a power of two", at);
  return value;
}

/** How a new sparse extent is laid out. */
export interface NewSparse {
  readonly size: number;
  readonly compressed: boolean;
  readonly zeroedGrains: boolean;
  /** Sectors kept for an embedded descriptor; 0 = none. */
  readonly descriptorSectors: number;
}

/** Sectors of the parts of a new sparse extent, in the order of the file. */
export interface NewSparsePlan {
  readonly tables: number;
  readonly directorySectors: number;
  readonly copySector: number;
  readonly directorySector: number;
  readonly overheadSectors: number;
}

/** Sectors of a grain and entries of a table in new images; a table fills this many sectors. */
const NEW_GRAIN = 128;
const NEW_ENTRIES = 512;
export const TABLE_SECTORS: number = (NEW_ENTRIES * 4) / SECTOR;

/** Where the parts of a new sparse extent go. */
export function planSparse(extent: NewSparse): NewSparsePlan {
  const tables = Math.ceil(Math.ceil(extent.size / (NEW_GRAIN * SECTOR)) / NEW_ENTRIES);
  const directorySectors = Math.ceil((tables * 4) / SECTOR);
  const copySector = 1 + extent.descriptorSectors;
  const directorySector = copySector + directorySectors + tables * TABLE_SECTORS;
  const end = directorySector + directorySectors + tables * TABLE_SECTORS;
  return {
    tables,
    directorySectors,
    copySector,
    directorySector,
    overheadSectors: Math.ceil(end / NEW_GRAIN) * NEW_GRAIN,
  };
}

/** The header of a new sparse extent. */
export function buildSparseHeader(extent: NewSparse, plan: NewSparsePlan): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const u64 = (at: number, value: number): void => {
    u32(at, value >>> 0);
    u32(at + 4, Math.floor(value / 2 ** 32));
  };
  bytes.set([0x4b, 0x44, 0x4d, 0x56]);
  u32(4, extent.compressed ? 3 : extent.zeroedGrains ? 2 : 1);
  const stream = extent.compressed ? FLAG_COMPRESSED | FLAG_MARKERS : 0;
  u32(8, FLAG_NEWLINES | FLAG_REDUNDANT | stream | (extent.zeroedGrains ? FLAG_ZEROED_GRAINS : 0));
  u64(12, Math.ceil(extent.size / SECTOR));
  u64(20, NEW_GRAIN);
  u64(28, extent.descriptorSectors > 0 ? 1 : 0);
  u64(36, extent.descriptorSectors);
  u32(44, NEW_ENTRIES);
  u64(48, plan.copySector);
  u64(56, plan.directorySector);
  u64(64, plan.overheadSectors);
  bytes.set([0x0a, 0x20, 0x0d, 0x0a], 73);
  view.setUint16(77, extent.compressed ? DEFLATE : 0, true);
  return bytes;
}
