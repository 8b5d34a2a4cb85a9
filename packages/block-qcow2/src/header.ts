import { BlockError, Fields } from "@mimus/block";
import * as c from "./constants.ts";

/** The header of an image, mutable: what the next rewrite puts into the file. Offsets and sizes in bytes. */
export interface Header {
  version: 2 | 3;
  backingAt: number;
  backingLength: number;
  clusterBits: number;
  size: number;
  crypt: number;
  l1Size: number;
  l1At: number;
  refcountTableAt: number;
  refcountTableClusters: number;
  snapshots: number;
  snapshotsAt: number;
  incompatible: number;
  compatible: readonly [number, number];
  autoclear: readonly [number, number];
  refcountOrder: number;
  headerLength: number;
  /** 0 zlib, 1 zstd. */
  compressionType: number;
  /** Bytes of a longer header than this package knows, kept as they are. */
  rest: Uint8Array;
}

/** Length of the version 3 header with all fields that this package knows. */
export const HEADER_LENGTH = 112;

/** Reads and checks the fixed part of the header. Source: qcow2 specification, "Header". */
export function parseHeader(head: Uint8Array, filename: string): Header {
  if (head.length < 8 || new Fields(head, { filename, littleEndian: false }).u32(0, "magic") !== c.MAGIC)
    throw new BlockError("not-this-format", `'${filename}': magic is not that of a qcow2 image`, { at: 0 });
  const f = new Fields(head, { filename, littleEndian: false });
  const version = f.u32(4, "version");
  if (version !== 2 && version !== 3)
    throw new BlockError("unsupported-feature", `'${filename}': version ${version} must be 2 or 3`, { at: 4 });
  const clusterBits = f.bound("cluster_bits", f.u32(20, "cluster_bits"), 9, 21, 20);
  const crypt = f.u32(32, "crypt_method");
  if (crypt > c.CRYPT_LUKS)
    throw new BlockError("unsupported-feature", `'${filename}': crypt_method ${crypt} must be 0 to 2`, { at: 32 });
  const h: Header = {
    version,
    backingAt: f.u64(8, "backing_file_offset"),
    backingLength: f.u32(16, "backing_file_size"),
    clusterBits,
    size: f.u64(24, "size"),
    crypt,
    l1Size: f.bound("l1_size", f.u32(36, "l1_size"), 0, c.MAX_L1_BYTES / 8, 36),
    l1At: f.u64(40, "l1_table_offset"),
    refcountTableAt: f.u64(48, "refcount_table_offset"),
    refcountTableClusters: f.u32(56, "refcount_table_clusters"),
    snapshots: f.bound("nb_snapshots", f.u32(60, "nb_snapshots"), 0, c.MAX_SNAPSHOTS, 60),
    snapshotsAt: f.u64(64, "snapshots_offset"),
    incompatible: 0,
    compatible: [0, 0],
    autoclear: [0, 0],
    refcountOrder: 4,
    headerLength: 72,
    compressionType: 0,
    rest: new Uint8Array(0),
  };
  if (version === 3) readVersion3(h, f);
  checkTables(h, f);
  return h;
}

function readVersion3(h: Header, f: Fields): void {
  const clusterSize = 2 ** h.clusterBits;
  const [high, low] = f.halves(72, "incompatible_features");
  h.compatible = f.halves(80, "compatible_features");
  h.autoclear = f.halves(88, "autoclear_features");
  h.refcountOrder = f.bound("refcount_order", f.u32(96, "refcount_order"), 0, 6, 96);
  h.headerLength = f.bound("header_length", f.u32(100, "header_length"), 104, clusterSize, 100);
  if (high !== 0 || (low & ~c.INCOMPAT_KNOWN) !== 0)
    throw new BlockError(
      "unsupported-feature",
      `'${f.filename}': incompatible_features has unknown bits 0x${hex(high)}${hex((low & ~c.INCOMPAT_KNOWN) >>> 0)}`,
      { at: 72 },
    );
  h.incompatible = low;
  if (h.headerLength > 104) {
    h.compressionType = f.u8(104, "compression_type");
    const end = Math.min(h.headerLength, f.bytes.length);
    if (end > HEADER_LENGTH) h.rest = f.bytes.slice(HEADER_LENGTH, end);
  }
  const announced = (low & c.INCOMPAT_COMPRESSION) !== 0;
  if (h.compressionType > 1 || announced !== (h.compressionType !== 0))
    throw new BlockError(
      "unsupported-feature",
      `'${f.filename}': compression_type ${h.compressionType} must be 0 (zlib), or 1 (zstd) with its feature bit`,
      { at: 104 },
    );
  if ((low & c.INCOMPAT_EXTENDED_L2) !== 0 && h.clusterBits < 14)
    throw f.wrong("cluster_bits", String(h.clusterBits), "must be 14 to 21 with extended L2 entries", 20);
}

function checkTables(h: Header, f: Fields): void {
  const clusterSize = 2 ** h.clusterBits;
  const limit = 2 ** 53;
  f.aligned("l1_table_offset", h.l1At, clusterSize, 40);
  f.bound("l1_table_offset", h.l1At, 0, limit - h.l1Size * 8, 40);
  const most = c.MAX_REFCOUNT_TABLE_BYTES / clusterSize;
  f.bound("refcount_table_clusters", h.refcountTableClusters, 1, Math.max(1, most), 56);
  f.aligned("refcount_table_offset", h.refcountTableAt, clusterSize, 48);
  f.bound("refcount_table_offset", h.refcountTableAt, clusterSize, limit - c.MAX_REFCOUNT_TABLE_BYTES, 48);
  f.aligned("snapshots_offset", h.snapshotsAt, clusterSize, 64);
  f.bound("snapshots_offset", h.snapshotsAt, 0, limit - c.MAX_SNAPSHOT_TABLE_BYTES, 64);
  const needed = l1EntriesFor(h, h.size);
  if (needed > c.MAX_L1_BYTES / 8) throw f.wrong("size", String(h.size), "is more than an L1 table can map", 24);
  if (h.l1Size < needed)
    throw f.wrong("l1_size", String(h.l1Size), `must be at least ${needed} for the disk's size`, 36);
  if (h.backingAt > 0) {
    f.bound("backing_file_size", h.backingLength, 0, c.MAX_BACKING_NAME, 16);
    const last = clusterSize - h.backingLength;
    f.bound("backing_file_offset", h.backingAt, h.headerLength, last, 8);
  }
}

/** Bytes of disk that one L2 table maps. */
export function l2Coverage(h: Pick<Header, "clusterBits" | "incompatible">): number {
  const entry = (h.incompatible & c.INCOMPAT_EXTENDED_L2) !== 0 ? 4 : 3;
  return 2 ** (2 * h.clusterBits - entry);
}

/** L1 entries that a disk of `size` bytes needs. */
export function l1EntriesFor(h: Pick<Header, "clusterBits" | "incompatible">, size: number): number {
  return Math.ceil(size / l2Coverage(h));
}

/** Writes the fixed part of the header at the start of `into`. */
export function encodeHeader(h: Header, into: Uint8Array): void {
  const v = new DataView(into.buffer, into.byteOffset, into.byteLength);
  const u64 = (at: number, value: number): void => {
    v.setUint32(at, Math.floor(value / 2 ** 32));
    v.setUint32(at + 4, value >>> 0);
  };
  v.setUint32(0, c.MAGIC);
  v.setUint32(4, h.version);
  u64(8, h.backingAt);
  v.setUint32(16, h.backingLength);
  v.setUint32(20, h.clusterBits);
  u64(24, h.size);
  v.setUint32(32, h.crypt);
  v.setUint32(36, h.l1Size);
  u64(40, h.l1At);
  u64(48, h.refcountTableAt);
  v.setUint32(56, h.refcountTableClusters);
  v.setUint32(60, h.snapshots);
  u64(64, h.snapshotsAt);
  if (h.version === 2) return;
  v.setUint32(76, h.incompatible);
  v.setUint32(80, h.compatible[0]);
  v.setUint32(84, h.compatible[1]);
  v.setUint32(88, h.autoclear[0]);
  v.setUint32(92, h.autoclear[1]);
  v.setUint32(96, h.refcountOrder);
  v.setUint32(100, h.headerLength);
  if (h.headerLength > 104) into[104] = h.compressionType;
  into.set(h.rest, HEADER_LENGTH);
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}
