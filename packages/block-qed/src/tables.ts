import {
  BlockError,
  type BlockNode,
  type ClusterMap,
  Mutex,
  TableCache,
  type TablePiece,
  UNALLOCATED,
  ZEROES,
} from "@mimus/block";
import { type QedHeader, SECTOR, tableBytes } from "./header.ts";

/** Bytes of a table that are read at once. */
const PIECE = 1 << 16;
/** Entry of a cluster that reads as zeroes. */
export const ZERO_ENTRY = 1;

/** Which table an entry is in. */
export type Level = "L1" | "L2";

/**
 * The two levels of tables. New clusters and tables go to the end of the file. At a commit the second level reaches the
 * file after the data, and the first level after the second. Source: QEMU, "QED Image File Format", "Tables".
 */
export class QedTables implements ClusterMap {
  readonly clusterSize: number;
  readonly marksZeroes: boolean = true;
  /** Entries of a table. */
  readonly entries: number;
  readonly #file: BlockNode;
  readonly #filename: string;
  readonly #l1At: number;
  readonly #tableBytes: number;
  readonly #firstCluster: number;
  readonly #l1: TableCache;
  readonly #l2: TableCache;
  readonly #making: Mutex = new Mutex();
  /** Clusters that got a place since the last commit: many megabytes must not hang on a few tables. */
  #unsaved = 0;
  /** First byte of the file that nothing uses. */
  #end: number;

  constructor(file: BlockNode, header: QedHeader) {
    this.#file = file;
    this.#filename = file.filename ?? file.name;
    this.clusterSize = header.clusterSize;
    this.#tableBytes = tableBytes(header);
    this.entries = this.#tableBytes / 8;
    this.#l1At = header.l1At;
    this.#firstCluster = header.headerClusters * header.clusterSize;
    this.#l1 = new TableCache(file, { limit: 4 << 20 });
    this.#l2 = new TableCache(file, { limit: 8 << 20 });
    this.#end = Math.ceil(file.size / header.clusterSize) * header.clusterSize;
  }

  get changed(): number {
    return this.#l1.changed + this.#l2.changed + (this.#unsaved >> 4);
  }

  /** Bytes of the file that hold whole clusters. */
  get end(): number {
    return this.#end;
  }

  peek(cluster: number): number | undefined {
    const table = this.#tableOf(cluster);
    if (table === undefined) return undefined;
    if (table === 0) return UNALLOCATED;
    const index = cluster % this.entries;
    const piece = this.#l2.peek(table + start(index));
    if (!piece) return undefined;
    const at = (index * 8) % PIECE;
    const high = piece.view.getUint32(at + 4, true);
    const low = piece.view.getUint32(at, true);
    if (high === 0 && low === 0) return UNALLOCATED;
    if (high === 0 && low === ZERO_ENTRY) return ZEROES;
    const place = high * 2 ** 32 + low;
    if (this.isPlace(place, this.clusterSize)) return place;
    throw this.wrong("L2", cluster, place);
  }

  span(cluster: number): number {
    return this.#tableOf(cluster) === 0 ? this.entries - (cluster % this.entries) : 1;
  }

  async load(cluster: number): Promise<void> {
    const number = Math.floor(cluster / this.entries);
    if (this.#tableOf(cluster) === undefined)
      await this.#l1.load(this.#l1At + start(number), Math.min(PIECE, this.#tableBytes));
    const table = this.#tableOf(cluster);
    if (table === undefined || table === 0) return;
    await this.#l2.load(table + start(cluster % this.entries), Math.min(PIECE, this.#tableBytes));
  }

  allocate(): number {
    const place = this.#end;
    this.#end += this.clusterSize;
    return place;
  }

  async set(cluster: number, place: number): Promise<void> {
    const index = cluster % this.entries;
    for (;;) {
      await this.load(cluster);
      const table = this.#tableOf(cluster);
      if (table === 0) {
        await this.#makeTable(Math.floor(cluster / this.entries));
        continue;
      }
      const piece = table === undefined ? undefined : this.#l2.peek(table + start(index));
      if (!piece) continue;
      this.#unsaved++;
      put(this.#l2, piece, index, place === ZEROES ? ZERO_ENTRY : place === UNALLOCATED ? 0 : place);
      return;
    }
  }

  async commit(): Promise<void> {
    this.#unsaved = 0;
    await this.#l2.commit();
    if (this.#l1.changed > 0) await this.#l1.commit();
  }

  /** An entry of a table as it stands, unchecked; -1 when it is beyond 2^53. */
  async entry(level: Level, table: number, index: number): Promise<number> {
    const piece = await (level === "L1" ? this.#l1 : this.#l2).load(
      table + start(index),
      Math.min(PIECE, this.#tableBytes),
    );
    const at = (index * 8) % PIECE;
    const value = piece.view.getUint32(at + 4, true) * 2 ** 32 + piece.view.getUint32(at, true);
    return value <= Number.MAX_SAFE_INTEGER ? value : -1;
  }

  /** Calls with each entry of a table that is not 0, unchecked; -1 stands for one beyond 2^53. */
  async entriesOf(level: Level, table: number, each: (index: number, value: number) => void): Promise<void> {
    const length = Math.min(PIECE, this.#tableBytes);
    for (let start = 0; start < this.#tableBytes; start += length) {
      const { view } = await (level === "L1" ? this.#l1 : this.#l2).load(table + start, length);
      for (let at = 0; at < length; at += 8) {
        const high = view.getUint32(at + 4, true);
        const low = view.getUint32(at, true);
        if (high === 0 && low === 0) continue;
        const value = high * 2 ** 32 + low;
        each((start + at) / 8, value <= Number.MAX_SAFE_INTEGER ? value : -1);
      }
    }
  }

  /** Overwrites an entry of a table: repairs. */
  async overwrite(level: Level, table: number, index: number, value: number): Promise<void> {
    const cache = level === "L1" ? this.#l1 : this.#l2;
    put(cache, await cache.load(table + start(index), Math.min(PIECE, this.#tableBytes)), index, value);
  }

  /** True when `length` bytes at an offset can be clusters of this image. */
  isPlace(at: number, length: number): boolean {
    // The last cluster may be cut short, but not be missing.
    return at >= this.#firstCluster && at % this.clusterSize === 0 && at + length - this.clusterSize < this.#file.size;
  }

  /** Forgets what lies behind `end`, which nothing uses. */
  shrink(end: number): void {
    this.#end = end;
  }

  /** The error for an entry that cannot be right. */
  wrong(level: Level, index: number, value: number): BlockError {
    return new BlockError(
      "corrupt",
      `'${this.#filename}': ${level} entry ${index} is 0x${value.toString(16)}, which must be a cluster of the file`,
      { at: value },
    );
  }

  #makeTable(number: number): Promise<void> {
    return this.#making.run(async () => {
      if ((await this.entry("L1", this.#l1At, number)) !== 0) return;
      const place = this.#end;
      this.#end += this.#tableBytes;
      // What lies beyond the end of a file reads as zeroes once the file is longer: empty entries.
      await this.#file.write(place + this.#tableBytes - SECTOR, new Uint8Array(SECTOR));
      await this.overwrite("L1", this.#l1At, number, place);
    });
  }

  /** Where the table of a cluster lies, when the first level is in memory; 0 = there is none. */
  #tableOf(cluster: number): number | undefined {
    const number = Math.floor(cluster / this.entries);
    const piece = this.#l1.peek(this.#l1At + start(number));
    if (!piece) return undefined;
    const at = (number * 8) % PIECE;
    const table = piece.view.getUint32(at + 4, true) * 2 ** 32 + piece.view.getUint32(at, true);
    if (table === 0 || this.isPlace(table, this.#tableBytes)) return table;
    throw this.wrong("L1", number, table);
  }
}

/** First byte, within its table, of the piece that has an entry. */
function start(index: number): number {
  return Math.floor((index * 8) / PIECE) * PIECE;
}

function put(cache: TableCache, piece: TablePiece, index: number, value: number): void {
  const at = (index * 8) % PIECE;
  piece.view.setUint32(at, value >>> 0, true);
  piece.view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  cache.change(piece, at, 8);
}
