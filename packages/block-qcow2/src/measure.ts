import { encode } from "./extensions.ts";
import { BlockError, statusOf } from "@mimus/block";
import type { BlockNode, Measure } from "@mimus/block";
import { checkCreateOptions } from "./create.ts";
import { ciphers } from "./encryption.ts";
import type { CreateOptions } from "./options.ts";

/** Bytes that a fully allocated image takes: data, tables, refcounts of all of these. */
function fullSize(size: number, clusterSize: number, order: number, extended: boolean): number {
  const entryBytes = extended ? 16 : 8;
  const data = Math.ceil(size / clusterSize) * clusterSize;
  const perTable = clusterSize / entryBytes;
  const l2 = Math.ceil(data / clusterSize / perTable) * perTable;
  const l1 = Math.ceil((((l2 * entryBytes) / clusterSize) * 8) / clusterSize) * clusterSize;
  const meta = clusterSize + l2 * entryBytes + l1;
  const perBlock = (clusterSize * 8) / 2 ** order;
  const clusters = (data + meta) / clusterSize;
  let table = 0;
  let blocks = 0;
  for (let n = 0, last = -1; n !== last;) {
    last = n;
    blocks = Math.ceil((clusters + table + blocks) / perBlock);
    table = Math.ceil((blocks * 8) / clusterSize);
    n = clusters + blocks + table;
  }
  return data + meta + (blocks + table) * clusterSize;
}

/** Bytes that an image of this size, with the content of `source` where one is given, would take. */
export async function measureImage(
  size: number,
  options: Readonly<Record<string, unknown>>,
  source: BlockNode | undefined,
): Promise<Measure> {
  const o = options as unknown as CreateOptions;
  const total = Math.ceil((source?.size ?? size) / 512) * 512;
  const { order } = checkCreateOptions(o, total);
  const clusterSize = o.cluster_size;
  const luks = await luksBytes(o);
  const luksClusters = Math.ceil(luks / clusterSize) * clusterSize;
  const full = fullSize(total, clusterSize, order, o.extended_l2) + luksClusters;
  const data = Math.ceil(total / clusterSize) * clusterSize;
  let stored = source ? await storedBytes(source, total, clusterSize) : 0;
  if (o.preallocation === "full" || o.preallocation === "falloc") stored = data;
  const bitmaps = source?.image?.bitmaps ? await bitmapBytes(source, total, clusterSize) : undefined;
  return {
    required: full - data + stored,
    fullyAllocated: full,
    ...(bitmaps === undefined ? {} : { bitmaps }),
  };
}

async function luksBytes(o: CreateOptions): Promise<number> {
  if (o["encrypt.format"] === "aes" || o.encryption)
    throw new BlockError("unsupported-feature", "New images with the AES format of old are not made");
  if (o["encrypt.format"] !== "luks") return 0;
  const { luksHeaderBytes, luksOptions } = await ciphers();
  return luksHeaderBytes(
    luksOptions({
      "cipher-alg": o["encrypt.cipher-alg"] as string | undefined,
      "cipher-mode": o["encrypt.cipher-mode"] as string | undefined,
    }),
  );
}

/** Bytes of clusters of the new image in which the source has data. */
async function storedBytes(source: BlockNode, size: number, clusterSize: number): Promise<number> {
  let stored = 0;
  // First cluster that is not counted yet.
  let next = 0;
  for (let at = 0; at < size;) {
    const s = await statusOf(source, at, Math.min(size - at, 2 ** 40));
    if (s.data || (!s.zero && s.allocated)) {
      const first = Math.max(next, Math.floor(at / clusterSize));
      const end = Math.ceil((at + s.length) / clusterSize);
      if (end > first) stored += (end - first) * clusterSize;
      next = Math.max(next, end);
    }
    at += s.length;
  }
  return stored;
}

async function bitmapBytes(source: BlockNode, size: number, clusterSize: number): Promise<number | undefined> {
  const list = (await source.image?.bitmaps?.list()) ?? [];
  let total = 0;
  let directory = 0;
  for (const b of list) {
    if (b.inUse) continue;
    const bytes = Math.ceil(Math.ceil(size / b.granularity) / 8);
    const clusters = Math.ceil(bytes / clusterSize);
    total += clusters * clusterSize + Math.ceil((clusters * 8) / clusterSize) * clusterSize;
    directory += Math.ceil((24 + encode(b.name).length) / 8) * 8;
  }
  return total + Math.ceil(directory / clusterSize) * clusterSize;
}
