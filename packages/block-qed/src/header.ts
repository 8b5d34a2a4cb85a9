import { BlockError, Fields } from "@mimus/block";

/** Bytes of the header's fields; the backing file's name may follow anywhere in the header's clusters. */
export const HEADER_BYTES = 64;
/** Bits of `features`. */
export const FEATURE_BACKING = 1;
export const FEATURE_NEED_CHECK = 2;
export const FEATURE_BACKING_RAW = 4;
const KNOWN_FEATURES = 7;

const MAGIC = 0x00444551;
const LEAST_CLUSTER = 4096;
const MOST_CLUSTER: number = 64 << 20;
const MOST_TABLE = 16;
/** Most bytes of the backing file's name. */
export const MOST_NAME = 1023;
/** Bytes of a sector: what the sizes of disks are multiples of. */
export const SECTOR = 512;

/** What the header says. Source: QEMU, "QED Image File Format" (docs/interop/qed_spec.txt), "Image header". */
export interface QedHeader {
  readonly clusterSize: number;
  /** Clusters of a table, and of the header. */
  readonly tableClusters: number;
  readonly headerClusters: number;
  readonly features: number;
  readonly l1At: number;
  /** Bytes of the disk. */
  readonly size: number;
  readonly backingAt: number;
  readonly backingBytes: number;
  /** `autoclear_features` has bits that nobody here knows. */
  readonly autoclear: boolean;
}

/** True for the first bytes of a QED image. */
export function isQed(head: Uint8Array): boolean {
  return head.length >= HEADER_BYTES && head[0] === 0x51 && head[1] === 0x45 && head[2] === 0x44 && head[3] === 0;
}

/** Bytes of a table. */
export function tableBytes(h: { readonly clusterSize: number; readonly tableClusters: number }): number {
  return h.clusterSize * h.tableClusters;
}

/** Most bytes of a disk with such clusters and tables. */
export function mostBytes(h: { readonly clusterSize: number; readonly tableClusters: number }): number {
  const entries = tableBytes(h) / 8;
  return Math.min(entries * entries * h.clusterSize, Number.MAX_SAFE_INTEGER - (Number.MAX_SAFE_INTEGER % SECTOR));
}

/** True for a size of clusters that the format allows. */
export function isClusterSize(n: number): boolean {
  return n >= LEAST_CLUSTER && n <= MOST_CLUSTER && Number.isInteger(Math.log2(n));
}

/** True for a number of clusters of a table that the format allows. */
export function isTableSize(n: number): boolean {
  return n >= 1 && n <= MOST_TABLE && Number.isInteger(Math.log2(n));
}

/** Reads and bounds the header. @throws BlockError */
export function parseHeader(bytes: Uint8Array, filename: string, fileSize: number): QedHeader {
  const f = new Fields(bytes, { filename, littleEndian: true });
  if (f.u32(0, "magic") !== MAGIC) throw new BlockError("not-this-format", `'${filename}': no QED magic`, { at: 0 });
  const [featuresHigh, features] = f.halves(16, "features");
  if (featuresHigh !== 0 || features >>> 0 > KNOWN_FEATURES)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': features 0x${(featuresHigh * 2 ** 32 + features).toString(16)} must be within 0x${KNOWN_FEATURES}`,
      { at: 16 },
    );
  const clusterSize = f.u32(4, "cluster_size");
  if (!isClusterSize(clusterSize))
    throw f.wrong(
      "cluster_size",
      String(clusterSize),
      `must be a power of two from ${LEAST_CLUSTER} to ${MOST_CLUSTER}`,
      4,
    );
  const tableClusters = f.u32(8, "table_size");
  if (!isTableSize(tableClusters))
    throw f.wrong("table_size", String(tableClusters), `must be a power of two from 1 to ${MOST_TABLE}`, 8);
  const headerClusters = f.bound("header_size", f.u32(12, "header_size"), 1, Math.floor(0xffffffff / clusterSize), 12);
  const shape = { clusterSize, tableClusters };
  const size = f.bound("image_size", f.u64(48, "image_size"), 0, mostBytes(shape), 48);
  f.aligned("image_size", size, SECTOR, 48);
  const l1At = f.aligned("l1_table_offset", f.u64(40, "l1_table_offset"), clusterSize, 40);
  f.bound("l1_table_offset", l1At, headerClusters * clusterSize, fileSize - tableBytes(shape), 40);
  const [autoHigh, autoLow] = f.halves(32, "autoclear_features");
  const backing = (features & FEATURE_BACKING) !== 0;
  const backingAt = backing ? f.u32(56, "backing_filename_offset") : 0;
  const backingBytes = backing
    ? f.bound("backing_filename_size", f.u32(60, "backing_filename_size"), 0, MOST_NAME, 60)
    : 0;
  if (backing)
    f.bound("backing_filename_offset", backingAt, HEADER_BYTES, headerClusters * clusterSize - backingBytes, 56);
  return {
    clusterSize,
    tableClusters,
    headerClusters,
    features,
    l1At,
    size,
    backingAt,
    backingBytes,
    autoclear: autoHigh !== 0 || autoLow !== 0,
  };
}

/** What a new header says. */
export interface NewHeader {
  readonly clusterSize: number;
  readonly tableClusters: number;
  readonly headerClusters: number;
  readonly features: number;
  readonly l1At: number;
  readonly size: number;
  /** UTF-8 name of the backing file, which is put behind the fields. */
  readonly backing?: Uint8Array | undefined;
}

/** The header and the name, in whole sectors. */
export function buildHeader(h: NewHeader): Uint8Array {
  const name = h.backing ?? new Uint8Array(0);
  const bytes = new Uint8Array(Math.ceil((HEADER_BYTES + name.length) / SECTOR) * SECTOR);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => {
    view.setUint32(at, value >>> 0, true);
    view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  };
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, h.clusterSize, true);
  view.setUint32(8, h.tableClusters, true);
  view.setUint32(12, h.headerClusters, true);
  u64(16, h.features);
  u64(40, h.l1At);
  u64(48, h.size);
  if (name.length > 0) {
    view.setUint32(56, HEADER_BYTES, true);
    view.setUint32(60, name.length, true);
    bytes.set(name, HEADER_BYTES);
  }
  return bytes;
}
