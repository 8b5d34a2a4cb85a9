import type { BlockFormat, BlockNode, BlockStatus, FormatContext } from "@mimus/block";
import { BlockError, defineFormat, ReadOnlyNode } from "@mimus/block";
import { z } from "zod";
import type { BochsHeader } from "./header.ts";
import { HEADER, isBochs, parseHeader } from "./header.ts";

const SECTOR = 512;
const NONE = 0xffffffff;
/** Bytes of the catalog that are read at once. */
const PIECE = 1 << 16;
const MOST_PIECES = 64;

/** A Bochs "growing" disk: read only. */
export const bochs: BlockFormat = defineFormat({
  name: "bochs",
  summary: "Bochs growing disk image, versions 1 and 2 (read only)",
  options: z.strictObject({}),
  probe: (head) => (isBochs(head) ? 100 : 0),
  async open(file, _options, ctx) {
    if (file.size < HEADER)
      throw new BlockError("not-this-format", `'${ctx.filename}': ${file.size} bytes hold no Bochs header`);
    const head = new Uint8Array(HEADER);
    await file.read(0, head);
    return new BochsNode(file, ctx, parseHeader(head, ctx.filename, file.size));
  },
});

/** An extent is a bitmap of its sectors and then the sectors; the catalog numbers the extents in order of allocation. */
class BochsNode extends ReadOnlyNode {
  readonly #header: BochsHeader;
  readonly #catalog: Map<number, DataView> = new Map();
  /** The bitmap that was used last, by extent. */
  #bitmap: { readonly extent: number; readonly bytes: Uint8Array } | undefined;

  constructor(file: BlockNode, ctx: FormatContext, header: BochsHeader) {
    super(file, ctx, "bochs", header.size, "Bochs");
    this.#header = header;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length;) {
      const { place, length } = await this.#run(at + done, into.length - done);
      const part = into.subarray(done, done + length);
      if (place === undefined) part.fill(0);
      else await this.file.read(place, part);
      done += length;
    }
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const run = await this.#run(at, length);
    if (run.place === undefined) return { length: run.length, allocated: false, zero: true, data: false };
    return { length: run.length, allocated: true, zero: false, data: true, offset: run.place, file: this.file };
  }

  /** Bytes from `at` on, inside one extent, that are alike: stored one behind the other, or not stored. */
  async #run(at: number, most: number): Promise<{ place: number | undefined; length: number }> {
    const { extent, bitmapSectors, catalogAt, entries } = this.#header;
    const number = Math.floor(at / extent);
    const start = at - number * extent;
    const end = Math.min(extent, start + most);
    const entry = await this.#entry(number);
    if (entry === NONE) return { place: undefined, length: end - start };
    const sectors = extent / SECTOR;
    const base = catalogAt + entries * 4 + entry * SECTOR * (bitmapSectors + sectors);
    const bits = await this.#bits(number, base);
    const stored = (sector: number): boolean => ((bits[sector >> 3]! >> (sector & 7)) & 1) === 1;
    const first = Math.floor(start / SECTOR);
    const kind = stored(first);
    let sector = first + 1;
    while (sector * SECTOR < end && stored(sector) === kind) sector++;
    const length = Math.min(sector * SECTOR, end) - start;
    const place = base + bitmapSectors * SECTOR + start;
    if (kind && place + length > this.file.size)
      throw new BlockError(
        "corrupt",
        `'${this.filename}': catalog[${number}] ${entry} must point inside the file of ${this.file.size} bytes`,
        { at: catalogAt + number * 4 },
      );
    return { place: kind ? place : undefined, length };
  }

  async #entry(number: number): Promise<number> {
    const { catalogAt, entries } = this.#header;
    const index = Math.floor((number * 4) / PIECE);
    let piece = this.#catalog.get(index);
    if (!piece) {
      const bytes = new Uint8Array(Math.min(PIECE, entries * 4 - index * PIECE));
      await this.file.read(catalogAt + index * PIECE, bytes);
      piece = new DataView(bytes.buffer);
      if (this.#catalog.size >= MOST_PIECES) this.#catalog.clear();
      this.#catalog.set(index, piece);
    }
    return piece.getUint32((number * 4) % PIECE, true);
  }

  async #bits(extent: number, base: number): Promise<Uint8Array> {
    if (this.#bitmap?.extent === extent) return this.#bitmap.bytes;
    const bytes = new Uint8Array(Math.ceil(this.#header.extent / SECTOR / 8));
    if (base + bytes.length > this.file.size)
      throw new BlockError(
        "corrupt",
        `'${this.filename}': catalog[${extent}] must point inside the file of ${this.file.size} bytes`,
        { at: this.#header.catalogAt + extent * 4 },
      );
    await this.file.read(base, bytes);
    this.#bitmap = { extent, bytes };
    return bytes;
  }
}
