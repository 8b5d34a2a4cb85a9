import { BlockError } from "@mimus/block";
import type { BlockNode, CreateContext } from "@mimus/block";
import * as c from "./constants.ts";
import { newEncryption } from "./encryption.ts";
import type { Extensions } from "./extensions.ts";
import { encodeFirstCluster } from "./extensions.ts";
import { put64 } from "./file-access.ts";
import type { Header } from "./header.ts";
import { l1EntriesFor } from "./header.ts";
import type { CreateOptions } from "./options.ts";
import { preallocate } from "./preallocate.ts";
import { refcountEntries } from "./refcount-entries.ts";

/** Checks options against each other. @throws BlockError "bad-option" */
export function checkCreateOptions(
  o: CreateOptions,
  size: number,
): { version: 2 | 3; clusterBits: number; order: number } {
  const bad = (text: string): never => {
    throw new BlockError("bad-option", text);
  };
  const version = o.compat === "0.10" || o.compat === "v2" ? 2 : 3;
  const clusterBits = Math.log2(o.cluster_size);
  const least = o.extended_l2 ? 14 : 9;
  if (!Number.isInteger(clusterBits) || clusterBits < least || clusterBits > 21)
    bad(`cluster_size ${o.cluster_size} must be a power of two between ${2 ** least} and 2097152`);
  const order = Math.log2(o.refcount_bits);
  if (!Number.isInteger(order) || order < 0 || order > 6)
    bad(`refcount_bits ${o.refcount_bits} must be a power of two and may not exceed 64`);
  if (version === 2) {
    if (o.refcount_bits !== 16)
      bad(
        "Different refcount widths than 16 bits require compatibility level 1.1 or above (use compat=1.1 or greater)",
      );
    if (o.lazy_refcounts)
      bad("Lazy refcounts only supported with compatibility level 1.1 and above (use compat=1.1 or greater)");
    if (o.extended_l2)
      bad("Extended L2 entries are only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    if (o.compression_type !== "zlib")
      bad(
        "Non-zlib compression type is only supported with compatibility level 1.1 and above (use version=v3 or greater)",
      );
    if (o.data_file !== undefined)
      bad("External data files are only supported with compatibility level 1.1 and above (use version=v3 or greater)");
  }
  if (o.data_file_raw && o.data_file === undefined) bad("data-file-raw requires data-file");
  if (o.data_file_raw && o.backing_file !== undefined)
    bad("Backing file and data-file-raw cannot be used at the same time");
  if (o.backing_file !== undefined && o.preallocation !== "off" && !o.extended_l2)
    bad("Backing file and preallocation can only be used at the same time if extended_l2 is enabled");
  if (o.backing_file === undefined && o.backing_fmt !== undefined)
    bad("Backing format cannot be used without backing file");
  if (l1EntriesFor({ clusterBits, incompatible: o.extended_l2 ? 16 : 0 }, size) > c.MAX_L1_BYTES / 8)
    bad(`size ${size} is too large for clusters of ${o.cluster_size} bytes`);
  return { version, clusterBits, order };
}

/** Makes an image: header, one L1 table, refcounts for these; then what preallocation asks for. */
export async function createImageIn(
  file: BlockNode,
  size: number,
  given: Readonly<Record<string, unknown>>,
  ctx: CreateContext,
): Promise<void> {
  const o = given as unknown as CreateOptions;
  const rounded = Math.ceil(size / 512) * 512;
  const { version, clusterBits, order } = checkCreateOptions(o, rounded);
  const clusterSize = 2 ** clusterBits;
  const encryption = await newEncryption(o, ctx.filename, ctx.host);
  const extended = o.extended_l2 ? c.INCOMPAT_EXTENDED_L2 : 0;
  const l1Size = l1EntriesFor({ clusterBits, incompatible: extended }, rounded);
  const l1Clusters = Math.ceil((l1Size * 8) / clusterSize);
  const luksClusters = Math.ceil((encryption?.headerBytes ?? 0) / clusterSize);
  const layout = layoutOf(clusterSize, order, l1Clusters + luksClusters);
  const header: Header = {
    version,
    backingAt: 0,
    backingLength: 0,
    clusterBits,
    size: rounded,
    crypt: encryption?.crypt ?? 0,
    l1Size,
    l1At: layout.rest * clusterSize,
    refcountTableAt: layout.table * clusterSize,
    refcountTableClusters: layout.tableClusters,
    snapshots: 0,
    snapshotsAt: 0,
    incompatible:
      extended |
      (o.data_file === undefined ? 0 : c.INCOMPAT_DATA_FILE) |
      (o.compression_type === "zstd" ? c.INCOMPAT_COMPRESSION : 0),
    compatible: [0, o.lazy_refcounts ? c.COMPAT_LAZY_REFCOUNTS : 0],
    autoclear: [0, o.data_file_raw ? c.AUTOCLEAR_DATA_FILE_RAW : 0],
    refcountOrder: order,
    headerLength: 112,
    compressionType: o.compression_type === "zstd" ? 1 : 0,
    rest: new Uint8Array(0),
  };
  const luksAt = (layout.rest + l1Clusters) * clusterSize;
  const ext: Extensions = {
    backingFile: o.backing_file,
    backingFormat: o.backing_fmt,
    dataFile: o.data_file,
    bitmaps: undefined,
    encryption: encryption ? { at: luksAt, length: encryption.headerBytes } : undefined,
    unknown: [],
  };
  if ((o.backing_file?.length ?? 0) > c.MAX_BACKING_NAME)
    throw new BlockError("bad-option", `backing_file must be at most ${c.MAX_BACKING_NAME} bytes long`);
  const first = encodeFirstCluster(ctx.filename, header, ext).bytes;
  await writeRefcounts(file, layout, clusterSize, order);
  await file.write(
    header.l1At,
    new Uint8Array(Math.max(l1Clusters, 1) * clusterSize).subarray(0, l1Clusters * clusterSize),
  );
  if (encryption) {
    await file.write(luksAt, new Uint8Array(luksClusters * clusterSize));
    await encryption.write(file, luksAt);
  }
  const padded = new Uint8Array(clusterSize);
  padded.set(first);
  // The header comes last: before it the file is no image.
  await file.flush();
  await file.write(0, padded);
  await file.flush();
  await preallocate(file, rounded, o, ctx, encryption !== undefined);
}

interface Layout {
  readonly table: number;
  readonly tableClusters: number;
  /** First refcount block, and how many. */
  readonly blocks: number;
  readonly blockCount: number;
  /** What follows. */
  readonly rest: number;
  readonly end: number;
}

function layoutOf(clusterSize: number, order: number, rest: number): Layout {
  const perBlock = (clusterSize * 8) / 2 ** order;
  let tableClusters = 1;
  let blockCount = 1;
  for (;;) {
    const end = 1 + tableClusters + blockCount + rest;
    const blocks = Math.ceil(end / perBlock);
    const table = Math.ceil((blocks * 8) / clusterSize);
    if (blocks <= blockCount && table <= tableClusters)
      return {
        table: 1,
        tableClusters,
        blocks: 1 + tableClusters,
        blockCount,
        rest: 1 + tableClusters + blockCount,
        end,
      };
    blockCount = Math.max(blockCount, blocks);
    tableClusters = Math.max(tableClusters, table);
  }
}

async function writeRefcounts(file: BlockNode, l: Layout, clusterSize: number, order: number): Promise<void> {
  const table = new Uint8Array(l.tableClusters * clusterSize);
  const view = new DataView(table.buffer);
  for (let i = 0; i < l.blockCount; i++) put64(view, i * 8, (l.blocks + i) * clusterSize);
  await file.write(l.table * clusterSize, table);
  const entries = refcountEntries(order);
  const perBlock = (clusterSize * 8) / 2 ** order;
  for (let i = 0; i < l.blockCount; i++) {
    const block = new Uint8Array(clusterSize);
    const v = new DataView(block.buffer);
    for (let k = 0; k < Math.min(perBlock, l.end - i * perBlock); k++) entries.write(v, k, 1);
    await file.write((l.blocks + i) * clusterSize, block);
  }
}
