import { COMPRESSED_FLAG, COPIED } from "./constants.ts";
import { flushMetadata } from "./flush.ts";
import type { Image } from "./image.ts";
import { L1Table } from "./l1-table.ts";
import { compressedPlace } from "./l2.ts";
import { readAt } from "./file-access.ts";

/** Reads an L1 table of a snapshot. */
export async function readL1(img: Image, at: number, count: number): Promise<L1Table> {
  const bytes = new Uint8Array(L1Table.bytesFor(count));
  await readAt(img.file, at, bytes.subarray(0, count * 8));
  return new L1Table(img.filename, img.clusterSize, at, count, bytes);
}

/**
 * Visits each use of clusters below an L1 table: its L2 tables and what their entries point at. `visit` gets the first
 * cluster and how many, where the same use goes on.
 */
export async function eachUse(
  img: Image,
  l1: L1Table,
  visit: (first: number, count: number) => Promise<void>,
): Promise<void> {
  const { map, clusterSize } = img;
  for (let i = 0; i < l1.count; i++) {
    const table = l1.offset(i);
    if (table === 0) continue;
    for (let offset = 0; offset < clusterSize; offset += map.sliceBytes) {
      if (offset === 0) await img.loadSlice(table);
      const { view } = await map.cache.get(table + offset);
      let first = 0;
      let count = 0;
      for (let at = 0; at < map.sliceBytes; at += map.entryBytes) {
        const high = view.getUint32(at);
        const low = view.getUint32(at + 4);
        const use = usedBy(img, high, low);
        if (use.count === 0) continue;
        if (count > 0 && use.first === first + count && (high & COMPRESSED_FLAG) === 0) {
          count += use.count;
          continue;
        }
        if (count > 0) await visit(first, count);
        first = use.first;
        count = use.count;
      }
      if (count > 0) await visit(first, count);
    }
    // The table comes last: who gives it up has read it by then.
    await visit(table / clusterSize, 1);
    if (img.refs.cache.crowded || map.cache.crowded) await flushMetadata(img);
  }
}

/** Clusters of the image file that an L2 entry uses. */
function usedBy(img: Image, high: number, low: number): { first: number; count: number } {
  const { clusterSize } = img;
  if ((high & COMPRESSED_FLAG) !== 0) {
    const { at, length } = compressedPlace(high, low, img.header.clusterBits);
    const first = Math.floor(at / clusterSize);
    return { first, count: Math.floor((at + length - 1) / clusterSize) - first + 1 };
  }
  const host = (high & 0x00ffffff) * 2 ** 32 + ((low & 0xfffffe00) >>> 0);
  if (host === 0 || img.external) return { first: 0, count: 0 };
  return { first: host / clusterSize, count: 1 };
}

/** Adds to the refcounts of everything below an L1 table; when one does not go, what was done is undone. */
export async function adjustTree(img: Image, l1: L1Table, delta: 1 | -1): Promise<void> {
  let done = 0;
  try {
    await eachUse(img, l1, async (first, count) => {
      if (delta > 0) await img.refs.add(first, count, 1);
      else await img.refs.release([{ first, count, reason: "snapshot" }]);
      done++;
    });
  } catch (e) {
    let left = done;
    if (delta > 0)
      await eachUse(img, l1, async (first, count) => {
        if (left-- > 0) await img.refs.add(first, count, -1);
      });
    throw e;
  }
}

/** Brings the flags "refcount is exactly one" of the active tables up to date. */
export async function refreshCopied(img: Image): Promise<void> {
  const { l1, map, refs, clusterSize } = img;
  for (let i = 0; i < l1.count; i++) {
    const table = l1.offset(i);
    l1.correct(i, table, table !== 0 && (await refs.get(table / clusterSize)) === 1);
    if (table === 0) continue;
    for (let offset = 0; offset < clusterSize; offset += map.sliceBytes) {
      if (offset === 0) await img.loadSlice(table);
      const piece = await map.cache.get(table + offset);
      for (let at = 0; at < map.sliceBytes; at += map.entryBytes) {
        const high = piece.view.getUint32(at);
        const host = (high & 0x00ffffff) * 2 ** 32 + ((piece.view.getUint32(at + 4) & 0xfffffe00) >>> 0);
        if ((high & COMPRESSED_FLAG) !== 0 || host === 0) continue;
        const cluster = Math.floor(host / clusterSize);
        const copied = (refs.known(cluster) ?? (await refs.get(cluster))) === 1;
        if (copied === high >= COPIED) continue;
        piece.view.setUint32(at, copied ? (high | COPIED) >>> 0 : high & ~COPIED);
        map.cache.touch(piece, at, 8);
      }
    }
    if (map.cache.crowded) await flushMetadata(img);
  }
}
