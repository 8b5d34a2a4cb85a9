import {
  BlockError,
  type BlockNode,
  type ClusterMap,
  type Codecs,
  COMPRESSED,
  Mutex,
  TableCache,
  type TablePiece,
  UNALLOCATED,
  ZEROES,
} from "@mimus/block";
import { packGrain, unpackGrain } from "./grain-marker.ts";
import { type Metadata, SECTOR, type SparseLayout } from "./sparse-header.ts";

/** Bytes of the grain directory that are read at once. */
const PIECE = 1 << 16;
/** Entry of a grain that reads as zeroes, where the extent has such. */
const ZEROED = 1;
/** Level of deflate for grains. */
const LEVEL = 6;

/**
 * Grain directory and grain tables of a sparse extent, with 32-bit entries that count sectors. New grains go to the end
 * of the file. Tables reach the file after the grains, and directory entries after the tables.
 */
export class GrainMap implements ClusterMap {
  readonly clusterSize: number;
  readonly marksZeroes: boolean;
  readonly store?: (grain: number, bytes: Uint8Array) => Promise<void>;
  readonly #file: BlockNode;
  readonly #layout: SparseLayout;
  readonly #filename: string;
  readonly #codecs: Codecs;
  readonly #directory: TableCache;
  readonly #copyDirectory: TableCache;
  readonly #tables: TableCache;
  readonly #making: Mutex = new Mutex();
  readonly #storing: Mutex = new Mutex();
  readonly #tableBytes: number;
  /** Tables by their number: where the second copy is; 0 = none. */
  readonly #copies: Map<number, number> = new Map();
  /** Grains that got a place since the last commit: many megabytes must not hang on a few tables. */
  #unsaved = 0;
  /** Header, descriptor and directories: where no grain can be. */
  readonly #metadata: readonly Metadata[];
  /** Behind all of it. */
  readonly #metadataEnd: number;
  /** First byte of the file that nothing uses. */
  #end: number;

  constructor(file: BlockNode, layout: SparseLayout, codecs: Codecs) {
    this.#file = file;
    this.#layout = layout;
    this.#codecs = codecs;
    this.#filename = file.filename ?? file.name;
    this.clusterSize = layout.grain;
    this.marksZeroes = layout.zeroedGrains;
    this.#tableBytes = layout.entries * 4;
    this.#directory = new TableCache(file, { limit: 4 << 20 });
    this.#copyDirectory = new TableCache(file, { limit: 4 << 20 });
    this.#tables = new TableCache(file, { limit: 8 << 20, write: (sectors) => this.#writeTables(sectors) });
    this.#end = file.size;
    this.#metadata = [
      ...layout.metadata,
      { what: "redundant grain directory", at: layout.copyAt ?? 0, bytes: layout.copyAt ? layout.tables * 4 : 0 },
      { what: "grain directory", at: layout.directoryAt, bytes: layout.tables * 4 },
    ];
    this.#metadataEnd = Math.max(...this.#metadata.map(({ at, bytes }) => at + bytes));
    if (layout.compressed) this.store = (grain, bytes) => this.#storeCompressed(grain, bytes);
    if (layout.tables > 0) this.#need("grain directory", layout.directoryAt, layout.tables * 4);
    if (layout.tables > 0 && layout.copyAt !== undefined)
      this.#need("redundant grain directory", layout.copyAt, layout.tables * 4);
  }

  get changed(): number {
    return this.#tables.changed + this.#directory.changed + this.#copyDirectory.changed + (this.#unsaved >> 4);
  }

  peek(grain: number): number | undefined {
    const { entries } = this.#layout;
    const number = Math.floor(grain / entries);
    const table = this.tableAt(number);
    if (table === undefined) return undefined;
    if (table === 0) return UNALLOCATED;
    const piece = this.#tables.peek(table);
    if (!piece) return undefined;
    const entry = piece.view.getUint32((grain % entries) * 4, true);
    if (entry === 0) return UNALLOCATED;
    if (entry === ZEROED && this.#layout.zeroedGrains) return ZEROES;
    const place = entry * SECTOR;
    if (place < this.#metadataEnd) {
      const fault = this.fault(place);
      if (fault !== undefined)
        throw new BlockError("corrupt", `'${this.#filename}': grain ${grain} at ${place} ${fault}`, { at: table });
    }
    return this.#layout.compressed ? COMPRESSED : place;
  }

  /** What cannot be right with a grain at this place. */
  fault(place: number): string | undefined {
    // How long a compressed one is stands in it.
    const bytes = this.#layout.compressed ? SECTOR : this.clusterSize;
    const over = this.#metadata.find((m) => m.bytes > 0 && place < m.at + m.bytes && m.at < place + bytes);
    return over && `lies over the ${over.what}`;
  }

  span(grain: number): number {
    const { entries } = this.#layout;
    return this.tableAt(Math.floor(grain / entries)) === 0 ? entries - (grain % entries) : 1;
  }

  async load(grain: number): Promise<void> {
    const number = Math.floor(grain / this.#layout.entries);
    let table = this.tableAt(number);
    while (table === undefined) {
      await this.#loadDirectory(number);
      table = this.tableAt(number);
    }
    if (table === 0) return;
    if (!this.#tables.peek(table)) this.#need(`grain table ${number}`, table, this.#tableBytes);
    await this.#tables.load(table, this.#tableBytes);
  }

  allocate(): number {
    const { grain } = this.#layout;
    const place = Math.ceil(this.#end / grain) * grain;
    this.#bound(place);
    this.#end = place + grain;
    return place;
  }

  async set(grain: number, place: number): Promise<void> {
    await this.#setEntry(grain, place === ZEROES ? ZEROED : place / SECTOR);
  }

  async readCompressed(grain: number): Promise<Uint8Array> {
    const entry = await this.entry(grain);
    return unpackGrain(this.#file, entry * SECTOR, {
      filename: this.#filename,
      grain,
      bytes: this.clusterSize,
      used: Math.min(this.clusterSize, this.#layout.size - grain * this.clusterSize),
      markers: this.#layout.markers,
      codecs: this.#codecs,
    });
  }

  /** The entry of a grain as it stands in its table; 0 without a table. */
  async entry(grain: number): Promise<number> {
    const { entries } = this.#layout;
    for (;;) {
      await this.load(grain);
      const table = this.tableAt(Math.floor(grain / entries));
      if (table === 0) return 0;
      const piece = table === undefined ? undefined : this.#tables.peek(table);
      if (piece) return piece.view.getUint32((grain % entries) * 4, true);
    }
  }

  /** Calls with each grain of a table that has an entry, and the entry. */
  async entriesOf(number: number, each: (grain: number, entry: number) => void): Promise<void> {
    const { entries } = this.#layout;
    const first = number * entries;
    await this.load(first);
    const table = await this.table(number);
    if (table === 0) return;
    const { view } = await this.#tables.load(table, this.#tableBytes);
    for (let i = 0; i < entries; i++) {
      const entry = view.getUint32(i * 4, true);
      if (entry !== 0) each(first + i, entry);
    }
  }

  /** Where a table lies; 0 = there is none. */
  async table(number: number): Promise<number> {
    for (;;) {
      const table = this.tableAt(number);
      if (table !== undefined) return table;
      await this.#loadDirectory(number);
    }
  }

  async commit(): Promise<void> {
    this.#unsaved = 0;
    await this.#tables.commit();
    if (this.#copyDirectory.changed > 0) await this.#copyDirectory.commit();
    if (this.#directory.changed > 0) await this.#directory.commit();
  }

  /** Grains are packed at once and stored in the order of the calls: a stream's grains ascend when its writes do. */
  async #storeCompressed(grain: number, bytes: Uint8Array): Promise<void> {
    const packing = this.#codecs.deflate(bytes, LEVEL);
    packing.catch(() => undefined);
    const place = await this.#storing.run(async () => {
      const packed = packGrain(grain * (this.clusterSize / SECTOR), await packing);
      const at = this.#end;
      this.#bound(at);
      this.#end = at + packed.length;
      await this.#file.write(at, packed);
      return at;
    });
    await this.#setEntry(grain, place / SECTOR);
  }

  async #setEntry(grain: number, entry: number): Promise<void> {
    const { entries } = this.#layout;
    const number = Math.floor(grain / entries);
    for (;;) {
      await this.load(grain);
      const table = this.tableAt(number);
      if (table === 0) await this.#makeTable(number);
      else {
        if (this.#layout.copyAt !== undefined && !this.#copies.has(number)) {
          this.#copies.set(number, await this.#copyOf(number));
          continue;
        }
        const piece = table === undefined ? undefined : this.#tables.peek(table);
        if (!piece) continue;
        const at = (grain % entries) * 4;
        piece.view.setUint32(at, entry, true);
        this.#tables.change(piece, at, 4);
        this.#unsaved++;
        return;
      }
    }
  }

  /** A table for a part of the disk that had none. */
  #makeTable(number: number): Promise<void> {
    return this.#making.run(async () => {
      if ((await this.table(number)) !== 0) return;
      if (this.#layout.copyAt !== undefined) {
        const copy = await this.#emptyTable();
        this.#copies.set(number, copy);
        await this.#setDirectory(true, number, copy);
      }
      const place = await this.#emptyTable();
      this.#tables.put(place, new Uint8Array(this.#tableBytes));
      await this.#setDirectory(false, number, place);
    });
  }

  /** A new table is there in whole before the directory names it: as zeroes, its entries come later. */
  async #emptyTable(): Promise<number> {
    const place = Math.ceil(this.#end / SECTOR) * SECTOR;
    this.#bound(place);
    const bytes = Math.ceil(this.#tableBytes / SECTOR) * SECTOR;
    this.#end = place + bytes;
    await this.#file.write(place, new Uint8Array(bytes));
    return place;
  }

  async #setDirectory(copy: boolean, number: number, place: number): Promise<void> {
    const cache = copy ? this.#copyDirectory : this.#directory;
    const base = (copy ? this.#layout.copyAt : undefined) ?? this.#layout.directoryAt;
    for (;;) {
      const piece = cache.peek(base + this.#start(number));
      if (piece) {
        const at = (number * 4) % PIECE;
        piece.view.setUint32(at, place / SECTOR, true);
        cache.change(piece, at, 4);
        return;
      }
      await this.#loadDirectory(number, copy);
    }
  }

  /** Where the second copy of a table lies; 0 when the second directory leads to something else, which must not be written over. */
  async #copyOf(number: number): Promise<number> {
    const piece = await this.#loadDirectory(number, true);
    const place = piece.view.getUint32((number * 4) % PIECE, true) * SECTOR;
    const table = this.tableAt(number) ?? 0;
    if (table === 0 || place === 0 || place === table || place + this.#tableBytes > this.#file.size) return 0;
    const [first, second] = [new Uint8Array(this.#tableBytes), new Uint8Array(this.#tableBytes)];
    await this.#file.read(table, first);
    await this.#file.read(place, second);
    return first.every((byte, at) => byte === second[at]) ? place : 0;
  }

  async #writeTables(sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Promise<void> {
    for (const { at, bytes } of sectors) await this.#file.write(at, bytes);
    if (this.#layout.copyAt !== undefined) {
      const copies = new Map<number, number>();
      for (const [number, copy] of this.#copies) {
        const table = this.tableAt(number);
        if (table !== undefined && table > 0 && copy > 0) copies.set(table, copy);
      }
      for (const { at, bytes } of sectors) await this.#writeCopies(at, bytes, copies);
    }
    await this.#file.flush();
  }

  /** Changed sectors, table by table, into the second copies. */
  async #writeCopies(at: number, bytes: Uint8Array, copies: ReadonlyMap<number, number>): Promise<void> {
    for (let here = 0; here < bytes.length; here += SECTOR)
      for (let back = 0; back < this.#tableBytes; back += SECTOR) {
        const copy = copies.get(at + here - back);
        if (copy === undefined) continue;
        await this.#file.write(copy + back, bytes.subarray(here, here + SECTOR));
        break;
      }
  }

  #loadDirectory(number: number, copy = false): Promise<TablePiece> {
    const base = (copy ? this.#layout.copyAt : undefined) ?? this.#layout.directoryAt;
    const start = this.#start(number);
    const room = Math.ceil((this.#layout.tables * 4 - start) / SECTOR) * SECTOR;
    return (copy ? this.#copyDirectory : this.#directory).load(base + start, Math.min(PIECE, room));
  }

  #start(number: number): number {
    return Math.floor((number * 4) / PIECE) * PIECE;
  }

  /** Where a table lies by the directory, when that is in memory; 0 = there is none. */
  tableAt(number: number): number | undefined {
    const piece = this.#directory.peek(this.#layout.directoryAt + this.#start(number));
    return piece && piece.view.getUint32((number * 4) % PIECE, true) * SECTOR;
  }

  #need(what: string, at: number, length: number): void {
    if (at > 0 && at + length <= this.#file.size) return;
    throw new BlockError(
      "corrupt",
      `'${this.#filename}': ${what} at ${at} with ${length} bytes must lie in the file of ${this.#file.size}`,
      { at },
    );
  }

  #bound(place: number): void {
    if (place / SECTOR > 0xffffffff)
      throw new BlockError("no-space", `'${this.#filename}': a sparse extent's file can have 2 TiB`);
  }
}
