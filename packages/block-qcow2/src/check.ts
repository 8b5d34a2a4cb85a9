import type { CheckRepair, CheckReport } from "@mimus/block";
import { readDirectory } from "./bitmap-directory.ts";
import { usedClusters } from "./bitmaps.ts";
import { Counts, PAGE } from "./check-counts.ts";
import { PlainEntries } from "./check-plain.ts";
import * as c from "./constants.ts";
import { readAt } from "./file-access.ts";
import { flushAll } from "./flush.ts";
import type { Image } from "./image.ts";
import { L1Table } from "./l1-table.ts";
import { compressedPlace } from "./l2.ts";
import { nextEntry } from "./next-entry.ts";
import type { Qcow2Node } from "./node.ts";
import { rebuildRefcounts, repairRefcounts } from "./repair.ts";
import { refreshCopied } from "./tree.ts";

/** After a refcount that is wrong the others are looked at one by one up to a multiple of this. */
const STRIDE = 256;

/** What a check has found so far. */
interface Findings {
  corruptions: number;
  leaks: number;
  checkErrors: number;
  allocated: number;
  fragmented: number;
  compressed: number;
  /** The refcount table or blocks themselves are bad: only building them anew helps. */
  rebuild: boolean;
  readonly messages: string[];
}

/** Compares refcounts with what tables really use, and repairs as asked. Under the mutex, with nobody inside, when it repairs. */
export async function checkImage(
  node: Qcow2Node,
  repair: CheckRepair,
  progress?: (done: number, total: number) => void,
): Promise<CheckReport> {
  const { img } = node;
  let { found, counts } = await survey(img, progress);
  const before = { corruptions: found.corruptions, leaks: found.leaks };
  const messages = [...found.messages];
  if (repair !== "none" && before.corruptions + before.leaks > 0) {
    if (repair === "all" && found.rebuild) await rebuildRefcounts(img, counts, img.header.refcountOrder);
    else await repairRefcounts(img, counts, repair);
    if (repair === "all") await refreshCopied(img);
    await flushAll(img);
    node.reader.forget();
    ({ found, counts } = await survey(img));
  }
  if (repair === "all" && found.corruptions === 0 && found.checkErrors === 0) await clearMarks(img);
  return {
    corruptions: found.corruptions,
    leaks: found.leaks,
    corruptionsFixed: Math.max(0, before.corruptions - found.corruptions),
    leaksFixed: Math.max(0, before.leaks - found.leaks),
    checkErrors: found.checkErrors,
    imageEndOffset: counts.end * img.clusterSize,
    totalClusters: Math.ceil(img.size / img.clusterSize),
    allocatedClusters: found.allocated,
    fragmentedClusters: found.fragmented,
    compressedClusters: found.compressed,
    messages,
  };
}

async function clearMarks(img: Image): Promise<void> {
  const marks = c.INCOMPAT_DIRTY | c.INCOMPAT_CORRUPT;
  if (img.readOnly || (img.header.incompatible & marks) === 0) return;
  img.header.incompatible &= ~marks;
  await img.switchHeader();
}

async function survey(
  img: Image,
  progress?: (done: number, total: number) => void,
): Promise<{ found: Findings; counts: Counts }> {
  const found: Findings = {
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
    allocated: 0,
    fragmented: 0,
    compressed: 0,
    rebuild: false,
    messages: [],
  };
  const counts = new Counts();
  const s = new Survey(img, found, counts);
  await s.count(progress);
  await s.compare();
  return { found, counts };
}

/** One pass over everything that an image consists of. */
class Survey {
  readonly #img: Image;
  readonly #found: Findings;
  readonly #counts: Counts;
  /** Clusters that the file has, and a few that may have been given out beyond its end. */
  readonly #limit: number;
  readonly #blocks: Set<number> = new Set();
  /** Flags of active entries that point at a cluster: 1 copied, 2 not. */
  readonly #flags: Counts = new Counts();
  readonly #plain: PlainEntries;

  constructor(img: Image, found: Findings, counts: Counts) {
    this.#img = img;
    this.#found = found;
    this.#counts = counts;
    this.#limit = Math.ceil(img.file.size / img.clusterSize) + 4096;
    this.#plain = new PlainEntries(counts, this.#flags, img.external ? 0 : this.#limit, img.header.clusterBits);
  }

  #wrong(text: string): void {
    this.#found.corruptions++;
    if (this.#found.messages.length < 1000) this.#found.messages.push(`ERROR ${text}`);
  }

  /** Counts uses that lie inside the file; others are errors. */
  #use(first: number, count: number, what: string): boolean {
    if (first + count > this.#limit) {
      this.#wrong(`${what}: cluster ${first} lies beyond the end of the file`);
      return false;
    }
    this.#counts.add(first, count);
    return true;
  }

  #bytes(at: number, length: number, what: string): void {
    const { clusterSize } = this.#img;
    if (length > 0)
      this.#use(
        Math.floor(at / clusterSize),
        Math.ceil((at + length) / clusterSize) - Math.floor(at / clusterSize),
        what,
      );
  }

  async count(progress?: (done: number, total: number) => void): Promise<void> {
    const img = this.#img;
    const { header } = img;
    this.#use(0, 1, "header");
    this.#bytes(header.l1At, header.l1Size * 8, "active L1 table");
    const total = img.l1.count + img.snapshots.reduce((n, s) => n + s.l1Size, 0);
    await this.#tree(img.l1, true, (done) => progress?.(done, total));
    let done = img.l1.count;
    this.#bytes(header.snapshotsAt, img.snapshotTableBytes, "snapshot table");
    for (const s of img.snapshots) {
      this.#bytes(s.l1At, s.l1Size * 8, `L1 table of snapshot ${s.id}`);
      const bytes = new Uint8Array(L1Table.bytesFor(s.l1Size));
      await readAt(img.file, s.l1At, bytes.subarray(0, s.l1Size * 8));
      const start = done;
      const l1 = new L1Table(img.filename, img.clusterSize, s.l1At, s.l1Size, bytes);
      await this.#tree(l1, false, (n) => progress?.(start + n, total));
      done += s.l1Size;
    }
    if (img.ext.encryption) this.#bytes(img.ext.encryption.at, img.ext.encryption.length, "LUKS header");
    await this.#bitmaps();
    this.#refcountStructures();
    progress?.(total, total);
  }

  async #tree(l1: L1Table, active: boolean, progress: (done: number) => void): Promise<void> {
    const img = this.#img;
    const { clusterSize } = img;
    const batch: { index: number; table: number; bytes: Uint8Array }[] = [];
    // As many as threads of the host read at once; more would leave the processor's cache before they are looked at.
    const width = Math.max(1, Math.min(8, Math.floor((4 << 20) / clusterSize)));
    const pool = Array.from({ length: width }, () => new Uint8Array(clusterSize));
    const drain = async (): Promise<void> => {
      await Promise.all(batch.map((b) => this.#readTable(b.table, b.bytes)));
      for (const b of batch) this.#entries(b.bytes, active, b.index * img.map.coverage);
      progress(batch.at(-1)?.index ?? 0);
      batch.length = 0;
    };
    const seen = new Set<number>();
    for (let i = 0; i < l1.count; i++) {
      const high = l1.view.getUint32(i * 8);
      const low = l1.view.getUint32(i * 8 + 4);
      if (high === 0 && low === 0) continue;
      const table = l1.placeOf(i);
      if ((high & 0x7f000000) !== 0 || (low & 0x1ff) !== 0) this.#wrong(`L1 entry ${i} has reserved bits set`);
      else if (table === 0) this.#wrong(`L1 entry ${i} has the copied flag, but no L2 table`);
      if (table < 0) {
        this.#wrong(`L2 table offset (L1 index ${i}) is not aligned or lies above 2^53`);
        continue;
      }
      if (table === 0) continue;
      if (!this.#use(table / clusterSize, 1, `L2 table (L1 index ${i})`)) continue;
      if (active) this.#flags.mark(table / clusterSize, high >= c.COPIED ? 1 : 2);
      if (seen.has(table)) {
        this.#wrong(`L2 table at 0x${table.toString(16)} is in use twice (L1 index ${i})`);
        continue;
      }
      seen.add(table);
      const bytes = pool[batch.length]!;
      batch.push({ index: i, table, bytes });
      if (batch.length === width) await drain();
    }
    await drain();
    this.#found.allocated += this.#plain.allocated;
    this.#found.fragmented += this.#plain.fragmented;
    this.#plain.allocated = this.#plain.fragmented = 0;
  }

  async #readTable(at: number, into: Uint8Array): Promise<void> {
    try {
      await readAt(this.#img.file, at, into);
    } catch {
      this.#found.checkErrors++;
      into.fill(0);
    }
  }

  /** `disk`: the offset of the disk that the first entry maps. */
  #entries(bytes: Uint8Array, active: boolean, disk: number): void {
    const img = this.#img;
    const { clusterSize, external } = img;
    const { extended, version } = img.map.shape;
    const step = img.map.entryBytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    const found = this.#found;
    const plain = this.#plain;
    plain.next = 0;
    for (let at = 0; at < bytes.length; at += step) {
      at = (extended ? nextEntry(words, at >> 2, step >> 2) : plain.run(words, at >> 2, active)) << 2;
      if (at >= bytes.length) break;
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      if ((high & c.COMPRESSED_FLAG) !== 0) {
        if (high >= c.COPIED) this.#wrong(`compressed cluster has the copied flag (L2 entry 0x${high.toString(16)})`);
        if (extended && (view.getUint32(at + 8) | view.getUint32(at + 12)) !== 0)
          this.#wrong("compressed cluster has a subcluster bitmap");
        const place = compressedPlace(high, low, img.header.clusterBits);
        this.#bytes(place.at, place.length, "compressed cluster");
        if (active) {
          found.compressed++;
          found.allocated++;
          found.fragmented++;
        }
        continue;
      }
      if ((high & 0x3f000000) !== 0 || (low & (extended ? 0x1ff : 0x1fe)) !== 0)
        this.#wrong(`L2 entry 0x${high.toString(16)} ${low.toString(16)} has reserved bits set`);
      if (extended && (view.getUint32(at + 8) & view.getUint32(at + 12)) !== 0)
        this.#wrong("subcluster bitmap says both data and zeroes");
      const host = (high & 0x00ffffff) * 2 ** 32 + ((low & 0xfffffe00) >>> 0);
      if (host === 0 && !(external && high >= c.COPIED)) {
        if (extended && view.getUint32(at + 12) !== 0)
          this.#wrong("cluster without an offset has subclusters with data");
        continue;
      }
      if ((high & 0x00ffffff) >= 1 << 21 || host % clusterSize !== 0) {
        this.#wrong(`data cluster offset 0x${host.toString(16)} is not aligned to clusters`);
        continue;
      }
      if (version === 2 && (low & 1) !== 0) this.#wrong("zero flag in a version 2 image");
      if (active) {
        found.allocated++;
        if (plain.next !== 0 && host / clusterSize !== plain.next) found.fragmented++;
        plain.next = host / clusterSize + 1;
      }
      if (external) {
        const guest = disk + (at / step) * clusterSize;
        if (host !== guest)
          this.#wrong(
            `the disk's offset 0x${guest.toString(16)} lies at 0x${host.toString(16)} of the external data file`,
          );
        continue;
      }
      const cluster = host / clusterSize;
      if (cluster >= this.#limit) {
        this.#wrong(`data cluster: cluster ${cluster} lies beyond the end of the file`);
        continue;
      }
      this.#counts.one(cluster);
      if (active) this.#flags.mark(cluster, high >= c.COPIED ? 1 : 2);
    }
  }

  async #bitmaps(): Promise<void> {
    const img = this.#img;
    if (!img.ext.bitmaps) return;
    try {
      const list = await readDirectory(img);
      this.#bytes(img.ext.bitmaps.directoryAt, img.ext.bitmaps.directoryBytes, "bitmap directory");
      for (const b of list)
        for (const { first, count } of await usedClusters(img, b)) this.#use(first, count, `bitmap '${b.name}'`);
    } catch (e) {
      if (img.bitmapsValid) this.#wrong(e instanceof Error ? e.message : "bitmaps");
    }
  }

  #refcountStructures(): void {
    const { refs, clusterSize } = this.#img;
    this.#bytes(refs.at, refs.table.byteLength, "refcount table");
    for (let i = refs.nextBlock(0); i < refs.tableEntries; i = refs.nextBlock(i + 1)) {
      const at = refs.placeOf(i);
      if (at < 0) {
        this.#wrong(`refcount block ${i} is not aligned or lies above 2^53`);
        this.#found.rebuild = true;
        continue;
      }
      if ((refs.table.getUint32(i * 8 + 4) & 0x1ff) !== 0) {
        this.#wrong(`refcount table entry ${i} has reserved bits set`);
        this.#found.rebuild = true;
      }
      if (at === 0) continue;
      if (!this.#use(at / clusterSize, 1, `refcount block ${i}`)) {
        this.#found.rebuild = true;
        continue;
      }
      if (this.#counts.get(at / clusterSize) === 1) continue;
      this.#wrong(`refcount block ${i} refcount=${this.#counts.get(at / clusterSize)}`);
      this.#found.rebuild = true;
    }
  }

  /** Stored refcounts against counted ones. */
  async compare(): Promise<void> {
    const { refs } = this.#img;
    const found = this.#found;
    const counts = this.#counts;
    const blocks = Math.max(refs.tableEntries, Math.ceil(counts.end / refs.perBlock));
    for (let index = 0; index < blocks; index++) {
      const base = index * refs.perBlock;
      if (base >= counts.end && index < refs.tableEntries) {
        // Behind everything that is used most tables are empty.
        const next = refs.nextBlock(index);
        if (next > index) {
          index = next - 1;
          continue;
        }
      }
      const at = refs.placeOf(index);
      if (base >= counts.end && (at <= 0 || this.#blocks.has(at))) continue;
      const view = await this.#block(index);
      if (!view) {
        this.#uncounted(base);
        // A file may end far behind what the table covers: between its clusters there is nothing to look at.
        if (index + 1 >= refs.tableEntries) index = Math.floor(counts.next(base + refs.perBlock) / refs.perBlock) - 1;
        continue;
      }
      const end = refs.perBlock;
      const perWord = (32 * refs.perBlock) / (8 * this.#img.clusterSize);
      for (let k = 0; k < end; k++) {
        if (k % STRIDE === 0 && refs.perBlock * 2 === view.byteLength)
          k = this.#agreeing(view, base, k, Math.min(end, counts.end - base));
        if (k >= end) break;
        const cluster = base + k;
        // Behind everything that is used nearly all refcounts are zero: whole words are looked at.
        if (cluster >= counts.end && perWord > 1 && k % perWord === 0 && view.getUint32((k / perWord) * 4) === 0) {
          k += perWord - 1;
          continue;
        }
        const stored = refs.entries.read(view, k);
        const counted = cluster < counts.end ? counts.get(cluster) : 0;
        const flags = cluster < this.#flags.end ? this.#flags.get(cluster) : 0;
        if ((stored === 1 && (flags & 2) !== 0) || (stored !== 1 && (flags & 1) !== 0))
          this.#wrong(`OFLAG_COPIED: cluster ${cluster} refcount=${stored}`);
        if (stored === counted) continue;
        if (stored < counted) {
          this.#wrong(`cluster ${cluster} refcount=${stored} reference=${counted}`);
          continue;
        }
        found.leaks++;
        if (found.messages.length < 1000)
          found.messages.push(`Leaked cluster ${cluster} refcount=${stored} reference=${counted}`);
      }
      refs.cache.trim();
    }
  }

  /** Clusters of a block that is not there have refcount 0. */
  #uncounted(base: number): void {
    const counts = this.#counts;
    const end = base + this.#img.refs.perBlock;
    for (let cluster = counts.next(base, end); cluster < end; cluster = counts.next(cluster + 1, end)) {
      if ((this.#flags.get(cluster) & 1) !== 0) this.#wrong(`OFLAG_COPIED: cluster ${cluster} refcount=0`);
      this.#wrong(`cluster ${cluster} refcount=0 reference=${counts.get(cluster)}`);
      this.#found.rebuild = true;
    }
  }

  /** The first refcount of 16 bits, from `from` on, that is not as counted, or that has a flag to be told; `to` or the end of a page when there is none. */
  #agreeing(view: DataView, base: number, from: number, to: number): number {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const offset = (base + from) % PAGE;
    const counts = this.#counts.page((base + from - offset) / PAGE);
    const flags = this.#flags.page((base + from - offset) / PAGE);
    const end = Math.min(to, from + PAGE - offset);
    for (let k = from, i = offset; k < end; k++, i++) {
      const stored = bytes[2 * k + 1]!;
      if (bytes[2 * k] !== 0 || stored === 255 || stored !== counts[i]) return k;
      if ((flags[i]! & (stored === 1 ? 2 : 1)) !== 0) return k;
    }
    return Math.max(from, end);
  }

  async #block(index: number): Promise<DataView | undefined> {
    try {
      // A block that two entries name is read once: a bad table must not cost more than the file is long.
      const at = this.#img.refs.placeOf(index);
      if (at <= 0 || this.#blocks.has(at)) return undefined;
      this.#blocks.add(at);
      return (await this.#img.refs.block(index))?.view;
    } catch {
      this.#found.rebuild = true;
      return undefined;
    }
  }
}
