import { Mutex } from "./mutex.ts";
import type { BlockNode } from "./node.ts";
import { SECTOR } from "./sector.ts";

/** A piece of an image's tables in memory. */
export interface TablePiece {
  /** Offset in the file. */
  readonly at: number;
  /** The piece as the file has it, with changes. */
  readonly bytes: Uint8Array;
  /** The same bytes. */
  readonly view: DataView;
}

interface Held extends TablePiece {
  /** Changed sectors, by index. */
  readonly dirty: Set<number>;
  /** Commits that have not written this piece yet. */
  writing: number;
  used: number;
}

/** How a commit brings changed sectors into the file: `sectors` are copies, in order of offset. */
export type TableWriter = (sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[]) => Promise<void>;

/**
 * Tables of an image (block maps, bitmaps) in memory: read on demand, dropped when not used, and written back late, so that
 * a table never points at data that is not yet stable.
 *
 * The rule: change an entry only after the write of the data that it points at has completed. `commit` then makes what was
 * written stable, writes the changed sectors, and makes those stable. A cut before leaves the old tables: at most leaks.
 */
export class TableCache {
  readonly #file: BlockNode;
  readonly #limit: number;
  readonly #unit: number;
  readonly #writer: TableWriter;
  readonly #held: Map<number, Held> = new Map();
  readonly #loading: Map<number, Promise<Held>> = new Map();
  readonly #committing: Mutex = new Mutex();
  #changed: Set<Held> = new Set();
  #bytes = 0;
  #clock = 0;

  /**
   * `limit`: bytes kept in memory, apart from changed ones. `unit`: bytes that are written together; default 512. `write`
   * replaces the plain "write, then flush".
   */
  constructor(file: BlockNode, options: { limit?: number; unit?: number; write?: TableWriter } = {}) {
    this.#file = file;
    this.#unit = options.unit ?? SECTOR;
    this.#limit = options.limit ?? 16 << 20;
    this.#writer = options.write ?? ((sectors) => this.#writePlainly(sectors));
  }

  /** Pieces with changes that no commit has taken up. */
  get changed(): number {
    return this.#changed.size;
  }

  /** The piece at an offset when it is in memory. */
  peek(at: number): TablePiece | undefined {
    const held = this.#held.get(at);
    if (held) held.used = ++this.#clock;
    return held;
  }

  /** The piece at an offset; a piece keeps its length, and pieces do not overlap. */
  async load(at: number, length: number): Promise<TablePiece> {
    return this.peek(at) ?? this.#loading.get(at) ?? this.#load(at, length);
  }

  #load(at: number, length: number): Promise<Held> {
    const loading: Promise<Held> = this.#read(at, length, () => this.#loading.get(at) === loading).finally(() => {
      if (this.#loading.get(at) === loading) this.#loading.delete(at);
    });
    this.#loading.set(at, loading);
    return loading;
  }

  /** Takes up a piece whose bytes the file has (or has from the next commit on, when they are then marked as changed). */
  put(at: number, bytes: Uint8Array): TablePiece {
    this.drop(at);
    const piece = held(at, bytes);
    this.#keep(piece);
    return piece;
  }

  /** Forgets a piece, with its changes. */
  drop(at: number): void {
    this.#loading.delete(at);
    const piece = this.#held.get(at);
    if (!piece) return;
    this.#held.delete(at);
    this.#changed.delete(piece);
    this.#bytes -= piece.bytes.length;
  }

  /** Forgets everything, with all changes. */
  clear(): void {
    this.#loading.clear();
    for (const at of this.#held.keys()) this.drop(at);
  }

  /** Says that bytes of a piece were changed. The piece must be one that `peek`, `load` or `put` gave just now. */
  change(piece: TablePiece, offset: number, length: number): void {
    const held = piece as Held;
    for (let s = Math.floor(offset / this.#unit); s * this.#unit < offset + length; s++) held.dirty.add(s);
    this.#changed.add(held);
    if (this.#held.get(held.at) !== held) this.#keep(held);
  }

  /** Everything written so far becomes stable, then the tables that point at it. */
  commit(): Promise<void> {
    return this.#committing.run(() => this.#commit());
  }

  async #commit(): Promise<void> {
    const taken = [...this.#changed].toSorted((a, b) => a.at - b.at);
    this.#changed = new Set();
    const sectors: { at: number; bytes: Uint8Array }[] = [];
    const marks = taken.map((piece) => [...piece.dirty].toSorted((a, b) => a - b));
    for (const [i, piece] of taken.entries()) {
      piece.dirty.clear();
      piece.writing++;
      for (const s of marks[i] ?? [])
        sectors.push({ at: piece.at + s * this.#unit, bytes: piece.bytes.slice(s * this.#unit, (s + 1) * this.#unit) });
    }
    try {
      await this.#file.flush();
      if (sectors.length > 0) await this.#writer(merge(sectors));
    } catch (e) {
      for (const [i, piece] of taken.entries()) {
        if (this.#held.get(piece.at) !== piece) continue;
        for (const s of marks[i] ?? []) piece.dirty.add(s);
        this.#changed.add(piece);
      }
      throw e;
    } finally {
      for (const piece of taken) piece.writing--;
    }
  }

  async #writePlainly(sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Promise<void> {
    for (const { at, bytes } of sectors) await this.#file.write(at, bytes);
    await this.#file.flush();
  }

  /** `current` is false once the piece was dropped: what was read is out of date then. */
  async #read(at: number, length: number, current: () => boolean): Promise<Held> {
    const bytes = new Uint8Array(length);
    await this.#file.read(at, bytes);
    const now = this.#held.get(at);
    if (now) return now;
    if (!current()) return this.#loading.get(at) ?? this.#load(at, length);
    const piece = held(at, bytes);
    this.#keep(piece);
    return piece;
  }

  #keep(piece: Held): void {
    piece.used = ++this.#clock;
    this.#held.set(piece.at, piece);
    this.#bytes += piece.bytes.length;
    if (this.#bytes <= this.#limit) return;
    const idle = [...this.#held.values()].filter((p) => p.dirty.size === 0 && p.writing === 0 && p !== piece);
    for (const old of idle.toSorted((a, b) => a.used - b.used)) {
      if (this.#bytes <= this.#limit * 0.75) break;
      this.drop(old.at);
    }
  }
}

function held(at: number, bytes: Uint8Array): Held {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { at, bytes, view, dirty: new Set(), writing: 0, used: 0 };
}

/** Sectors that follow each other become one write. */
function merge(sectors: readonly { at: number; bytes: Uint8Array }[]): { at: number; bytes: Uint8Array }[] {
  const runs: { at: number; pieces: Uint8Array[]; end: number }[] = [];
  for (const { at, bytes } of sectors) {
    const last = runs.at(-1);
    if (last?.end === at) {
      last.pieces.push(bytes);
      last.end += bytes.length;
    } else runs.push({ at, pieces: [bytes], end: at + bytes.length });
  }
  return runs.map(({ at, pieces, end }) => {
    const all = new Uint8Array(end - at);
    let done = 0;
    for (const p of pieces) {
      all.set(p, done);
      done += p.length;
    }
    return { at, bytes: all };
  });
}
