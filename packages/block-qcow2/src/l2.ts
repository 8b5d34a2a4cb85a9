import { BlockError } from "@mimus/block";
import type { Piece, PieceCache } from "./cache.ts";
import { COMPRESSED_FLAG, COPIED, ZERO_FLAG } from "./constants.ts";
import type { L1Table } from "./l1-table.ts";

/** What a stretch of the disk is, as its L2 entry says. */
export type Kind = 0 | 1 | 2 | 3 | 4 | 5;
/** Nothing here: the backing image, or zeroes. */
export const UNALLOCATED: Kind = 0;
/** Reads as zeroes, without a cluster. */
export const ZERO_PLAIN: Kind = 1;
/** Reads as zeroes, with a cluster. */
export const ZERO_ALLOCATED: Kind = 2;
export const NORMAL: Kind = 3;
export const COMPRESSED: Kind = 4;
/** A subcluster without content in a cluster that has a place. */
export const UNALLOCATED_WITH_PLACE: Kind = 5;

/** A stretch of the disk that is all of one kind; written over by each `find`. */
export interface Run {
  kind: Kind;
  /** Bytes from the asked offset on. */
  length: number;
  /** Where the first byte lies (kinds 2, 3 and 5). */
  host: number;
  /** The cluster may be changed in place. */
  copied: boolean;
  /** Halves of the L2 entry. */
  high: number;
  low: number;
  /** The piece of the L2 table that must be loaded first, when `find` answers false. */
  sliceAt: number;
}

/** An empty run to be filled by {@link Mapping.find}. */
export function newRun(): Run {
  return { kind: 0, length: 0, host: 0, copied: false, high: 0, low: 0, sliceAt: 0 };
}

/** Facts of the image that decide how L2 tables are read. */
export interface MappingShape {
  readonly filename: string;
  readonly clusterBits: number;
  /** Subclusters: 16-byte entries. */
  readonly extended: boolean;
  readonly version: 2 | 3;
  /** Data lie in another file, where offset 0 is a place. */
  readonly external: boolean;
}

/** Finds where the disk's bytes lie. Source: qcow2 specification, "Cluster mapping", "Extended L2 entries". */
export class Mapping {
  readonly cache: PieceCache;
  readonly shape: MappingShape;
  readonly clusterSize: number;
  readonly subclusterSize: number;
  readonly entryBytes: number;
  /** Entries of a table, and bytes of the disk that one maps. */
  readonly tableEntries: number;
  readonly coverage: number;
  readonly sliceBytes: number;
  readonly sliceEntries: number;

  constructor(cache: PieceCache, shape: MappingShape) {
    this.cache = cache;
    this.shape = shape;
    this.clusterSize = 2 ** shape.clusterBits;
    this.subclusterSize = shape.extended ? this.clusterSize / 32 : this.clusterSize;
    this.entryBytes = shape.extended ? 16 : 8;
    this.tableEntries = this.clusterSize / this.entryBytes;
    this.coverage = this.tableEntries * this.clusterSize;
    this.sliceBytes = cache.pieceBytes;
    this.sliceEntries = this.sliceBytes / this.entryBytes;
  }

  /** Offset of the piece of an L2 table that has the entry for a disk offset. */
  sliceOf(tableAt: number, at: number): number {
    const index = Math.floor((at % this.coverage) / this.clusterSize);
    return tableAt + Math.floor(index / this.sliceEntries) * this.sliceBytes;
  }

  /** Byte offset of the entry in its piece. */
  entryOf(at: number): number {
    const index = Math.floor((at % this.coverage) / this.clusterSize);
    return (index % this.sliceEntries) * this.entryBytes;
  }

  /** Describes the stretch at a disk offset, at most `length` bytes; false when a piece must be loaded first. */
  find(l1: L1Table, at: number, length: number, run: Run): boolean {
    const i1 = Math.floor(at / this.coverage);
    const inTable = at - i1 * this.coverage;
    const most = Math.min(length, this.coverage - inTable);
    const tableAt = i1 < l1.count ? l1.offset(i1) : 0;
    run.high = 0;
    run.low = 0;
    if (tableAt === 0) {
      run.kind = UNALLOCATED;
      run.length = most;
      run.host = 0;
      run.copied = false;
      return true;
    }
    const index = Math.floor(inTable / this.clusterSize);
    const slice = Math.floor(index / this.sliceEntries);
    const sliceAt = tableAt + slice * this.sliceBytes;
    const piece = this.cache.peek(sliceAt);
    if (!piece) {
      run.sliceAt = sliceAt;
      return false;
    }
    const offset = inTable - index * this.clusterSize;
    if (this.shape.extended) this.#findExtended(piece, index - slice * this.sliceEntries, offset, most, run);
    else this.#findStandard(piece, index - slice * this.sliceEntries, offset, most, run);
    if (this.shape.external && run.host !== at && run.kind >= ZERO_ALLOCATED && run.kind !== COMPRESSED)
      throw new BlockError(
        "corrupt",
        `'${this.shape.filename}': the disk's offset 0x${at.toString(16)} lies at 0x${run.host.toString(16)} of the external data file, and must lie at the same offset`,
        { at: sliceAt + (index - slice * this.sliceEntries) * this.entryBytes },
      );
    return true;
  }

  #findStandard(piece: Piece, entry: number, offset: number, most: number, run: Run): void {
    const { view } = piece;
    const high = view.getUint32(entry * 8);
    const low = view.getUint32(entry * 8 + 4);
    run.high = high;
    run.low = low;
    run.copied = high >= COPIED;
    let length = this.clusterSize - offset;
    const kind = this.#kindOf(high, low);
    run.kind = kind;
    if (kind === COMPRESSED) {
      run.length = Math.min(most, length);
      return;
    }
    const place = kind >= ZERO_ALLOCATED;
    let expected = place ? this.#host(high, low, piece, entry) : 0;
    run.host = expected + offset;
    const flags = (high & COPIED) >>> 0;
    // Holes are many and long in a sparse image: a bit of a zero may be set, which the careful look below sees.
    const { eights } = piece;
    if (high === 0 && low === 0 && eights)
      while (length < most && entry + 1 < this.sliceEntries && eights[entry + 1] === 0) {
        length += this.clusterSize;
        entry++;
      }
    while (length < most && ++entry < this.sliceEntries) {
      const high2 = view.getUint32(entry * 8);
      const low2 = view.getUint32(entry * 8 + 4);
      if (this.#kindOf(high2, low2) !== kind) break;
      if (place) {
        expected += this.clusterSize;
        if ((high2 & COPIED) >>> 0 !== flags) break;
        if ((high2 & 0x00ffffff) * 2 ** 32 + ((low2 & 0xfffffe00) >>> 0) !== expected) break;
      }
      length += this.clusterSize;
    }
    run.length = Math.min(most, length);
  }

  #kindOf(high: number, low: number): Kind {
    if ((high & COMPRESSED_FLAG) !== 0) return COMPRESSED;
    const place = (high & 0x00ffffff) !== 0 || (low & 0xfffffe00) !== 0;
    if ((low & ZERO_FLAG) !== 0 && this.shape.version === 3)
      return place || (this.shape.external && high >= COPIED) ? ZERO_ALLOCATED : ZERO_PLAIN;
    if (place) return NORMAL;
    return this.shape.external && high >= COPIED ? NORMAL : UNALLOCATED;
  }

  #findExtended(piece: Piece, entry: number, offset: number, most: number, run: Run): void {
    const { view } = piece;
    let sub = Math.floor(offset / this.subclusterSize);
    let length = this.subclusterSize - (offset - sub * this.subclusterSize);
    const high = view.getUint32(entry * 16);
    const low = view.getUint32(entry * 16 + 4);
    run.high = high;
    run.low = low;
    run.copied = high >= COPIED;
    const kind = this.#subKind(piece, entry, sub);
    run.kind = kind;
    if (kind === COMPRESSED) {
      run.length = Math.min(most, this.clusterSize - offset);
      return;
    }
    const place = kind >= ZERO_ALLOCATED;
    let expected = place ? this.#host(high, low, piece, entry) : 0;
    run.host = expected + offset;
    while (length < most) {
      if (++sub === 32) {
        sub = 0;
        if (++entry === this.sliceEntries) break;
        if (place) {
          expected += this.clusterSize;
          const high2 = view.getUint32(entry * 16);
          if (high2 >= COPIED !== run.copied) break;
          if ((high2 & 0x00ffffff) * 2 ** 32 + ((view.getUint32(entry * 16 + 4) & 0xfffffe00) >>> 0) !== expected)
            break;
        }
      }
      if (this.#subKind(piece, entry, sub) !== kind) break;
      length += this.subclusterSize;
    }
    run.length = Math.min(most, length);
  }

  #subKind(piece: Piece, entry: number, sub: number): Kind {
    const { view } = piece;
    const high = view.getUint32(entry * 16);
    if ((high & COMPRESSED_FLAG) !== 0) return COMPRESSED;
    const zero = ((view.getUint32(entry * 16 + 8) >>> sub) & 1) !== 0;
    const allocated = ((view.getUint32(entry * 16 + 12) >>> sub) & 1) !== 0;
    const place =
      (high & 0x00ffffff) !== 0 ||
      (view.getUint32(entry * 16 + 4) & 0xfffffe00) !== 0 ||
      (this.shape.external && high >= COPIED);
    if ((zero && allocated) || (allocated && !place))
      throw new BlockError(
        "corrupt",
        `'${this.shape.filename}': subcluster bitmap of an L2 entry has bit ${sub} both as data and as ${zero ? "zeroes" : "not placed"}`,
        { at: piece.at + entry * 16 + 8 },
      );
    if (place) return zero ? ZERO_ALLOCATED : allocated ? NORMAL : UNALLOCATED_WITH_PLACE;
    return zero ? ZERO_PLAIN : UNALLOCATED;
  }

  #host(high: number, low: number, piece: Piece, entry: number): number {
    const top = high & 0x00ffffff;
    const host = top * 2 ** 32 + ((low & 0xfffffe00) >>> 0);
    if (top < 1 << 21 && host % this.clusterSize === 0) return host;
    throw new BlockError(
      "corrupt",
      `'${this.shape.filename}': data cluster offset 0x${top.toString(16)}${(low >>> 0).toString(16).padStart(8, "0")} must be a multiple of ${this.clusterSize} below 2^53`,
      { at: piece.at + entry * this.entryBytes },
    );
  }
}

/** Where a compressed cluster lies: bytes in the image file, up to a sector's end. */
export function compressedPlace(high: number, low: number, clusterBits: number): { at: number; length: number } {
  const shift = 62 - (clusterBits - 8);
  // `shift` is 49 to 61: the offset has all of the low half and shift - 32 bits of the high one.
  const bits = shift - 32;
  const top = (high & 0x3fffffff) >>> 0;
  const sectors = top >>> bits;
  const at = (top & (2 ** bits - 1)) * 2 ** 32 + low;
  return { at, length: (sectors + 1) * 512 - (at % 512) };
}

/** Halves of the L2 entry for compressed data. */
export function compressedEntry(at: number, length: number, clusterBits: number): readonly [number, number] {
  const bits = 62 - (clusterBits - 8) - 32;
  const sectors = Math.floor((at + length - 1) / 512) - Math.floor(at / 512);
  const top = Math.floor(at / 2 ** 32) + sectors * 2 ** bits;
  return [(COMPRESSED_FLAG | top) >>> 0, at >>> 0];
}
