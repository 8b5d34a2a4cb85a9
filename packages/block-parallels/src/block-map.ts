import type { BlockNode, ClusterMap, TablePiece } from "@mimus/block";
import { BlockError, TableCache, UNALLOCATED } from "@mimus/block";
import type { Header } from "./header.ts";
import { HEADER_BYTES, IN_USE } from "./header.ts";

/** Bytes of header and table that are read at once. */
const PIECE = 1 << 16;

/**
 * The block table right after the header: for each cluster its place, in clusters (or sectors in the older form); 0 = not
 * there. New clusters go to the end of the file.
 */
export class BlockMap implements ClusterMap {
  readonly clusterSize: number;
  readonly marksZeroes: boolean = false;
  readonly file: BlockNode;
  readonly header: Header;
  readonly #filename: string;
  readonly #cache: TableCache;
  readonly #end: number;
  readonly #multiplier: number;
  readonly #free: number[] = [];
  readonly #stale: Set<number> = new Set();
  #next: number | undefined;
  /** The first cluster beyond the file, as found when the table was read. */
  #outside: { readonly cluster: number; readonly place: number } | undefined;

  constructor(file: BlockNode, header: Header) {
    this.file = file;
    this.header = header;
    this.clusterSize = header.clusterBytes;
    this.#multiplier = header.old ? 512 : header.clusterBytes;
    this.#end = HEADER_BYTES + header.entries * 4;
    this.#filename = file.filename ?? file.name;
    this.#cache = new TableCache(file);
  }

  get changed(): number {
    return this.#cache.changed;
  }

  peek(cluster: number): number | undefined {
    if (cluster >= this.header.entries) return UNALLOCATED;
    const at = HEADER_BYTES + cluster * 4;
    const piece = this.#cache.peek(at - (at % PIECE));
    if (!piece) return undefined;
    const entry = piece.view.getUint32(at % PIECE, true);
    if (entry === 0) return UNALLOCATED;
    const place = entry * this.#multiplier;
    if (this.fault(place) !== undefined) throw this.#wrong(cluster, place);
    return place;
  }

  #wrong(cluster: number, place: number, advice = ""): BlockError {
    const what = `cluster ${cluster} at ${place} ${this.fault(place)}${advice}`;
    return new BlockError("corrupt", `'${this.#filename}': ${what}`, { at: HEADER_BYTES + cluster * 4 });
  }

  async load(cluster: number): Promise<void> {
    await this.#piece(cluster);
  }

  allocate(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const place = this.#next;
    if (place === undefined)
      throw new BlockError("io", `'${this.#filename}': a cluster was asked for before the table was read`);
    if (this.#outside) throw this.#wrong(this.#outside.cluster, this.#outside.place, "; repair the image first");
    if (place / this.#multiplier > 0xffffffff)
      throw new BlockError("no-space", `'${this.#filename}' is full: a cluster beyond number 2^32 - 1 has no name`);
    this.#next = place + this.clusterSize;
    return place;
  }

  release(place: number): void {
    this.#stale.add(place);
    this.#free.push(place);
  }

  stale(place: number): boolean {
    return this.#stale.has(place);
  }

  async set(cluster: number, place: number): Promise<void> {
    if (cluster >= this.header.entries)
      throw new BlockError(
        "corrupt",
        `'${this.#filename}': cluster ${cluster} is beyond the table of ${this.header.entries} entries`,
        {
          at: 32,
        },
      );
    await this.setEntry(cluster, place / this.#multiplier);
    this.#stale.delete(place);
  }

  /** Changes an entry as it is in the table. */
  async setEntry(cluster: number, entry: number): Promise<void> {
    const piece = await this.#piece(cluster);
    const at = (HEADER_BYTES + cluster * 4) % PIECE;
    piece.view.setUint32(at, entry, true);
    this.#cache.change(piece, at, 4);
  }

  commit(): Promise<void> {
    return this.#cache.commit();
  }

  /** Finds where the last cluster ends. Needed before anything is allocated, and after entries were cleared. */
  async scan(): Promise<void> {
    const { size } = this.file;
    let end = Math.max(this.header.dataAt, size);
    this.#outside = undefined;
    await this.each((cluster, place) => {
      if (place < size) end = Math.max(end, place + this.clusterSize);
      else this.#outside ??= { cluster, place };
    });
    this.#next = Math.ceil(end / this.#multiplier) * this.#multiplier;
  }

  /** Calls `see` for each cluster that has a place, right or wrong. */
  async each(see: (cluster: number, place: number) => void): Promise<void> {
    const { entries } = this.header;
    for (let cluster = 0; cluster < entries;) {
      const { view, bytes } = await this.#piece(cluster);
      for (
        let at = (HEADER_BYTES + cluster * 4) % PIECE;
        at + 4 <= bytes.length && cluster < entries;
        at += 4, cluster++
      ) {
        const entry = view.getUint32(at, true);
        if (entry !== 0) see(cluster, entry * this.#multiplier);
      }
    }
  }

  /** What cannot be right with a cluster at this place. */
  fault(place: number): string | undefined {
    if (place < this.#end) return "lies over the table";
    if (place >= Math.max(this.file.size, this.#next ?? 0)) return `lies beyond the file (${this.file.size} bytes)`;
    return undefined;
  }

  /** The file ends here. */
  async cutAt(end: number): Promise<void> {
    await this.file.resize?.(end);
    await this.file.flush();
    this.#next = Math.ceil(end / this.#multiplier) * this.#multiplier;
    this.#free.length = 0;
  }

  /** Says in the header whether the image is open for writing. Stable afterwards. */
  async setInUse(inUse: boolean): Promise<void> {
    await this.#setHeader(44, inUse ? IN_USE : 0);
  }

  /** Takes the format extension out of the header. */
  async dropExtension(): Promise<void> {
    await this.#setHeader(56, 0);
    await this.#setHeader(60, 0);
  }

  async #setHeader(at: number, value: number): Promise<void> {
    const piece = await this.#cache.load(0, Math.min(PIECE, Math.ceil(this.#end / 512) * 512));
    piece.view.setUint32(at, value, true);
    this.#cache.change(piece, at, 4);
    await this.#cache.commit();
  }

  #piece(cluster: number): Promise<TablePiece> {
    const at = HEADER_BYTES + cluster * 4;
    const start = at - (at % PIECE);
    return this.#cache.load(start, Math.min(PIECE, Math.ceil(this.#end / 512) * 512 - start));
  }
}
