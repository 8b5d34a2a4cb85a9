import type { BlockNode, OwnSectors, SectorMap, TablePiece } from "@mimus/block";
import { BlockError, TableCache, UNALLOCATED, ZEROES } from "@mimus/block";
import { MIB } from "./header.ts";
import { LOG_SECTOR } from "./log-entry.ts";
import type { LogWriter } from "./log-write.ts";
import type { Metadata } from "./metadata.ts";
import type { Region, Regions } from "./regions.ts";

/** States of a payload block. Source: [MS-VHDX] 2.5.1.1, "Payload BAT Entry States". */
const NOT_PRESENT = 0;
const UNDEFINED = 1;
export const ZERO = 2;
const UNMAPPED = 3;
/** As version 0.95 of the specification had it. */
const UNMAPPED_OLD = 5;
export const FULLY_PRESENT = 6;
const PARTIALLY_PRESENT = 7;
/** State of a sector bitmap block that is there. */
const BITMAP_PRESENT = 6;

/** Bytes of the table that are read at once. */
const PIECE = 1 << 16;
/** Sectors that a sector bitmap block has bits for. */
const CHUNK_SECTORS = 1 << 23;

/** What a {@link BlockMap} stands on. */
export interface BlockMapOptions {
  readonly file: BlockNode;
  readonly metadata: Metadata;
  readonly regions: Regions;
  readonly log: LogWriter | undefined;
  readonly logRegion: Region;
  /** New blocks without content get the state "zero", as QEMU has it, instead of "not present". */
  readonly blockStateZero: boolean;
}

/** Entries of the whole table for a disk of so many bytes. Source: [MS-VHDX] 2.5, "BAT". */
export function batEntries(m: Pick<Metadata, "diskBytes" | "blockBytes" | "logicalSector" | "hasParent">): number {
  const ratio = (CHUNK_SECTORS * m.logicalSector) / m.blockBytes;
  const blocks = Math.ceil(m.diskBytes / m.blockBytes);
  if (m.hasParent) return Math.ceil(blocks / ratio) * (ratio + 1);
  return blocks + Math.floor(Math.max(0, blocks - 1) / ratio);
}

/**
 * The block allocation table: for each block its state and its place, and after each chunk of blocks a block of sector bits,
 * which images with a parent use. New blocks go to the end of the file. All changes go through the log.
 */
export class BlockMap implements SectorMap {
  readonly sectorSize: number;
  readonly clusterSize: number;
  readonly marksZeroes: boolean = true;
  readonly file: BlockNode;
  readonly #o: BlockMapOptions;
  readonly #filename: string;
  readonly #cache: TableCache;
  readonly #ratio: number;
  #bat: Region;
  #metadata: Metadata;
  readonly #free: number[] = [];
  readonly #stale: Set<number> = new Set();
  #end: number | undefined;

  constructor(opts: BlockMapOptions) {
    const { file, metadata, regions, log } = opts;
    this.#o = opts;
    this.file = file;
    this.clusterSize = metadata.blockBytes;
    this.sectorSize = metadata.logicalSector;
    this.#metadata = metadata;
    this.#bat = regions.bat;
    this.#ratio = (CHUNK_SECTORS * metadata.logicalSector) / metadata.blockBytes;
    this.#filename = file.filename ?? file.name;
    this.#cache = new TableCache(file, {
      unit: LOG_SECTOR,
      write: (sectors) => log?.write(sectors) ?? Promise.reject(new BlockError("read-only", "no log to write")),
    });
  }

  get changed(): number {
    return this.#cache.changed;
  }
  get bat(): Region {
    return this.#bat;
  }
  get metadata(): Metadata {
    return this.#metadata;
  }
  get blocks(): number {
    return Math.ceil(this.#metadata.diskBytes / this.clusterSize);
  }

  peek(block: number): number | undefined {
    const at = this.#entryAt(block);
    const piece = this.#cache.peek(this.#pieceAt(at));
    return piece && this.#place(piece.view, at % PIECE, block);
  }

  async load(block: number): Promise<void> {
    await this.#piece(this.#entryAt(block));
  }

  async #state(block: number): Promise<number> {
    const at = this.#entryAt(block);
    return (await this.#piece(at)).view.getUint32(at % PIECE, true) & 7;
  }

  allocate(): number {
    return this.#free.pop() ?? this.#reserve(this.clusterSize);
  }

  release(place: number): void {
    this.#stale.add(place);
    this.#free.push(place);
  }

  stale(place: number): boolean {
    return this.#stale.has(place);
  }

  async set(block: number, place: number, state: number = FULLY_PRESENT): Promise<void> {
    if (place === ZEROES) return this.#setEntry(this.#entryAt(block), ZERO, 0);
    await this.#setEntry(this.#entryAt(block), state, place);
    this.#stale.delete(place);
  }

  commit(): Promise<void> {
    this.#o.log?.noteSize();
    return this.#cache.commit();
  }

  /** Finds where the last block ends. Needed before anything is allocated. @throws BlockError "corrupt" */
  async scan(): Promise<void> {
    if (this.#end !== undefined) return;
    let end = Math.ceil(this.file.size / MIB) * MIB;
    for (const r of [...this.#o.regions.all, this.#bat, this.#o.logRegion]) end = Math.max(end, r.at + r.bytes);
    await this.each((_, place) => (end = Math.max(end, place + this.clusterSize)));
    this.#end = end;
  }

  /** Calls `see` for each block that has a place. */
  async each(see: (block: number, place: number) => void): Promise<void> {
    for (let block = 0; block < this.blocks; block++) {
      const at = this.#entryAt(block);
      const piece = this.#cache.peek(this.#pieceAt(at)) ?? (await this.#piece(at));
      const place = this.#place(piece.view, at % PIECE, block);
      if (place >= 0) see(block, place);
    }
  }

  /** Calls `see` for every place in the table, right or wrong, bitmap blocks included. */
  async eachRaw(see: (entry: number, state: number, place: number, bytes: number) => void): Promise<void> {
    const total = batEntries(this.#metadata);
    for (let i = 0; i < total; i++) {
      const piece = this.#cache.peek(this.#pieceAt(i * 8)) ?? (await this.#piece(i * 8));
      const low = piece.view.getUint32((i * 8) % PIECE, true);
      const high = piece.view.getUint32(((i * 8) % PIECE) + 4, true);
      const isBitmap = i % (this.#ratio + 1) === this.#ratio;
      if ((low & 7) >= 6) see(i, low & 7, high * 2 ** 32 + (low - (low % MIB)), isBitmap ? MIB : this.clusterSize);
    }
  }

  /** What cannot be right with `bytes` at a place. */
  fault(place: number, bytes: number): string | undefined {
    const end = place + bytes;
    if (place >= Math.max(this.file.size, this.#end ?? 0)) return `lies beyond the file (${this.file.size} bytes)`;
    if (place < MIB) return "lies over the headers";
    for (const r of [...this.#o.regions.all, this.#o.logRegion])
      if (place < r.at + r.bytes && r.at < end) return "lies over the tables";
    return undefined;
  }

  /** Takes an entry out of the table. */
  async forget(entry: number): Promise<void> {
    await this.#setEntry(entry * 8, NOT_PRESENT, 0);
  }

  /** The file ends at `end`; new blocks follow there. */
  async cutAt(end: number): Promise<void> {
    await this.commit();
    await this.file.resize?.(end);
    await this.file.flush();
    this.#end = end;
    this.#free.length = 0;
  }

  // ---- sector bits ----

  peekOwn(block: number, _place: number): OwnSectors | undefined {
    const at = this.#entryAt(block);
    const low = this.#cache.peek(this.#pieceAt(at))?.view.getUint32(at % PIECE, true);
    return low !== undefined && (low & 7) === FULLY_PRESENT ? "all" : undefined;
  }

  async loadOwn(block: number, _place: number): Promise<OwnSectors> {
    if ((await this.#state(block)) === FULLY_PRESENT) return "all";
    const bits = await this.#bits(block, false);
    if (!bits) return () => false;
    const { piece, first } = bits;
    return (sector) => ((piece.bytes[(first + sector) >> 3] ?? 0) & (1 << ((first + sector) & 7))) !== 0;
  }

  async own(block: number, _place: number, first: number, count: number): Promise<void> {
    const bits = await this.#bits(block, true);
    if (!bits) return;
    const { bytes } = bits.piece;
    const [from, to] = [bits.first + first, bits.first + first + count];
    for (let s = from; s < to; s++) bytes[s >> 3] = (bytes[s >> 3] ?? 0) | (1 << (s & 7));
    this.#cache.change(bits.piece, from >> 3, ((to - 1) >> 3) - (from >> 3) + 1);
  }

  async setOwn(block: number, place: number, own: "all" | "none"): Promise<void> {
    if (own === "none") {
      const bits = await this.#bits(block, true);
      const bytes = Math.max(1, this.clusterSize / this.sectorSize / 8);
      bits?.piece.bytes.fill(0, bits.first >> 3, (bits.first >> 3) + bytes);
      if (bits) this.#cache.change(bits.piece, bits.first >> 3, bytes);
    }
    await this.set(block, place, own === "all" ? FULLY_PRESENT : PARTIALLY_PRESENT);
  }

  /** The bits of a block's sectors: a piece of its chunk's bitmap block, and the first bit in it. */
  async #bits(block: number, make: boolean): Promise<{ piece: TablePiece; first: number } | undefined> {
    const chunk = Math.floor(block / this.#ratio);
    const entry = (chunk * (this.#ratio + 1) + this.#ratio) * 8;
    const { view } = await this.#piece(entry);
    const low = view.getUint32(entry % PIECE, true);
    let place = view.getUint32((entry % PIECE) + 4, true) * 2 ** 32 + (low - (low % MIB));
    const sectors = this.clusterSize / this.#metadata.logicalSector;
    const bytes = Math.max(1, sectors / 8);
    const within = (block % this.#ratio) * bytes;
    const length = Math.max(bytes, LOG_SECTOR);
    const start = within - (within % length);
    if ((low & 7) !== BITMAP_PRESENT) {
      if (!make) return undefined;
      place = this.#reserve(MIB);
      await this.file.write(place + MIB - 512, new Uint8Array(512));
      await this.#setEntry(entry, BITMAP_PRESENT, place);
    }
    const fault = this.fault(place, MIB);
    if (fault !== undefined) throw this.#wrong(entry, place, fault);
    const piece = await this.#cache.load(place + start, length);
    return { piece, first: (within - start) * 8 };
  }

  // ---- growing ----

  /** The disk has so many bytes from the next commit on. The table must have room. */
  async setDiskBytes(bytes: number): Promise<void> {
    const at = this.#metadata.diskBytesAt;
    const start = at - (at % LOG_SECTOR);
    const piece = await this.#cache.load(start, LOG_SECTOR);
    piece.view.setUint32(at - start, bytes >>> 0, true);
    piece.view.setUint32(at - start + 4, Math.floor(bytes / 2 ** 32), true);
    this.#cache.change(piece, at - start, 8);
    this.#metadata = { ...this.#metadata, diskBytes: bytes };
  }

  /** The table lies somewhere else from now on; all changes were committed before. */
  moveBat(to: Region): void {
    for (let at = 0; at < this.#bat.bytes; at += PIECE) this.#cache.drop(this.#bat.at + at);
    this.#bat = to;
  }

  /** Room at the end of the file. */
  reserve(bytes: number): number {
    return this.#reserve(bytes);
  }

  #reserve(bytes: number): number {
    const at = this.#end;
    if (at === undefined)
      throw new BlockError("io", `'${this.#filename}': a block was asked for before the table was read`);
    this.#end = at + bytes;
    return at;
  }

  async #setEntry(at: number, state: number, place: number): Promise<void> {
    const piece = await this.#piece(at);
    piece.view.setUint32(at % PIECE, ((place >>> 0) | state) >>> 0, true);
    piece.view.setUint32((at % PIECE) + 4, Math.floor(place / 2 ** 32), true);
    this.#cache.change(piece, at % PIECE, 8);
  }

  #place(view: DataView, at: number, block: number): number {
    const low = view.getUint32(at, true);
    const state = low & 7;
    const { hasParent } = this.#metadata;
    if (state === FULLY_PRESENT || (state === PARTIALLY_PRESENT && hasParent)) {
      const high = view.getUint32(at + 4, true);
      const place = high * 2 ** 32 + (low - (low % MIB));
      const fault = high >= 1 << 21 ? "is too large" : this.fault(place, this.clusterSize);
      if (fault !== undefined) throw this.#wrong(this.#entryAt(block), place, fault);
      return place;
    }
    if (state === NOT_PRESENT) return hasParent ? UNALLOCATED : ZEROES;
    if (state === ZERO || state === UNMAPPED || state === UNMAPPED_OLD || state === UNDEFINED) return ZEROES;
    throw this.#wrong(this.#entryAt(block), state, "is no state of a block");
  }

  #wrong(at: number, value: number, fault: string): BlockError {
    return new BlockError("corrupt", `'${this.#filename}': block table entry ${at / 8}: ${value} ${fault}`, {
      at: this.#bat.at + at,
    });
  }

  /** Offset of a block's entry in the table. */
  #entryAt(block: number): number {
    return (block + Math.floor(block / this.#ratio)) * 8;
  }

  #pieceAt(at: number): number {
    return this.#bat.at + at - (at % PIECE);
  }

  #piece(at: number): Promise<TablePiece> {
    const start = this.#pieceAt(at);
    return this.#cache.load(start, Math.min(PIECE, this.#bat.at + this.#bat.bytes - start));
  }
}
