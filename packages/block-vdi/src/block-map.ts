import { BlockError, type BlockNode, type ClusterMap, TableCache, type TablePiece, ZEROES } from "@mimus/block";
import { ALLOCATED_AT, BLOCK_BYTES, HEADER_BYTES, mapBytes, type VdiHeader } from "./header.ts";

/** Map entries from here on are of blocks that have no place and read as zeroes: this one discarded, the next one never written. */
const DISCARDED = 0xfffffffe;

/** Bytes of the map that are read at once. */
const PIECE = 1 << 16;
/** Free indices that are remembered. */
const MOST_FREE = 1 << 16;

/**
 * The block map: one 32-bit index for each block of the disk. Blocks lie behind each other in the file in the order in which they were
 * allocated, and the header counts them. A commit writes the count before the entries: a cut between leaves a block
 * too many, which the next opening gives back.
 */
export class BlockMap implements ClusterMap {
  readonly clusterSize: number = BLOCK_BYTES;
  readonly marksZeroes: boolean = false;
  readonly #file: BlockNode;
  readonly #header: VdiHeader;
  readonly #cache: TableCache;
  readonly #bytes: number;
  readonly #filename: string;
  /** Blocks in use or reserved, as the header counts them. */
  #count: number;
  #written: number;
  /** Some of the indices below the count that nothing uses, highest first. */
  #free: number[] = [];
  /** Room up to this index was in the file when it was opened: it may hold old bytes. */
  #staleEnd = 0;
  /** Room of this session whose write failed. */
  readonly #failed: Set<number> = new Set();
  #scanned = false;
  /** Blocks that got a place since the last commit: many megabytes must not hang on one piece of the map. */
  #unsaved = 0;

  constructor(file: BlockNode, header: VdiHeader) {
    this.#file = file;
    this.#header = header;
    this.#filename = file.filename ?? file.name;
    this.#bytes = mapBytes(header.blocks);
    this.#count = this.#written = header.allocated;
    this.#cache = new TableCache(file, { write: (sectors) => this.#write(sectors) });
  }

  get changed(): number {
    return this.#cache.changed + this.#unsaved + (this.#count === this.#written ? 0 : 1);
  }

  peek(block: number): number | undefined {
    const piece = this.#piece(block);
    if (!piece) return undefined;
    const index = piece.view.getUint32((block * 4) % PIECE, true);
    if (index >= DISCARDED) return ZEROES;
    if (index < this.#header.blocks) return this.#header.dataAt + index * BLOCK_BYTES;
    throw new BlockError(
      "corrupt",
      `'${this.#filename}': bmap[${block}] ${index} must be 0 to ${this.#header.blocks - 1}`,
      { at: this.#header.mapAt + block * 4 },
    );
  }

  async load(block: number): Promise<void> {
    const start = this.#start(block);
    await this.#cache.load(this.#header.mapAt + start, Math.min(PIECE, this.#bytes - start));
  }

  /** Looks at the whole map: which blocks are free, and whether the count is right. Needed before anything is allocated. */
  async scan(): Promise<void> {
    if (this.#scanned) return;
    const used = new Uint8Array(Math.ceil(this.#header.blocks / 8));
    let end = 0;
    let count = 0;
    await this.entries((_, index) => {
      if (index >= this.#header.blocks) return;
      if (mark(used, index)) count++;
      end = Math.max(end, index + 1);
    });
    // Blocks of the count that no entry points at and that come last were never more than reserved.
    this.#count = end;
    for (let i = 0; i < end && count + this.#free.length < end && this.#free.length < MOST_FREE; i++)
      if (((used[i >> 3] ?? 0) & (1 << (i & 7))) === 0) this.#free.push(i);
    this.#free.reverse();
    this.#staleEnd = Math.ceil(Math.max(0, this.#file.size - this.#header.dataAt) / BLOCK_BYTES);
    this.#scanned = true;
  }

  /** Calls with each block and its index, discarded and free ones left out. */
  async entries(each: (block: number, index: number) => void): Promise<void> {
    for (let start = 0; start < this.#bytes; start += PIECE) {
      const piece = await this.#cache.load(this.#header.mapAt + start, Math.min(PIECE, this.#bytes - start));
      const first = start / 4;
      const n = Math.min(PIECE / 4, this.#header.blocks - first);
      for (let i = 0; i < n; i++) {
        const index = piece.view.getUint32(i * 4, true);
        if (index < DISCARDED) each(first + i, index);
      }
    }
  }

  /** As the header counts them. */
  get count(): number {
    return this.#scanned ? this.#count : this.#header.allocated;
  }

  allocate(): number {
    const index = this.#free.pop() ?? this.#count;
    if (index >= this.#header.blocks)
      throw new BlockError("no-space", `'${this.#filename}': all ${this.#header.blocks} blocks are in use`);
    if (index === this.#count) this.#count++;
    return this.#header.dataAt + index * BLOCK_BYTES;
  }

  release(place: number): void {
    const index = (place - this.#header.dataAt) / BLOCK_BYTES;
    this.#failed.add(index);
    this.#free.push(index);
    this.#free.sort((a, b) => b - a);
    while (this.#free[0] === this.#count - 1) {
      this.#free.shift();
      this.#count--;
    }
  }

  stale(place: number): boolean {
    const index = (place - this.#header.dataAt) / BLOCK_BYTES;
    return index < this.#staleEnd || this.#failed.has(index);
  }

  async set(block: number, place: number): Promise<void> {
    let piece = this.#piece(block);
    while (!piece) {
      await this.load(block);
      piece = this.#piece(block);
    }
    const at = (block * 4) % PIECE;
    piece.view.setUint32(at, (place - this.#header.dataAt) / BLOCK_BYTES, true);
    this.#cache.change(piece, at, 4);
    this.#unsaved++;
  }

  commit(): Promise<void> {
    this.#unsaved = 0;
    return this.#cache.commit().then(() => (this.#count === this.#written ? undefined : this.#writeCount()));
  }

  async #write(sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Promise<void> {
    await this.#writeCount();
    for (const { at, bytes } of sectors) await this.#file.write(at, bytes);
    await this.#file.flush();
  }

  async #writeCount(): Promise<void> {
    const count = this.#count;
    if (count === this.#written) return;
    const sector = new Uint8Array(HEADER_BYTES);
    await this.#file.read(0, sector);
    new DataView(sector.buffer).setUint32(ALLOCATED_AT, count, true);
    await this.#file.write(0, sector);
    await this.#file.flush();
    this.#written = count;
  }

  #start(block: number): number {
    return Math.floor((block * 4) / PIECE) * PIECE;
  }

  #piece(block: number): TablePiece | undefined {
    return this.#cache.peek(this.#header.mapAt + this.#start(block));
  }
}

/** Sets the bit of an index; false when it was set. */
export function mark(bits: Uint8Array, index: number): boolean {
  const bit = 1 << (index & 7);
  const was = bits[index >> 3] ?? 0;
  bits[index >> 3] = was | bit;
  return (was & bit) === 0;
}
