import { BlockError } from "@mimus/block";
import type { CheckRepair } from "@mimus/block";
import type { Counts } from "./check-counts.ts";
import { MAX_REFCOUNT_TABLE_BYTES } from "./constants.ts";
import { put64 } from "./file-access.ts";
import type { Image } from "./image.ts";
import { OverlapGuard } from "./overlap.ts";
import { refcountEntries } from "./refcount-entries.ts";

/** Sets stored refcounts to the counted ones: too large ones, and too small ones for "all". */
export async function repairRefcounts(img: Image, counts: Counts, repair: CheckRepair): Promise<void> {
  const { refs } = img;
  const blocks = Math.max(refs.tableEntries, Math.ceil(counts.end / refs.perBlock));
  const seen = new Set<number>();
  for (let index = 0; index < blocks; index++) {
    const base = index * refs.perBlock;
    const next = index < refs.tableEntries ? base : counts.next(base);
    if (next >= base + refs.perBlock) {
      // Between the clusters of a file that ends far behind what the table covers there is nothing to correct.
      index = Math.floor(next / refs.perBlock) - 1;
      continue;
    }
    const at = refs.blockAt(index);
    if ((at === 0 && base >= counts.end) || seen.has(at)) continue;
    if (at !== 0) seen.add(at);
    await refs.correct(index, repair === "all", (cluster) => (cluster < counts.end ? counts.get(cluster) : 0));
    if (refs.cache.crowded) await refs.cache.write();
  }
  refs.hint = 0;
}

/**
 * Builds refcount table and blocks anew behind everything that is in use, and switches to them by one write of the header.
 * `counts` still has the uses of the old ones. Also gives refcounts another width.
 */
export async function rebuildRefcounts(img: Image, counts: Counts, order: number): Promise<void> {
  const { clusterSize, file, refs } = img;
  forgetOld(img, counts);
  const perBlock = (clusterSize * 8) / 2 ** order;
  const start = Math.max(counts.end, Math.ceil(file.size / clusterSize));
  let blocks = 1;
  let tableClusters = 1;
  for (;;) {
    const end = start + blocks + tableClusters;
    const b = Math.ceil(end / perBlock);
    const t = Math.ceil((b * 8) / clusterSize);
    if (b <= blocks && t <= tableClusters) break;
    blocks = Math.max(b, blocks);
    tableClusters = Math.max(t, tableClusters);
  }
  if (tableClusters * clusterSize > MAX_REFCOUNT_TABLE_BYTES)
    throw new BlockError(
      "no-space",
      `'${img.filename}': refcounts of ${start} clusters need a table of more than 8 MiB`,
    );
  counts.add(start, blocks + tableClusters);
  const table = new Uint8Array(tableClusters * clusterSize);
  const view = new DataView(table.buffer);
  const entries = refcountEntries(order);
  for (let i = 0, place = start; i < blocks; i++) {
    const at = place++ * clusterSize;
    put64(view, i * 8, at);
    await file.write(at, blockOf(counts, i * perBlock, perBlock, clusterSize, entries));
  }
  const at = (start + blocks) * clusterSize;
  await file.write(at, table);
  await file.flush();
  img.header.refcountTableAt = at;
  img.header.refcountTableClusters = tableClusters;
  img.header.refcountOrder = order;
  await img.switchHeader();
  refs.cache.clear();
  img.refs = img.makeRefcounts(order, at, table);
  img.refs.highWater = start + blocks + tableClusters;
  img.guard = new OverlapGuard(img.filename, img.tuning.watched);
  img.claimAll();
}

function forgetOld(img: Image, counts: Counts): void {
  const { refs, clusterSize } = img;
  for (let i = 0; i < refs.table.byteLength / clusterSize; i++) counts.less(refs.at / clusterSize + i);
  for (let i = 0; i < refs.tableEntries; i++) {
    const at = refs.placeOf(i);
    if (at > 0) counts.less(at / clusterSize);
  }
}

function blockOf(
  counts: Counts,
  base: number,
  perBlock: number,
  clusterSize: number,
  entries: ReturnType<typeof refcountEntries>,
): Uint8Array {
  const block = new Uint8Array(clusterSize);
  const view = new DataView(block.buffer);
  for (let k = 0; k < perBlock && base + k < counts.end; k++) {
    const n = counts.get(base + k);
    if (n === 0) continue;
    if (n > entries.max)
      throw new BlockError("unsupported-feature", `Cluster ${base + k} is used ${n} times: refcounts must be wider`);
    entries.write(view, k, n);
  }
  return block;
}
