import { COMPRESSED_FLAG, COPIED, ZERO_FLAG } from "./constants.ts";
import { relieve } from "./flush.ts";
import type { Image } from "./image.ts";
import { newRun, UNALLOCATED, UNALLOCATED_WITH_PLACE, ZERO_ALLOCATED, ZERO_PLAIN } from "./l2.ts";
import type { Reader } from "./read.ts";
import { giveUpEntry, ownTable } from "./write.ts";
import type { Writer } from "./write.ts";
import { readsZero, zeroRange } from "@mimus/block";

/** How a range is emptied: its content is dropped, or must read as zeroes; "empty" shows the backing image again. */
export type Emptying = "discard" | "zero" | "zero-unmap" | "empty";

/** Discards and writes of zeroes. */
export class Eraser {
  readonly #img: Image;
  readonly #reader: Reader;
  readonly #writer: Writer;

  constructor(img: Image, reader: Reader, writer: Writer) {
    this.#img = img;
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Whole clusters in the range are dropped; parts of clusters stay as they are. */
  async discard(at: number, length: number): Promise<void> {
    const img = this.#img;
    await this.#begin();
    const { clusterSize } = img;
    const from = Math.ceil(at / clusterSize) * clusterSize;
    // The disk's last cluster is whole where the disk ends.
    const to = at + length === img.size ? at + length : Math.floor((at + length) / clusterSize) * clusterSize;
    if (to <= from) return;
    if (img.header.version === 2 && !img.nothingBelow) return;
    const how = img.dataFileRaw ? "zero-unmap" : "discard";
    await this.#clusters(from, Math.ceil(to / clusterSize) * clusterSize, how).catch((e: unknown) => img.failed(e));
  }

  async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    const img = this.#img;
    await this.#begin();
    const unit = img.map.subclusterSize;
    const end = at + length;
    const from = Math.ceil(at / unit) * unit;
    const to = end === img.size ? Math.ceil(end / unit) * unit : Math.floor(end / unit) * unit;
    try {
      if (to <= from) return await this.#asData(at, length);
      if (from > at) await this.#asData(at, from - at);
      if (img.header.version === 2) await this.#oldZeroes(from, Math.min(to, end));
      else await this.#subclusters(from, to, unmap);
      if (end > to) await this.#asData(to, end - to);
    } catch (e) {
      await img.failed(e);
    }
  }

  /** Gives up clusters without a trace: what is below shows again. Ends are on clusters. */
  async empty(at: number, end: number): Promise<void> {
    await this.#begin();
    await this.#clusters(at, end, "empty").catch((e: unknown) => this.#img.failed(e));
  }

  async #begin(): Promise<void> {
    const img = this.#img;
    img.assertUsable();
    if (!img.touched) await img.beforeWrite();
  }

  /** Zeroes into parts of a cluster, unless it reads as zeroes there. Where all of a hole does, it gets the flag. */
  async #asData(at: number, length: number): Promise<void> {
    const img = this.#img;
    const unit = img.map.subclusterSize;
    const run = newRun();
    for (let done = 0; done < length;) {
      const here = at + done;
      const start = here - (here % unit);
      const most = Math.min(length - done, start + unit - here);
      if (!img.map.find(img.l1, here, most, run)) {
        await img.loadSlice(run.sliceAt);
        continue;
      }
      const part = run.length;
      const hole = run.kind === UNALLOCATED || run.kind === UNALLOCATED_WITH_PLACE;
      if (hole && (await this.#zeroAround(start, here, here + part, start + unit))) {
        const flagged = img.header.version === 2 || img.dataFileRaw || (await this.#flagHole(start));
        if (!flagged) continue;
      } else if (run.kind !== ZERO_PLAIN && run.kind !== ZERO_ALLOCATED)
        await this.#writer.write(here, new Uint8Array(part));
      done += part;
    }
  }

  /** Sets the zero flag of a subcluster without content. @returns false when another request has given it some meanwhile */
  async #flagHole(at: number): Promise<boolean> {
    const img = this.#img;
    const { map, clusterSize } = img;
    const cluster = Math.floor(at / clusterSize);
    const release = await img.locks.take(cluster, cluster + 1);
    try {
      return await img.mutex.run(async () => {
        await relieve(img);
        await ownTable(img, at);
        const piece = await map.cache.get(map.sliceOf(img.l1.offset(Math.floor(at / map.coverage)), at));
        const run = newRun();
        const found = map.find(img.l1, at, map.subclusterSize, run);
        if (!found || (run.kind !== UNALLOCATED && run.kind !== UNALLOCATED_WITH_PLACE)) return false;
        const entry = map.entryOf(at);
        // In extended entries each subcluster has a bit of its own, in the high word of their bitmap.
        const [word, flag] = map.shape.extended
          ? [entry + 8, 1 << Math.floor((at % clusterSize) / map.subclusterSize)]
          : [entry + 4, ZERO_FLAG];
        piece.view.setUint32(word, (piece.view.getUint32(word) | flag) >>> 0);
        map.cache.touch(piece, entry, map.entryBytes);
        return true;
      });
    } finally {
      release();
    }
  }

  /** What lies below a subcluster, besides the part from `from` to `to`, reads as zeroes. */
  async #zeroAround(start: number, from: number, to: number, end: number): Promise<boolean> {
    const { backing, nothingBelow } = this.#img;
    if (nothingBelow) return true;
    if (backing === undefined || this.#img.header.version === 2) return false;
    return (await readsZero(backing, start, from)) && (await readsZero(backing, to, end));
  }

  /** Version 2 has no zero flag: clusters are dropped when nothing is below, and written otherwise. */
  async #oldZeroes(from: number, to: number): Promise<void> {
    const { clusterSize, nothingBelow, size } = this.#img;
    if (nothingBelow) return this.#clusters(from, Math.ceil(to / clusterSize) * clusterSize, "discard");
    for (let at = from; at < to; at += 1 << 20) await this.#asData(at, Math.min(1 << 20, to - at, size - at));
  }

  async #subclusters(from: number, to: number, unmap: boolean): Promise<void> {
    const { clusterSize, map } = this.#img;
    const how = unmap ? "zero-unmap" : "zero";
    if (!map.shape.extended) return this.#clusters(from, to, how);
    const first = Math.ceil(from / clusterSize) * clusterSize;
    const last = Math.floor(to / clusterSize) * clusterSize;
    if (first > last) return this.#partial(from, to);
    if (from < first) await this.#partial(from, first);
    await this.#clusters(first, last, how);
    if (last < to) await this.#partial(last, to);
  }

  /** Subclusters of one cluster get their zero bits. */
  async #partial(from: number, to: number): Promise<void> {
    const img = this.#img;
    const { map, clusterSize } = img;
    const cluster = Math.floor(from / clusterSize);
    const release = await img.locks.take(cluster, cluster + 1);
    let compressed = false;
    try {
      await img.mutex.run(async () => {
        await relieve(img);
        await ownTable(img, from);
        const piece = await map.cache.get(map.sliceOf(img.l1.offset(Math.floor(from / map.coverage)), from));
        const entry = map.entryOf(from);
        compressed = (piece.view.getUint32(entry) & COMPRESSED_FLAG) !== 0;
        if (compressed) return;
        const first = Math.floor((from % clusterSize) / map.subclusterSize);
        const count = Math.ceil((to - from) / map.subclusterSize);
        const mask = count === 32 ? 0xffffffff : ((2 ** count - 1) << first) >>> 0;
        piece.view.setUint32(entry + 8, (piece.view.getUint32(entry + 8) | mask) >>> 0);
        piece.view.setUint32(entry + 12, (piece.view.getUint32(entry + 12) & ~mask) >>> 0);
        map.cache.touch(piece, entry, 16);
      });
      if (!compressed && img.dataFileRaw) await zeroData(img, from, to - from, false);
    } finally {
      release();
    }
    if (compressed) await this.#writer.write(from, new Uint8Array(to - from));
  }

  async #clusters(from: number, to: number, how: Emptying): Promise<void> {
    const img = this.#img;
    const { clusterSize, map } = img;
    const sliceCovers = map.sliceEntries * clusterSize;
    for (let at = from; at < to;) {
      const end = Math.min(to, (Math.floor(at / sliceCovers) + 1) * sliceCovers);
      const here = at;
      const release = await img.locks.take(Math.floor(at / clusterSize), Math.ceil(end / clusterSize));
      try {
        at = await img.mutex.run(() => this.#inSlice(here, end, to, how));
        if (img.dataFileRaw && how !== "empty")
          await zeroData(img, here, Math.min(at, to) - here, how === "zero-unmap");
      } finally {
        release();
      }
    }
  }

  /** Empties clusters of one piece of a table; answers where to go on. */
  async #inSlice(at: number, end: number, limit: number, how: Emptying): Promise<number> {
    const img = this.#img;
    const { map, l1 } = img;
    await relieve(img);
    const index = Math.floor(at / map.coverage);
    if (index >= l1.count) return limit;
    if (l1.offset(index) === 0 && leavesHoles(img, how)) return Math.min(limit, (index + 1) * map.coverage);
    if (!(await this.#changes(at, end, how))) return end;
    await ownTable(img, at);
    const piece = await map.cache.get(map.sliceOf(l1.offset(index), at));
    for (let here = at; here < end; here += img.clusterSize) {
      const entry = map.entryOf(here);
      if (this.#emptyEntry(piece.view, entry, here, how)) map.cache.touch(piece, entry, map.entryBytes);
    }
    return end;
  }

  /** Some entry would become another: a table that snapshots share is not copied for nothing. */
  async #changes(at: number, end: number, how: Emptying): Promise<boolean> {
    const img = this.#img;
    const run = newRun();
    for (let here = at; here < end;) {
      if (!img.map.find(img.l1, here, end - here, run)) {
        await img.loadSlice(run.sliceAt);
        continue;
      }
      const hole = run.kind === UNALLOCATED && leavesHoles(img, how);
      if (!hole && !(run.kind === ZERO_PLAIN && how !== "empty")) return true;
      here += run.length;
    }
    return false;
  }

  #emptyEntry(view: DataView, entry: number, at: number, how: Emptying): boolean {
    const img = this.#img;
    const { extended } = img.map.shape;
    const high = view.getUint32(entry);
    const low = view.getUint32(entry + 4);
    const compressed = (high & COMPRESSED_FLAG) !== 0;
    const place =
      compressed || (high & 0x00ffffff) !== 0 || (low & 0xfffffe00) !== 0 || (img.external && high >= COPIED);
    const zeroes = how !== "empty" && !(how === "discard" && !place && img.nothingBelow);
    const keep = place && !compressed && how !== "empty" && (how === "zero" || img.tuning.discardNoUnref);
    if (place && !keep) {
      giveUpEntry(img, high, low, this.#reader);
      if (img.external && !img.dataFileRaw) void img.freedExternally(at, img.clusterSize);
    }
    const nextHigh = keep ? high : 0;
    const flag = zeroes && img.header.version === 3;
    const nextLow = ((keep ? low & ~ZERO_FLAG : 0) | (flag && !extended ? ZERO_FLAG : 0)) >>> 0;
    view.setUint32(entry, nextHigh);
    view.setUint32(entry + 4, nextLow);
    if (extended) {
      view.setUint32(entry + 8, flag ? 0xffffffff : 0);
      view.setUint32(entry + 12, 0);
    }
    return true;
  }
}

/** What has no cluster stays without an entry; a write of zeroes says so by a flag, which only version 3 has. */
function leavesHoles(img: Image, how: Emptying): boolean {
  return how === "empty" || (img.nothingBelow && (how === "discard" || img.header.version === 2));
}

/** A raw data file must read as zeroes by itself. */
async function zeroData(img: Image, at: number, length: number, unmap: boolean): Promise<void> {
  const end = Math.min(at + length, img.data.size);
  if (end > at) await zeroRange(img.data, at, end - at, unmap);
}
