import type { BlockNode, ClusterMap, Codecs, TablePiece } from "@mimus/block";
import { BlockError, COMPRESSED, Mutex, TableCache, UNALLOCATED } from "@mimus/block";
import type { SectorCipher } from "@mimus/crypto";
import type { Header } from "./header.ts";

/** Bytes of the L1 table that are read at once. */
const PIECE = 1 << 16;
const COMPRESSED_FLAG = 0x8000_0000;
const DEFAULT_LEVEL = 6;

/** What a {@link QcowMap} stands on. */
export interface QcowMapOptions {
  readonly file: BlockNode;
  readonly header: Header;
  readonly codecs: Codecs;
  /** Of an encrypted image. */
  readonly cipher: SectorCipher | undefined;
}

/** An L2 entry: a place, or where compressed bytes lie. */
type Entry = { readonly place: number; readonly compressed: number };

/**
 * The two levels of tables. New tables and clusters go to the end of the file. An encrypted image has no places: each
 * cluster is read and stored as a whole.
 */
export class QcowMap implements ClusterMap {
  readonly clusterSize: number;
  readonly marksZeroes: boolean = false;
  readonly store?: (cluster: number, bytes: Uint8Array) => Promise<void>;
  readonly file: BlockNode;
  readonly #h: Header;
  readonly #codecs: Codecs;
  readonly #cipher: SectorCipher | undefined;
  readonly #filename: string;
  readonly #cache: TableCache;
  readonly #l2Entries: number;
  readonly #l2Bytes: number;
  readonly #l1End: number;
  readonly #growing: Mutex = new Mutex();
  readonly #free: number[] = [];
  readonly #stale: Set<number> = new Set();
  /** First byte behind all that is used. */
  #next: number;
  /** The last compressed cluster that was read. */
  #last: { readonly key: number; readonly bytes: Uint8Array } | undefined;

  constructor(opts: QcowMapOptions) {
    const { file, header, codecs, cipher } = opts;
    this.file = file;
    this.#h = header;
    this.#codecs = codecs;
    this.#cipher = cipher;
    this.clusterSize = 2 ** header.clusterBits;
    this.#l2Entries = 2 ** header.l2Bits;
    this.#l2Bytes = this.#l2Entries * 8;
    this.#l1End = header.l1At + header.l1Entries * 8;
    this.#next = Math.max(file.size, this.#l1End);
    this.#filename = file.filename ?? file.name;
    this.#cache = new TableCache(file);
    if (cipher) this.store = (cluster, bytes) => this.#storeEncrypted(cluster, bytes, cipher);
  }

  get changed(): number {
    return this.#cache.changed;
  }

  peek(cluster: number): number | undefined {
    const entry = this.#peekEntry(cluster);
    if (entry === undefined) return undefined;
    if (entry === UNALLOCATED) return UNALLOCATED;
    if (entry.compressed > 0 || this.#cipher) return COMPRESSED;
    return entry.place;
  }

  async load(cluster: number): Promise<void> {
    const l2At = await this.#l2At(cluster);
    if (l2At !== 0) await this.#cache.load(l2At, this.#l2Bytes);
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

  async set(cluster: number, place: number): Promise<void> {
    await this.#setEntry(cluster, Math.floor(place / 2 ** 32), place >>> 0);
    this.#stale.delete(place);
  }

  async readCompressed(cluster: number): Promise<Uint8Array> {
    await this.load(cluster);
    const entry = this.#peekEntry(cluster);
    const out = new Uint8Array(this.clusterSize);
    if (entry === undefined || entry === UNALLOCATED) return out;
    if (entry.compressed > 0) return this.#inflate(entry, cluster);
    const room = this.file.size - entry.place;
    if (room <= 0) throw this.#wrong(cluster, `lies at ${entry.place}, beyond the file`);
    await this.file.read(entry.place, room < out.length ? out.subarray(0, room) : out);
    this.#cipher?.decrypt(out, (cluster * this.clusterSize) / 512);
    return out;
  }

  /** Stores a cluster compressed, or plainly when that is not shorter. */
  async writeCompressed(cluster: number, bytes: Uint8Array): Promise<void> {
    const packed = await this.#codecs.deflateRaw(bytes, DEFAULT_LEVEL, 12);
    if (packed.length >= this.clusterSize) {
      const place = this.#reserve(this.clusterSize);
      await this.file.write(place, bytes);
      return this.set(cluster, place);
    }
    const at = this.#next;
    this.#next += packed.length;
    await this.file.write(at, packed);
    const shift = 31 - this.#h.clusterBits;
    const high = Math.floor(at / 2 ** 32);
    await this.#setEntry(cluster, (COMPRESSED_FLAG | (packed.length << shift) | high) >>> 0, at >>> 0);
  }

  commit(): Promise<void> {
    return this.#cache.commit();
  }

  /** Gives up all clusters. */
  async empty(): Promise<void> {
    await this.#cache.commit();
    const zeroes = new Uint8Array(PIECE);
    for (let at = this.#h.l1At; at < this.#l1End; at += PIECE) {
      this.#cache.drop(at);
      await this.file.write(at, zeroes.subarray(0, Math.min(PIECE, this.#l1End - at)));
    }
    await this.file.flush();
    await this.file.resize?.(Math.ceil(this.#l1End / 512) * 512);
    this.#cache.clear();
    this.#next = Math.max(this.file.size, this.#l1End);
    this.#free.length = 0;
    this.#last = undefined;
  }

  /** Calls for each L2 table: its number and offset, as they are. */
  async eachL2(see: (index: number, at: number) => Promise<void> | void): Promise<void> {
    for (let i = 0; i < this.#h.l1Entries; i++) {
      const { view, at } = await this.#l1Piece(i);
      const [high, low] = halves(view, this.#h.l1At + i * 8 - at);
      if (high !== 0 || low !== 0) await see(i, high * 2 ** 32 + low);
    }
  }

  /** Calls for each entry of an L2 table that is not empty. */
  async eachEntry(index: number, l2At: number, see: (cluster: number, entry: Entry) => void): Promise<void> {
    const { view } = await this.#cache.load(l2At, this.#l2Bytes);
    for (let i = 0; i < this.#l2Entries; i++) {
      const entry = this.#decode(view, i * 8);
      if (entry !== UNALLOCATED) see(index * this.#l2Entries + i, entry);
    }
  }

  /** What cannot be right with bytes at this place. */
  fault(at: number, bytes: number): string | undefined {
    if (at < this.#l1End) return "lies over the header or the L1 table";
    // The file may end inside the last one. One that begins behind its end would be where the next new cluster goes.
    const end = Math.max(this.file.size, this.#next);
    if (at >= end || at + bytes > end + this.clusterSize) return "lies beyond the file";
    return undefined;
  }
  get l2Bytes(): number {
    return this.#l2Bytes;
  }
  get l1End(): number {
    return this.#l1End;
  }

  // ---- entries ----

  #peekEntry(cluster: number): Entry | typeof UNALLOCATED | undefined {
    const index = Math.floor(cluster / this.#l2Entries);
    const at = this.#h.l1At + index * 8;
    const l1 = this.#cache.peek(this.#h.l1At + index * 8 - ((index * 8) % PIECE));
    if (!l1) return undefined;
    const [high, low] = halves(l1.view, at - l1.at);
    if (high === 0 && low === 0) return UNALLOCATED;
    const l2 = this.#cache.peek(this.#checkedL2(index, high, low));
    if (!l2) return undefined;
    const entry = this.#decode(l2.view, (cluster % this.#l2Entries) * 8);
    if (entry !== UNALLOCATED) {
      const fault = this.fault(entry.place, entry.compressed || 1);
      if (fault !== undefined) throw this.#wrong(cluster, `at ${entry.place} ${fault}`);
    }
    return entry;
  }

  #decode(view: DataView, at: number): Entry | typeof UNALLOCATED {
    const [high, low] = halves(view, at);
    if (high === 0 && low === 0) return UNALLOCATED;
    if (high < COMPRESSED_FLAG) return { place: high * 2 ** 32 + low, compressed: 0 };
    const shift = 31 - this.#h.clusterBits;
    const compressed = (high >>> shift) & (this.clusterSize - 1);
    return { place: (high & ((1 << shift) - 1)) * 2 ** 32 + low, compressed: compressed || this.clusterSize };
  }

  async #setEntry(cluster: number, high: number, low: number): Promise<void> {
    let l2At = await this.#l2At(cluster);
    if (l2At === 0) l2At = await this.#growing.run(() => this.#newL2(cluster));
    const piece = await this.#cache.load(l2At, this.#l2Bytes);
    const at = (cluster % this.#l2Entries) * 8;
    piece.view.setUint32(at, high);
    piece.view.setUint32(at + 4, low);
    this.#cache.change(piece, at, 8);
  }

  /** An empty table is in the file before the L1 table points at it. */
  async #newL2(cluster: number): Promise<number> {
    const known = await this.#l2At(cluster);
    if (known !== 0) return known;
    const at = this.#reserve(this.#l2Bytes);
    const bytes = new Uint8Array(this.#l2Bytes);
    await this.file.write(at, bytes);
    this.#cache.put(at, bytes);
    const index = Math.floor(cluster / this.#l2Entries);
    const l1 = await this.#l1Piece(index);
    const offset = this.#h.l1At + index * 8 - l1.at;
    l1.view.setUint32(offset, Math.floor(at / 2 ** 32));
    l1.view.setUint32(offset + 4, at >>> 0);
    this.#cache.change(l1, offset, 8);
    return at;
  }

  async #l2At(cluster: number): Promise<number> {
    const index = Math.floor(cluster / this.#l2Entries);
    const l1 = await this.#l1Piece(index);
    const [high, low] = halves(l1.view, this.#h.l1At + index * 8 - l1.at);
    return high === 0 && low === 0 ? 0 : this.#checkedL2(index, high, low);
  }

  #checkedL2(index: number, high: number, low: number): number {
    const at = high * 2 ** 32 + low;
    const beyond = high >= 1 << 21 || at + this.#l2Bytes > Math.max(this.file.size, this.#next);
    if (!beyond && at >= this.#l1End) return at;
    throw new BlockError(
      "corrupt",
      `'${this.#filename}': L2 table ${index} at 0x${at.toString(16)} ${beyond ? "lies beyond the file" : "lies over the L1 table"}`,
      { at: this.#h.l1At + index * 8 },
    );
  }

  #l1Piece(index: number): Promise<TablePiece> {
    const start = this.#h.l1At + index * 8 - ((index * 8) % PIECE);
    return this.#cache.load(start, Math.min(PIECE, this.#l1End - start));
  }

  #reserve(bytes: number): number {
    const at = Math.ceil(this.#next / this.clusterSize) * this.clusterSize;
    this.#next = at + bytes;
    return at;
  }

  // ---- content ----

  async #inflate(entry: Entry, cluster: number): Promise<Uint8Array> {
    const last = this.#last;
    if (last && last.key === entry.place) return last.bytes;
    const packed = new Uint8Array(entry.compressed);
    const there = Math.min(packed.length, this.file.size - entry.place);
    if (there <= 0) throw this.#wrong(cluster, `at ${entry.place} lies beyond the file`);
    await this.file.read(entry.place, packed.subarray(0, there));
    try {
      const bytes = await this.#codecs.inflateRaw(packed, this.clusterSize);
      this.#last = { key: entry.place, bytes };
      return bytes;
    } catch (e) {
      throw new BlockError(
        "corrupt",
        `'${this.#filename}': compressed cluster ${cluster} at ${entry.place} cannot be read`,
        {
          at: entry.place,
          cause: e,
        },
      );
    }
  }

  async #storeEncrypted(cluster: number, bytes: Uint8Array, cipher: SectorCipher): Promise<void> {
    await this.load(cluster);
    const entry = this.#peekEntry(cluster);
    const there = entry !== undefined && entry !== UNALLOCATED && entry.compressed === 0;
    const place = there ? entry.place : this.#reserve(this.clusterSize);
    const hidden = bytes.slice();
    cipher.encrypt(hidden, (cluster * this.clusterSize) / 512);
    await this.file.write(place, hidden);
    if (!there) await this.set(cluster, place);
  }

  #wrong(cluster: number, fault: string): BlockError {
    return new BlockError("corrupt", `'${this.#filename}': cluster ${cluster} ${fault}`);
  }
}

function halves(view: DataView, at: number): readonly [number, number] {
  return [view.getUint32(at), view.getUint32(at + 4)];
}
