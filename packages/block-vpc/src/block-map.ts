import type { BlockNode, OwnSectors, SectorMap, TablePiece } from "@mimus/block";
import { BlockError, TableCache, UNALLOCATED, ZEROES } from "@mimus/block";
import { FOOTER_BYTES, isFooter } from "./footer.ts";
import type { Header } from "./header.ts";
import { HEADER_BYTES, UNUSED } from "./header.ts";

/** Bytes of the table that are read at once. */
const PIECE = 1 << 16;

/** What a {@link BlockMap} stands on. */
export interface BlockMapOptions {
  readonly file: BlockNode;
  readonly header: Header;
  readonly headerAt: number;
  /** The footer as it is written after the last block. */
  readonly footer: Uint8Array;
  /** Blocks that are not there come from a parent. */
  readonly differencing: boolean;
}

/**
 * The block allocation table: for each block the first sector of its bitmap, which the block's bytes follow.
 * New blocks go to the end of the file, over the footer, which a commit writes behind them.
 * Source: Virtual Hard Disk Image Format Specification 1.0, "Block Allocation Table and Data Blocks".
 */
export class BlockMap implements SectorMap {
  readonly sectorSize: number = 512;
  readonly clusterSize: number;
  readonly marksZeroes: boolean = false;
  /** Bytes of a block's bitmap. */
  readonly bitmapBytes: number;
  /** Bytes of a block and its bitmap. */
  readonly stride: number;
  readonly #o: BlockMapOptions;
  readonly #filename: string;
  readonly #cache: TableCache;
  readonly #tableEnd: number;
  readonly #free: number[] = [];
  readonly #stale: Set<number> = new Set();
  #end: number | undefined;
  #footerAt = -1;

  constructor(opts: BlockMapOptions) {
    const { blockBytes, tableAt, entries } = opts.header;
    this.#o = opts;
    this.clusterSize = blockBytes;
    this.bitmapBytes = Math.ceil(blockBytes / 512 / 8 / 512) * 512;
    this.stride = this.bitmapBytes + blockBytes;
    this.#tableEnd = tableAt + Math.ceil((entries * 4) / 512) * 512;
    this.#filename = opts.file.filename ?? opts.file.name;
    this.#cache = new TableCache(opts.file, { write: (sectors) => this.#write(sectors) });
  }

  get changed(): number {
    return this.#cache.changed;
  }

  peek(block: number): number | undefined {
    const at = block * 4;
    const piece = this.#cache.peek(this.#o.header.tableAt + at - (at % PIECE));
    if (!piece) return undefined;
    const sector = piece.view.getUint32(at % PIECE);
    if (sector === UNUSED) return this.#o.differencing ? UNALLOCATED : ZEROES;
    const fault = this.#fault(sector);
    if (fault !== undefined) throw this.#wrong(block, sector, fault);
    return sector * 512 + this.bitmapBytes;
  }

  async load(block: number): Promise<void> {
    await this.#piece(block);
  }

  allocate(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const end = this.#end;
    if (end === undefined)
      throw new BlockError("io", `'${this.#filename}': a block was asked for before the table was read`);
    if (end / 512 >= UNUSED)
      throw new BlockError("no-space", `'${this.#filename}' is full: a block beyond sector 2^32 - 1 has no name`);
    this.#end = end + this.stride;
    return end + this.bitmapBytes;
  }

  release(place: number): void {
    this.#stale.add(place);
    this.#free.push(place);
  }

  stale(place: number): boolean {
    return this.#stale.has(place);
  }

  /** A block that gets its place has all sectors of its own, or those that `bits` says. */
  async set(
    block: number,
    place: number,
    bits: Uint8Array = allOnes(this.clusterSize, this.bitmapBytes),
  ): Promise<void> {
    const bitmap = this.#cache.put(place - this.bitmapBytes, bits);
    this.#cache.change(bitmap, 0, bits.length);
    const piece = await this.#piece(block);
    const at = (block * 4) % PIECE;
    piece.view.setUint32(at, (place - this.bitmapBytes) / 512);
    this.#cache.change(piece, at, 4);
    this.#stale.delete(place);
  }

  peekOwn(_block: number, place: number): OwnSectors | undefined {
    const bits = this.peekBits(place);
    return bits && test(bits.bytes);
  }

  async loadOwn(_block: number, place: number): Promise<OwnSectors> {
    return test((await this.loadBits(place)).bytes);
  }

  async own(_block: number, place: number, first: number, count: number): Promise<void> {
    const bits = await this.loadBits(place);
    for (let s = first; s < first + count; s++) bits.bytes[s >> 3] = (bits.bytes[s >> 3] ?? 0) | (0x80 >> (s & 7));
    this.bitsChanged(bits, first >> 3, ((first + count - 1) >> 3) - (first >> 3) + 1);
  }

  setOwn(block: number, place: number, own: "all" | "none"): Promise<void> {
    return own === "all" ? this.set(block, place) : this.set(block, place, new Uint8Array(this.bitmapBytes));
  }

  /** The bitmap of the block at a place when it is in memory: a bit for each sector, highest bit first. */
  peekBits(place: number): TablePiece | undefined {
    return this.#cache.peek(place - this.bitmapBytes);
  }

  loadBits(place: number): Promise<TablePiece> {
    return this.#cache.load(place - this.bitmapBytes, this.bitmapBytes);
  }

  /** Says that bytes of a bitmap were changed. */
  bitsChanged(piece: TablePiece, offset: number, length: number): void {
    this.#cache.change(piece, offset, length);
  }

  commit(): Promise<void> {
    return this.#cache.commit();
  }

  /**
   * Looks at the whole table: where the last block ends. Needed before anything is allocated.
   * @throws BlockError "corrupt" for a block that lies over the tables or beyond the file
   */
  async scan(): Promise<void> {
    if (this.#end !== undefined) return;
    const { header, headerAt, file } = this.#o;
    let end = Math.max(headerAt + HEADER_BYTES, this.#tableEnd);
    for (const l of header.locators) end = Math.max(end, Math.ceil((l.at + l.length) / 512) * 512);
    await this.each((block, sector) => {
      const fault = this.#fault(sector);
      if (fault !== undefined) throw this.#wrong(block, sector, fault);
      end = Math.max(end, sector * 512 + this.stride);
    });
    const last = new Uint8Array(FOOTER_BYTES);
    await file.read(file.size - FOOTER_BYTES, last);
    const there = isFooter(last);
    const fileEnd = file.size - (there ? FOOTER_BYTES : 0);
    // All between the last block and the end of the file is left alone: new blocks must begin as zeroes.
    this.#end = Math.max(end, fileEnd);
    if (there && this.#end === fileEnd) this.#footerAt = fileEnd;
  }

  /** Calls `see` for each block that is there. */
  async each(see: (block: number, sector: number) => void): Promise<void> {
    const { entries } = this.#o.header;
    for (let first = 0; first < entries; first += PIECE / 4) {
      const { view } = await this.#piece(first);
      const n = Math.min(entries - first, PIECE / 4);
      for (let i = 0; i < n; i++) {
        const sector = view.getUint32(i * 4);
        if (sector !== UNUSED) see(first + i, sector);
      }
    }
  }

  /** What cannot be right with a block at this sector. */
  fault(sector: number): string | undefined {
    return this.#fault(sector);
  }

  /** Takes a block out of the table. */
  async forget(block: number): Promise<void> {
    const piece = await this.#piece(block);
    piece.view.setUint32((block * 4) % PIECE, UNUSED);
    this.#cache.change(piece, (block * 4) % PIECE, 4);
  }

  /** The file ends here, with the footer. */
  async cutAt(end: number): Promise<void> {
    await this.#cache.commit();
    await this.#o.file.write(end, this.#o.footer);
    await this.#o.file.flush();
    await this.#o.file.resize?.(end + FOOTER_BYTES);
    this.#end = this.#footerAt = end;
  }

  async #write(sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Promise<void> {
    const { file, footer } = this.#o;
    const end = this.#end;
    // Bitmaps and footer first: a table entry never points at a bitmap that is not there.
    const isTable = (at: number): boolean => at >= this.#o.header.tableAt && at < this.#tableEnd;
    let ahead = false;
    for (const { at, bytes } of sectors)
      if (!isTable(at)) {
        await file.write(at, bytes);
        ahead = true;
      }
    if (end !== undefined && end !== this.#footerAt) {
      await file.write(end, footer);
      this.#footerAt = end;
      ahead = true;
    }
    if (ahead) await file.flush();
    let table = false;
    for (const { at, bytes } of sectors)
      if (isTable(at)) {
        await file.write(at, bytes);
        table = true;
      }
    if (table) await file.flush();
  }

  #fault(sector: number): string | undefined {
    const { header, headerAt, file } = this.#o;
    const start = sector * 512;
    const end = start + this.stride;
    if (end > file.size && end > (this.#end ?? 0)) return `ends beyond the file (${file.size} bytes)`;
    if (start < FOOTER_BYTES || (start < headerAt + HEADER_BYTES && end > headerAt)) return "lies over the headers";
    if (start < this.#tableEnd && end > header.tableAt) return "lies over the block table";
    return undefined;
  }

  #wrong(block: number, sector: number, fault: string): BlockError {
    return new BlockError("corrupt", `'${this.#filename}': block ${block} at sector ${sector} ${fault}`, {
      at: this.#o.header.tableAt + block * 4,
    });
  }

  #piece(block: number): Promise<TablePiece> {
    const start = block * 4 - ((block * 4) % PIECE);
    const { tableAt } = this.#o.header;
    return this.#cache.load(tableAt + start, Math.min(PIECE, this.#tableEnd - tableAt - start));
  }
}

/** Highest bit first. */
function test(bits: Uint8Array): OwnSectors {
  return (sector) => ((bits[sector >> 3] ?? 0) & (0x80 >> (sector & 7))) !== 0;
}

/** A bitmap that says of every sector of a block that it is there. */
function allOnes(blockBytes: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  out.fill(0xff, 0, Math.max(1, blockBytes / 4096));
  return out;
}
