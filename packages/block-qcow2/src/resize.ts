import { BlockError } from "@mimus/block";
import { resizeBitmaps } from "./bitmaps.ts";
import { MAX_L1_BYTES } from "./constants.ts";
import { flushAll } from "./flush.ts";
import type { Image } from "./image.ts";
import { L1Table } from "./l1-table.ts";
import type { Qcow2Node } from "./node.ts";

/** The image has another active L1 table, and perhaps another size, from one write of the header on. */
export async function switchL1(img: Image, bytes: Uint8Array, count: number, size: number): Promise<void> {
  const { header, clusterSize, guard } = img;
  const clusters = Math.max(1, Math.ceil((count * 8) / clusterSize));
  await img.event("l1_grow_alloc_table");
  const at = (await img.refs.allocateExactly(clusters)) * clusterSize;
  const padded = new Uint8Array(clusters * clusterSize);
  padded.set(bytes);
  await img.event("l1_grow_write_table");
  await img.file.write(at, padded);
  await flushAll(img);
  await img.event("l1_grow_activate_table");
  const old = { at: header.l1At, clusters: Math.ceil((header.l1Size * 8) / clusterSize) };
  header.l1At = at;
  header.l1Size = count;
  header.size = size;
  await img.switchHeader();
  guard.release(old.at / clusterSize, old.clusters, "active-l1");
  guard.claim(at / clusterSize, clusters, "active-l1");
  for (let i = 0; i < img.l1.count; i++) {
    const table = img.l1.offset(i);
    if (table !== 0) guard.release(table / clusterSize, 1, "active-l2");
  }
  img.l1 = new L1Table(img.filename, clusterSize, at, count, bytes);
  for (let i = 0; i < count; i++) {
    const table = img.l1.offset(i);
    if (table !== 0) guard.claim(table / clusterSize, 1, "active-l2");
  }
  if (old.clusters > 0) img.refs.free(old.at / clusterSize, old.clusters, "other");
}

/** Makes room for entries of the active L1 table. Under the mutex, with nobody inside. */
export async function growL1(img: Image, count: number, size: number = img.size): Promise<void> {
  if (count <= img.l1.count) return;
  if (count * 8 > MAX_L1_BYTES)
    throw new BlockError("bad-option", `'${img.filename}': L1 table of ${count} entries would be more than 32 MiB`);
  const bytes = new Uint8Array(L1Table.bytesFor(count));
  bytes.set(img.l1.bytes.subarray(0, img.l1.count * 8));
  await switchL1(img, bytes, count, size);
}

/** Gives the disk another size, in bytes. */
export async function resizeImage(node: Qcow2Node, wanted: number): Promise<void> {
  const { img } = node;
  const size = Math.ceil(wanted / 512) * 512;
  const old = img.size;
  if (size === old) return;
  if (img.snapshots.length > 0 && img.header.version === 2)
    throw new BlockError(
      "unsupported-feature",
      `'${img.filename}': a version 2 image that has snapshots cannot be resized`,
    );
  const count = Math.ceil(size / img.coverage);
  // A machine's state that came back with a snapshot lies behind the disk: it must not become a part of it.
  if (img.l1.count * img.coverage > img.vmStateAt)
    await node.inside(() => node.eraser.empty(img.vmStateAt, img.l1.count * img.coverage));
  if (size < old) await shrink(node, size);
  else {
    await node.alone(() => growL1(img, count));
    await clearNew(node, old, size);
    if (img.external && img.data.resize && img.data.size < size) await img.data.resize(size);
  }
  await node.alone(async () => {
    img.header.size = size;
    await resizeBitmaps(img, old, size);
    await img.switchHeader();
  });
  if (size < old) await node.alone(() => cutFile(img));
}

/** What appears behind the old end reads as zeroes: neither what lay there before nor the image below shows. */
async function clearNew(node: Qcow2Node, old: number, size: number): Promise<void> {
  const { img } = node;
  const covered = img.backing === undefined ? 0 : Math.min(size, img.backing.size);
  const end = Math.max(covered, Math.min(size, Math.ceil(old / img.clusterSize) * img.clusterSize));
  if (end <= old) return;
  await node.inside(() => node.eraser.writeZeroes(old, end - old, false));
}

async function shrink(node: Qcow2Node, size: number): Promise<void> {
  const { img } = node;
  const from = Math.ceil(size / img.clusterSize) * img.clusterSize;
  const to = Math.ceil(img.size / img.clusterSize) * img.clusterSize;
  if (to > from) await node.inside(() => node.eraser.empty(from, to));
  await node.alone(async () => {
    const { l1, clusterSize } = img;
    await img.event("l1_shrink_write_table");
    for (let i = Math.ceil(size / img.coverage); i < l1.count; i++) {
      const table = l1.offset(i);
      if (table === 0) continue;
      l1.set(i, 0, false);
      img.guard.release(table / clusterSize, 1, "active-l2");
      for (let offset = 0; offset < clusterSize; offset += img.map.sliceBytes) img.map.cache.drop(table + offset);
      img.refs.free(table / clusterSize, 1, "other");
    }
    await img.event("l1_shrink_free_l2_clusters");
    await flushAll(img);
  });
}

/** The file ends after the last cluster that is in use. */
async function cutFile(img: Image): Promise<void> {
  const { file, refs, clusterSize } = img;
  if (!file.resize) return;
  await flushAll(img);
  let end = Math.ceil(file.size / clusterSize);
  while (end > 1) {
    const index = Math.floor((end - 1) / refs.perBlock);
    if (refs.blockAt(index) === 0) end = index * refs.perBlock;
    else if ((await refs.get(end - 1)) === 0) end--;
    else break;
  }
  if (end * clusterSize < file.size) await file.resize(Math.max(1, end) * clusterSize);
  refs.highWater = Math.max(1, end);
}
