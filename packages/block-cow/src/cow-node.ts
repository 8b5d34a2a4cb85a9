import type { BlockNode, BlockStatus, ImageOps, TablePiece } from "@mimus/block";
import { BlockError, RangeLock, TableCache } from "@mimus/block";
import type { CowHeader } from "./header.ts";
import { HEADER, nameField, SECTOR } from "./header.ts";

/** Bytes of header and bitmap that are read at once. */
const PIECE = 1 << 16;

/**
 * A bitmap tells which sectors the image has; all others are the backing file's. Every sector has its place, so that a write is
 * the sector and then, at the next flush, its bit.
 */
export class CowNode implements BlockNode {
  readonly name: string;
  readonly driver = "cow";
  readonly sectorSize: number = SECTOR;
  readonly size: number;
  readonly filename: string;
  readonly image: ImageOps;
  readonly #file: BlockNode;
  readonly #dataAt: number;
  readonly #bits: TableCache;
  readonly #locks: RangeLock = new RangeLock();
  #backing: BlockNode | undefined;
  #backingFile: string;
  #readOnly: boolean;

  constructor(
    file: BlockNode,
    header: CowHeader,
    backing: BlockNode | undefined,
    opts: { name: string; readOnly: boolean; filename: string },
  ) {
    this.name = opts.name;
    this.filename = opts.filename;
    this.size = header.size;
    this.#readOnly = opts.readOnly;
    this.#file = file;
    this.#dataAt = header.dataAt;
    this.#backing = backing;
    this.#backingFile = header.backingFile;
    this.#bits = new TableCache(file);
    this.image = {
      clusterSize: SECTOR,
      info: async () => (this.#backingFile === "" ? {} : { backingFile: this.#backingFile }),
      changeBacking: (name = "") => this.#rename(name),
    };
  }

  get readOnly(): boolean {
    return this.#readOnly;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    return this.#backing ? { file: this.#file, backing: this.#backing } : { file: this.#file };
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length;) {
      const run = await this.#run(at + done, into.length - done);
      const part = into.subarray(done, done + run.length);
      if (run.own) await this.#readOwn(at + done, part);
      else await this.#readBelow(at + done, part);
      done += run.length;
    }
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    if (from.length === 0) return;
    const first = at - (at % SECTOR);
    const end = Math.ceil((at + from.length) / SECTOR) * SECTOR;
    await this.#locks.run(first, end - first, async () => {
      let bytes = from;
      if (first !== at || end !== at + from.length) {
        bytes = new Uint8Array(end - first);
        await this.read(first, bytes.subarray(0, SECTOR));
        if (end - first > SECTOR) await this.read(end - SECTOR, bytes.subarray(end - first - SECTOR));
        bytes.set(from, at - first);
      }
      await this.#file.write(this.#dataAt + first, bytes);
      await this.#mark(first / SECTOR, end / SECTOR);
    });
  }

  async flush(): Promise<void> {
    await this.#bits.commit();
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const run = await this.#run(at, length);
    if (!run.own) return { length: run.length, allocated: false, zero: this.#backing === undefined, data: false };
    return {
      length: run.length,
      allocated: true,
      zero: false,
      data: true,
      offset: this.#dataAt + at,
      file: this.#file,
    };
  }

  setBacking(node: BlockNode | undefined): void {
    this.#backing = node;
  }

  async reopen({ readOnly }: { readOnly: boolean }): Promise<void> {
    this.#readOnly = readOnly;
  }

  async close(): Promise<void> {
    try {
      if (this.#bits.changed > 0) await this.flush();
    } finally {
      await this.#backing?.close();
      await this.#file.close();
    }
  }

  async #readOwn(at: number, into: Uint8Array): Promise<void> {
    const place = this.#dataAt + at;
    if (place + into.length > this.#file.size)
      throw new BlockError(
        "corrupt",
        `'${this.filename}': bitmap has sector ${Math.floor(at / SECTOR)}, which lies beyond the file's ${this.#file.size} bytes`,
        { at: place },
      );
    await this.#file.read(place, into);
  }

  async #readBelow(at: number, into: Uint8Array): Promise<void> {
    const there = this.#backing ? Math.min(into.length, Math.max(0, this.#backing.size - at)) : 0;
    if (there > 0) await this.#backing?.read(at, into.subarray(0, there));
    into.fill(0, there);
  }

  /** How far from `at` on, at most `most` bytes, the sectors are all the image's own, or all not. */
  async #run(at: number, most: number): Promise<{ own: boolean; length: number }> {
    const first = Math.floor(at / SECTOR);
    const last = Math.floor((at + most - 1) / SECTOR);
    const own = bit(await this.#piece(first), first);
    let sector = first + 1;
    for (let piece = await this.#piece(first); sector <= last; sector++) {
      if (place(sector) % PIECE === 0 && sector % 8 === 0) piece = await this.#piece(sector);
      if (bit(piece, sector) !== own) break;
    }
    return { own, length: Math.min(sector * SECTOR, at + most) - at };
  }

  async #mark(from: number, to: number): Promise<void> {
    for (let sector = from; sector < to; sector++) {
      const piece = await this.#piece(sector);
      if (bit(piece, sector)) continue;
      const at = place(sector) - piece.at;
      piece.bytes[at]! |= 1 << (sector % 8);
      this.#bits.change(piece, at, 1);
    }
  }

  async #piece(sector: number): Promise<TablePiece> {
    const start = place(sector) - (place(sector) % PIECE);
    return this.#bits.peek(start) ?? this.#bits.load(start, Math.min(PIECE, this.#dataAt - start));
  }

  /** Header and bitmap share the first piece: it is changed there. */
  async #rename(name: string): Promise<void> {
    const field = nameField(name, this.filename);
    const piece = await this.#piece(0);
    piece.bytes.set(field.bytes, field.at);
    this.#bits.change(piece, field.at, field.bytes.length);
    await this.flush();
    this.#backingFile = name;
  }
}

/** Offset of the byte with a sector's bit. */
function place(sector: number): number {
  return HEADER + Math.floor(sector / 8);
}

function bit(piece: TablePiece, sector: number): boolean {
  return ((piece.bytes[place(sector) - piece.at]! >> (sector % 8)) & 1) === 1;
}
