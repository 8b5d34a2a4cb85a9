import { BlockError } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import type { Piece } from "./cache.ts";
import { PieceCache } from "./cache.ts";
import { MAX_REFCOUNT_TABLE_BYTES } from "./constants.ts";
import { nextEntry } from "./next-entry.ts";
import type { OverlapGuard } from "./overlap.ts";
import type { RefcountEntries } from "./refcount-entries.ts";
import { refcountEntries } from "./refcount-entries.ts";

/** Why clusters were given up: decides whether their space goes back to the host. */
export type FreeReason = "request" | "snapshot" | "other" | "never";

const BLOCK_EVENTS = { load: "refblock_load", update: "refblock_update_part", first: "refblock_alloc_write" };

/** Clusters to be given up once nothing stable points at them. */
export interface Free {
  first: number;
  count: number;
  readonly reason: FreeReason;
}

/** What refcounts need from their image. */
export interface RefcountOwner {
  readonly file: BlockNode;
  readonly filename: string;
  readonly clusterSize: number;
  readonly guard: OverlapGuard;
  /** The header's fields of the refcount table get new values; the old table is unused afterwards. */
  switchRefcountTable(at: number, clusters: number): Promise<void>;
  /** Clusters came to refcount zero. */
  freed(first: number, count: number, reason: FreeReason): Promise<void>;
}

/** The refcounts of an image: table in memory, blocks on demand. All changes happen under the image's mutex. */
export class Refcounts {
  readonly owner: RefcountOwner;
  readonly entries: RefcountEntries;
  /** Refcounts in one block. */
  readonly perBlock: number;
  readonly cache: PieceCache;
  at: number;
  table: DataView;
  /** Changed sectors of the table. */
  readonly dirty: Set<number> = new Set();
  /** Given up since the last flush. */
  pending: Free[] = [];
  /** Nothing below is free. */
  hint = 0;
  /** First cluster behind all that are in use or were ever. */
  highWater: number;

  constructor(
    owner: RefcountOwner,
    order: number,
    table: { at: number; bytes: Uint8Array },
    opts: { cacheBytes: number },
  ) {
    this.owner = owner;
    this.entries = refcountEntries(order);
    this.perBlock = (owner.clusterSize * 8) / 2 ** order;
    this.cache = new PieceCache(owner.file, owner.clusterSize, opts.cacheBytes, BLOCK_EVENTS);
    this.at = table.at;
    this.table = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
    this.highWater = Math.ceil(owner.file.size / owner.clusterSize);
  }

  /** Entries of the table. */
  get tableEntries(): number {
    return this.table.byteLength / 8;
  }

  /** The first entry of the table, from `index` on, that is not zero; {@link tableEntries} when there is none. */
  nextBlock(index: number): number {
    const { buffer, byteOffset, byteLength } = this.table;
    if (byteOffset % 4 !== 0) return index;
    return nextEntry(new Int32Array(buffer, byteOffset, byteLength >> 2), index * 2, 2) >> 1;
  }

  /** Offset of a refcount block; 0 = none, -1 = not an offset where a block may lie. */
  placeOf(index: number): number {
    if (index >= this.tableEntries) return 0;
    const high = this.table.getUint32(index * 8);
    const at = high * 2 ** 32 + ((this.table.getUint32(index * 8 + 4) & 0xfffffe00) >>> 0);
    return high < 1 << 21 && at % this.owner.clusterSize === 0 ? at : -1;
  }

  /** Offset of a refcount block; 0 = none. @throws BlockError "corrupt" */
  blockAt(index: number): number {
    const at = this.placeOf(index);
    if (at >= 0) return at;
    const entry = [this.table.getUint32(index * 8), this.table.getUint32(index * 8 + 4)];
    const text = entry.map((half) => half.toString(16).padStart(8, "0")).join("");
    throw new BlockError(
      "corrupt",
      `'${this.owner.filename}': refcount block offset ${index} 0x${text} must be aligned and below 2^53`,
      { at: this.at + index * 8 },
    );
  }

  /** The refcount of a cluster. */
  async get(cluster: number): Promise<number> {
    const piece = await this.block(Math.floor(cluster / this.perBlock));
    return piece ? this.entries.read(piece.view, cluster % this.perBlock) : 0;
  }

  /** The refcount of a cluster when its block is in memory: without waiting. */
  known(cluster: number): number | undefined {
    const index = Math.floor(cluster / this.perBlock);
    const at = this.blockAt(index);
    if (at === 0) return 0;
    const piece = this.cache.peek(at);
    return piece && this.entries.read(piece.view, cluster % this.perBlock);
  }

  async block(index: number): Promise<Piece | undefined> {
    const at = this.blockAt(index);
    if (at === 0) return undefined;
    return this.cache.peek(at) ?? this.cache.get(at);
  }

  /** Takes up to `want` free clusters that follow each other, at least one; their refcount becomes 1. */
  async allocate(want: number): Promise<{ first: number; count: number }> {
    await this.owner.file.event?.("cluster_alloc");
    const found = await this.#search(want, false);
    this.hint = found.first + found.count;
    return this.#take(found);
  }

  /** Takes exactly `count` clusters that follow each other. */
  async allocateExactly(count: number): Promise<number> {
    await this.owner.file.event?.("cluster_alloc");
    if (count >= this.perBlock) return this.#append(count);
    const found = await this.#search(count, true);
    if (found.first === this.hint) this.hint += count;
    return (await this.#take(found)).first;
  }

  /** Adds `delta` (1 or -1) to the refcounts of a range. @throws BlockError when one would leave its range: none is changed then. */
  async add(first: number, count: number, delta: 1 | -1): Promise<void> {
    const limit = delta > 0 ? this.entries.max : 0;
    for (let i = first; i < first + count;) {
      const piece = await this.#blockToChange(i, delta);
      const base = i - (i % this.perBlock);
      const end = Math.min(first + count, base + this.perBlock);
      for (let k = i; k < end; k++) if (this.entries.read(piece.view, k - base) === limit) throw this.#limit(k, delta);
      i = end;
    }
    for (let i = first; i < first + count;) {
      const piece = await this.#blockToChange(i, delta);
      const base = i - (i % this.perBlock);
      const end = Math.min(first + count, base + this.perBlock);
      for (let k = i; k < end; k++)
        this.entries.write(piece.view, k - base, this.entries.read(piece.view, k - base) + delta);
      this.#touch(piece, i - base, end - i);
      i = end;
    }
    if (delta > 0) this.highWater = Math.max(this.highWater, first + count);
  }

  /** Brings the refcounts of one block to what is `wanted`: too large ones, and with `raise` too small ones. */
  async correct(index: number, raise: boolean, wanted: (cluster: number) => number): Promise<void> {
    const base = index * this.perBlock;
    if (!raise && this.blockAt(index) === 0) return;
    const piece = await this.#blockToChange(base, 1);
    let first = -1;
    let last = -1;
    for (let k = 0; k < this.perBlock; k++) {
      const stored = this.entries.read(piece.view, k);
      const want = Math.min(this.entries.max, wanted(base + k));
      if (stored === want || (stored < want && !raise)) continue;
      this.entries.write(piece.view, k, want);
      if (first < 0) first = k;
      last = k;
    }
    if (first >= 0) this.#touch(piece, first, last - first + 1);
  }

  /** Gives clusters up: their refcounts go down by one when the next flush has made stable that nothing points there. */
  free(first: number, count: number, reason: FreeReason): void {
    const last = this.pending.at(-1);
    if (last && last.first + last.count === first && last.reason === reason) last.count += count;
    else this.pending.push({ first, count, reason });
  }

  /** Carries out what `free` asked for. */
  async release(list: readonly Free[]): Promise<void> {
    for (const { first, count, reason } of list) {
      await this.owner.file.event?.("cluster_free");
      await this.add(first, count, -1);
      let run = 0;
      for (let i = first; i <= first + count; i++) {
        if (i < first + count && (await this.#isZero(i))) {
          run++;
          continue;
        }
        if (run > 0) {
          this.hint = Math.min(this.hint, i - run);
          await this.owner.freed(i - run, run, reason);
        }
        run = 0;
      }
    }
  }

  async #isZero(cluster: number): Promise<boolean> {
    return (await this.get(cluster)) === 0;
  }

  async #search(want: number, exact: boolean): Promise<{ first: number; count: number }> {
    let first = 0;
    let count = 0;
    for (let i = this.hint; ;) {
      const index = Math.floor(i / this.perBlock);
      const base = index * this.perBlock;
      const piece = await this.block(index);
      if (!piece) {
        if (count > 0 && !exact) break;
        count = 0;
        await this.#createBlock(index);
        continue;
      }
      let k = i - base;
      for (; k < this.perBlock && count < want; k++) {
        if (this.entries.read(piece.view, k) === 0) {
          if (count++ === 0) first = base + k;
        } else if (count > 0) {
          if (!exact) return { first, count };
          count = 0;
        }
      }
      if (count === want) break;
      i = base + this.perBlock;
    }
    return { first, count };
  }

  async #take(found: { first: number; count: number }): Promise<{ first: number; count: number }> {
    this.owner.guard.assertFree(found.first, found.count);
    await this.add(found.first, found.count, 1);
    return found;
  }

  async #blockToChange(cluster: number, delta: 1 | -1): Promise<Piece> {
    const index = Math.floor(cluster / this.perBlock);
    // The step of QEMU that looks whether there is a block already.
    const stopped = this.owner.file.event?.("refblock_alloc");
    if (stopped) await stopped;
    const piece = await this.block(index);
    if (piece) {
      this.owner.guard.assertHolds(piece.at / this.owner.clusterSize, "refcount-block");
      return piece;
    }
    if (delta < 0) throw this.#limit(cluster, delta);
    return this.#createBlock(index);
  }

  #touch(piece: Piece, index: number, count: number): void {
    const bits = (this.owner.clusterSize * 8) / this.perBlock;
    const from = Math.floor((index * bits) / 8);
    this.cache.touch(piece, from, Math.ceil(((index + count) * bits) / 8) - from);
  }

  /** A block for clusters that none describes yet: it lies in the first of them. */
  async #createBlock(index: number): Promise<Piece> {
    if (index >= this.tableEntries) await this.#growTable(index + 1, 0);
    const present = await this.block(index);
    if (present) return present;
    const cluster = index * this.perBlock;
    this.owner.guard.assertFree(cluster, 1);
    const piece = this.cache.create(cluster * this.owner.clusterSize);
    this.entries.write(piece.view, 0, 1);
    this.#setBlock(index, piece.at);
    this.highWater = Math.max(this.highWater, cluster + 1);
    return piece;
  }

  #setBlock(index: number, at: number): void {
    this.table.setUint32(index * 8, Math.floor(at / 2 ** 32));
    this.table.setUint32(index * 8 + 4, at >>> 0);
    this.dirty.add(index >>> 6);
    this.owner.guard.claim(at / this.owner.clusterSize, 1, "refcount-block");
  }

  /** Clusters behind everything, with the blocks that count them before them: for runs longer than a block describes. */
  async #append(count: number): Promise<number> {
    const start = Math.max(this.highWater, 1);
    const from = Math.floor(start / this.perBlock);
    const missing = (end: number): number[] => {
      const list: number[] = [];
      for (let i = from; i * this.perBlock < end; i++) if (this.blockAt(i) === 0) list.push(i);
      return list;
    };
    let blocks = missing(start + count);
    for (;;) {
      const again = missing(start + blocks.length + count);
      if (again.length === blocks.length) break;
      blocks = again;
    }
    const end = start + blocks.length + count;
    const needed = Math.ceil(end / this.perBlock);
    if (needed > this.tableEntries) {
      await this.#growTable(needed, 0);
      return this.#append(count);
    }
    for (const [i, index] of blocks.entries()) {
      this.owner.guard.assertFree(start + i, 1);
      this.#setBlock(index, this.cache.create((start + i) * this.owner.clusterSize).at);
    }
    this.owner.guard.assertFree(start + blocks.length, count);
    for (let i = start; i < end; i++) if ((await this.get(i)) !== 0) throw this.#limit(i, 1);
    await this.add(start, end - start, 1);
    return start + blocks.length;
  }

  /** A larger table, behind everything that the present one describes, with blocks for itself. */
  async #growTable(atLeast: number, round: number): Promise<void> {
    const { clusterSize, filename, file } = this.owner;
    await file.event?.("reftable_grow");
    const start = Math.max(this.highWater, this.tableEntries * this.perBlock);
    let entries = Math.max(atLeast, Math.ceil(this.tableEntries * 1.5));
    let clusters = 0;
    let blocks = 0;
    const firstBlock = Math.floor(start / this.perBlock);
    for (let again = true; again;) {
      clusters = Math.ceil((entries * 8) / clusterSize);
      const last = Math.floor((start + clusters + blocks - 1) / this.perBlock);
      again = last + 1 > entries || last - firstBlock + 1 > blocks;
      blocks = last - firstBlock + 1;
      entries = Math.max(entries, last + 1);
      if (clusters * clusterSize > MAX_REFCOUNT_TABLE_BYTES || ++round > 1000)
        throw new BlockError("no-space", `'${filename}': the refcount table cannot grow beyond 8 MiB`);
    }
    const bytes = new Uint8Array(clusters * clusterSize);
    bytes.set(new Uint8Array(this.table.buffer, this.table.byteOffset, this.table.byteLength));
    const old = { at: this.at, clusters: this.table.byteLength / clusterSize };
    const before = this.table;
    const dirty = [...this.dirty];
    this.table = new DataView(bytes.buffer);
    for (let i = 0; i < blocks; i++) {
      const piece = this.cache.create((start + i) * clusterSize);
      this.#setBlock(firstBlock + i, piece.at);
    }
    for (let i = start; i < start + blocks + clusters; i++) {
      const piece = this.cache.peek(this.blockAt(Math.floor(i / this.perBlock)))!;
      this.entries.write(piece.view, i % this.perBlock, 1);
    }
    const at = (start + blocks) * clusterSize;
    try {
      await file.event?.("refblock_alloc_write_blocks");
      await this.cache.write();
      await file.event?.("refblock_alloc_write_table");
      await file.write(at, bytes);
      await file.flush();
      await file.event?.("refblock_alloc_switch_table");
      await this.owner.switchRefcountTable(at, clusters);
    } catch (e) {
      this.table = before;
      this.dirty.clear();
      for (const sector of dirty) this.dirty.add(sector);
      for (let i = 0; i < blocks; i++) {
        this.cache.drop((start + i) * clusterSize);
        this.owner.guard.release(start + i, 1, "refcount-block");
      }
      // The file's header may name the new table all the same, until it is written again: nothing else comes there.
      this.highWater = start + blocks + clusters;
      throw e;
    }
    this.at = at;
    this.dirty.clear();
    this.highWater = start + blocks + clusters;
    this.free(old.at / clusterSize, old.clusters, "other");
  }

  #limit(cluster: number, delta: number): BlockError {
    if (delta < 0)
      return new BlockError(
        "corrupt",
        `'${this.owner.filename}': refcount of cluster ${cluster} would become less than 0`,
      );
    return new BlockError(
      "unsupported-feature",
      `'${this.owner.filename}': refcount of cluster ${cluster} would become more than ${this.entries.max}`,
    );
  }
}
