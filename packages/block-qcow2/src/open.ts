import { BlockError } from "@mimus/block";
import type { BlockNode, FormatContext } from "@mimus/block";
import * as c from "./constants.ts";
import { openCipher } from "./encryption.ts";
import { parseExtensions } from "./extensions.ts";
import { readAt } from "./file-access.ts";
import type { Header } from "./header.ts";
import { parseHeader } from "./header.ts";
import { Image } from "./image.ts";
import { L1Table } from "./l1-table.ts";
import type { OpenOptions } from "./options.ts";
import { tuningOf } from "./options.ts";
import { checkSnapshotL1, parseSnapshots } from "./snapshot-table.ts";

/** Reads everything that an open image keeps in memory, and opens what it stands on. */
export async function loadImage(file: BlockNode, options: OpenOptions, ctx: FormatContext): Promise<Image> {
  const { filename } = ctx;
  await file.event?.("none");
  const head = new Uint8Array(512);
  if (file.size < 72) {
    await readAt(file, 0, head);
    parseHeader(head.subarray(0, file.size), filename);
  }
  await readAt(file, 0, head);
  const header = parseHeader(head, filename);
  if (header.headerLength > 512) Object.assign(header, { rest: await restOfHeader(file, header) });
  const first = new Uint8Array(2 ** header.clusterBits);
  await readAt(file, 0, first);
  const ext = parseExtensions(first, header, filename);
  const lazy = (header.compatible[1] & c.COMPAT_LAZY_REFCOUNTS) !== 0;
  const tuning = tuningOf(options, {
    clusterSize: 2 ** header.clusterBits,
    size: header.size,
    fileSize: file.size,
    refcountBits: 2 ** header.refcountOrder,
    lazy,
    extended: (header.incompatible & c.INCOMPAT_EXTENDED_L2) !== 0,
    discards: true,
  });
  if (tuning.lazyRefcounts && header.version === 2)
    throw new BlockError("bad-option", `'${filename}': lazy-refcounts needs version 3 (compat=1.1)`);
  assertInside(file, filename, "refcount_table_offset", header.refcountTableAt, 1, 48);
  const refcountTable = new Uint8Array(header.refcountTableClusters * 2 ** header.clusterBits);
  await file.event?.("reftable_load");
  await readAt(file, header.refcountTableAt, refcountTable);
  const img = new Image({
    ctx,
    file,
    options,
    tuning,
    header,
    ext,
    first: first.slice(0, usedOf(first)),
    refcountTable,
  });
  await loadL1(img);
  await loadSnapshots(img);
  try {
    await openChildren(img);
    img.cipher = await openCipher(file, header, ext, options.encrypt, filename, ctx.host, ctx.readOnly);
  } catch (e) {
    await closeChildren(img);
    throw e;
  }
  img.claimAll();
  return img;
}

/** Bytes of the first cluster that are in use, whole sectors: what rewrites of the header compare with. */
function usedOf(first: Uint8Array): number {
  const words = new Int32Array(first.buffer, first.byteOffset, first.length >> 2);
  let end = words.length;
  while (end > 128 && words[end - 1] === 0) end--;
  return Math.ceil(end / 128) * 512;
}

async function restOfHeader(file: BlockNode, header: Header): Promise<Uint8Array> {
  const rest = new Uint8Array(header.headerLength - 112);
  await readAt(file, 112, rest);
  return rest;
}

/** A table beyond the end of the file would, written to, make the file as long as the header says. */
function assertInside(
  file: BlockNode,
  filename: string,
  field: string,
  at: number,
  length: number,
  where: number,
): void {
  if (at + length <= file.size) return;
  throw new BlockError(
    "corrupt",
    `'${filename}': ${field} ${at} with ${length} bytes must lie inside the file of ${file.size} bytes`,
    { at: where },
  );
}

async function loadL1(img: Image): Promise<void> {
  const { header, file } = img;
  if (header.l1Size > 0) assertInside(file, img.filename, "l1_table_offset", header.l1At, header.l1Size * 8, 40);
  const bytes = new Uint8Array(L1Table.bytesFor(header.l1Size));
  if (header.l1Size > 0) await readAt(file, header.l1At, bytes.subarray(0, header.l1Size * 8));
  img.l1 = new L1Table(img.filename, img.clusterSize, header.l1At, header.l1Size, bytes);
}

/** Reads the snapshot table. */
async function loadSnapshots(img: Image): Promise<void> {
  const { header, file, filename } = img;
  if (header.snapshots === 0) return;
  const beyond = file.size - header.snapshotsAt;
  if (beyond < header.snapshots * 40)
    throw new BlockError(
      "corrupt",
      `'${filename}': snapshots_offset ${header.snapshotsAt} with ${header.snapshots} snapshots must lie inside the file of ${file.size} bytes`,
      { at: 64 },
    );
  // The table does not say how long it is: it is read in growing pieces.
  for (let length = Math.min(beyond, Math.max(4096, header.snapshots * 128)); ; length = Math.min(beyond, length * 4)) {
    const bytes = new Uint8Array(Math.min(length, c.MAX_SNAPSHOT_TABLE_BYTES));
    await readAt(file, header.snapshotsAt, bytes);
    try {
      const found = parseSnapshots(bytes, header.snapshots, header.snapshotsAt, filename, header.size);
      img.snapshots = found.list;
      img.snapshotTableBytes = found.length;
      break;
    } catch (e) {
      const cut = e instanceof BlockError && e.message.includes("ends beyond its structure");
      if (!cut || length >= beyond || length >= c.MAX_SNAPSHOT_TABLE_BYTES) throw e;
    }
  }
  for (const s of img.snapshots) checkSnapshotL1(s, img.clusterSize, filename);
}

async function openChildren(img: Image): Promise<void> {
  const { ctx, header, ext, filename } = img;
  const given = ctx.children["data-file"];
  if ((header.incompatible & c.INCOMPAT_DATA_FILE) !== 0) {
    if (given) img.data = given;
    else if (ext.dataFile !== undefined) img.data = await ctx.extent(ext.dataFile);
    else
      throw new BlockError(
        "corrupt",
        `'data-file' is required for '${filename}': it does not name its external data file`,
      );
    img.external = true;
    img.map = img.makeMapping();
  } else if (given)
    throw new BlockError("bad-option", `'data-file' can only be set for images with an external data file`);
  if (ctx.explicitBacking !== undefined) img.backing = ctx.explicitBacking ?? undefined;
  else if (ext.backingFile !== undefined) img.backing = await ctx.backing(ext.backingFile, ext.backingFormat);
}

/** Closes the nodes that the image opened itself. */
export async function closeChildren(img: Image): Promise<void> {
  if (img.external) await img.data.close();
  await img.backing?.close();
}
