import type { BlockNode } from "@mimus/block";
import { readAt } from "./file-access.ts";

/** A piece of a table of the image in memory. */
export interface Piece {
  /** Offset in the file, bytes. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Eight bytes each, to look for zeroes; undefined where the bytes do not lie so. */
  readonly eights: Float64Array | undefined;
  /** Changed bytes: from..to; nothing when to is 0. */
  from: number;
  to: number;
  used: number;
}

/** Names of what the cache does, for those who fail it on purpose (BlockNode.event). */
export interface PieceEvents {
  readonly load: string;
  readonly update: string;
  /** The first write of a piece that was made new. */
  readonly first: string;
}

/** Pieces of one length, read on demand. Changed ones stay until they are written; the owner orders the writes. */
export class PieceCache {
  readonly #file: BlockNode;
  readonly pieceBytes: number;
  readonly #limit: number;
  readonly #held: Map<number, Piece> = new Map();
  readonly #loading: Map<number, Promise<void>> = new Map();
  readonly #dirty: Set<Piece> = new Set();
  /** Made, and not written yet. */
  readonly #fresh: WeakSet<Piece> = new WeakSet();
  readonly #events: PieceEvents;
  #clock = 0;

  /** `limitBytes`: what is kept; at least four pieces. */
  constructor(file: BlockNode, pieceBytes: number, limitBytes: number, events: PieceEvents) {
    this.#events = events;
    this.#file = file;
    this.pieceBytes = pieceBytes;
    this.#limit = Math.max(4, Math.floor(limitBytes / pieceBytes));
  }

  /** Pieces with changes. */
  get dirty(): number {
    return this.#dirty.size;
  }
  /** So much is changed that it should be written before more is loaded. */
  get crowded(): boolean {
    return this.#dirty.size * 4 >= this.#limit * 3;
  }

  peek(at: number): Piece | undefined {
    const piece = this.#held.get(at);
    if (piece) piece.used = ++this.#clock;
    return piece;
  }

  /** Brings a piece into memory; `peek` has it right afterwards, unless it was dropped meanwhile. */
  load(at: number): Promise<void> {
    if (this.#held.has(at)) return Promise.resolve();
    let loading = this.#loading.get(at);
    if (!loading) {
      const mine: Promise<void> = this.#read(at, (): boolean => this.#loading.get(at) === mine).finally(() => {
        if (this.#loading.get(at) === mine) this.#loading.delete(at);
      });
      this.#loading.set(at, mine);
      loading = mine;
    }
    return loading;
  }

  async get(at: number): Promise<Piece> {
    for (;;) {
      const piece = this.peek(at);
      if (piece) return piece;
      await this.load(at);
    }
  }

  /** Takes up a new piece of zeroes, or of `bytes`, which is wholly changed. */
  create(at: number, bytes?: Uint8Array): Piece {
    this.drop(at);
    const piece = this.#keep(at, bytes ?? new Uint8Array(this.pieceBytes));
    this.touch(piece, 0, this.pieceBytes);
    this.#fresh.add(piece);
    return piece;
  }

  /** Says that bytes of a piece were changed. */
  touch(piece: Piece, at: number, length: number): void {
    // It may have been forgotten between being found and being changed; only one owner changes pieces at a time.
    if (this.#held.get(piece.at) !== piece) this.#held.set(piece.at, piece);
    if (piece.to === 0) {
      piece.from = at;
      piece.to = at + length;
      this.#dirty.add(piece);
      return;
    }
    if (at < piece.from) piece.from = at;
    if (at + length > piece.to) piece.to = at + length;
  }

  /** Forgets a piece with its changes. */
  drop(at: number): void {
    this.#loading.delete(at);
    const piece = this.#held.get(at);
    if (!piece) return;
    this.#held.delete(at);
    this.#dirty.delete(piece);
  }

  /** Forgets everything that is not changed. */
  trim(): void {
    for (const p of this.#held.values()) if (p.to === 0) this.#held.delete(p.at);
  }

  /** Forgets everything. */
  clear(): void {
    this.#held.clear();
    this.#dirty.clear();
  }

  /** Writes changed pieces, of those that `which` chooses; nobody may change them meanwhile. */
  async write(which?: (piece: Piece) => boolean): Promise<void> {
    if (this.#dirty.size === 0) return;
    const all = [...this.#dirty].filter((p) => which?.(p) ?? true).toSorted((a, b) => a.at - b.at);
    for (let i = 0; i < all.length; i += 8) await Promise.all(all.slice(i, i + 8).map((p) => this.#write(p)));
  }

  async #write(piece: Piece): Promise<void> {
    const from = piece.from & ~511;
    const to = Math.min(this.pieceBytes, (piece.to + 511) & ~511);
    await this.#file.event?.(this.#fresh.has(piece) ? this.#events.first : this.#events.update);
    await this.#file.write(piece.at + from, piece.bytes.subarray(from, to));
    this.#fresh.delete(piece);
    piece.from = 0;
    piece.to = 0;
    this.#dirty.delete(piece);
  }

  /** `current` is false once the piece was made anew or dropped: what was read is out of date then. */
  async #read(at: number, current: () => boolean): Promise<void> {
    const bytes = new Uint8Array(this.pieceBytes);
    const stopped = this.#file.event?.(this.#events.load);
    if (stopped) await stopped;
    await readAt(this.#file, at, bytes);
    if (current() && !this.#held.has(at)) this.#keep(at, bytes);
  }

  #keep(at: number, bytes: Uint8Array): Piece {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const eights =
      bytes.byteOffset % 8 === 0 ? new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3) : undefined;
    const piece: Piece = { at, bytes, view, eights, from: 0, to: 0, used: ++this.#clock };
    if (this.#held.size >= this.#limit) this.#evict();
    this.#held.set(at, piece);
    return piece;
  }

  #evict(): void {
    const clean = [...this.#held.values()].filter((p) => p.to === 0).toSorted((a, b) => a.used - b.used);
    const excess = this.#held.size - this.#limit + 1 + (this.#limit >> 3);
    for (const p of clean.slice(0, excess)) this.#held.delete(p.at);
  }
}
