import { BlockError, Mutex } from "@mimus/block";
import type { BlockNode, FormatContext } from "@mimus/block";
import { PieceCache } from "./cache.ts";
import * as c from "./constants.ts";
import type { Extensions } from "./extensions.ts";
import { encodeFirstCluster } from "./extensions.ts";
import { readAt } from "./file-access.ts";
import { Gate, RangeLocks } from "./gate.ts";
import type { Header } from "./header.ts";
import { l2Coverage } from "./header.ts";
import type { L1Table } from "./l1-table.ts";
import { Mapping } from "./l2.ts";
import { nextEntry } from "./next-entry.ts";
import type { OpenOptions } from "./options.ts";
import type { Structure } from "./overlap.ts";
import { OverlapGuard } from "./overlap.ts";
import type { Free, FreeReason, RefcountOwner } from "./refcounts.ts";
import { Refcounts } from "./refcounts.ts";
import type { Snapshot } from "./snapshot-table.ts";

/** The cipher of an encrypted image, in place; `sector` counts 512 bytes. */
export interface Cipher {
  encrypt(bytes: Uint8Array, sector: number): void;
  decrypt(bytes: Uint8Array, sector: number): void;
  /** The sector number is that of the place in the file, not of the disk. */
  readonly physical: boolean;
}

const L2_EVENTS = { load: "l2_load", update: "l2_update", first: "l2_alloc_write" };

/** Choices that options make for an open image, in the units of the code. */
export interface Tuning {
  readonly l2CacheBytes: number;
  readonly l2SliceBytes: number;
  readonly refcountCacheBytes: number;
  readonly lazyRefcounts: boolean;
  readonly passDiscard: Readonly<Record<FreeReason, boolean>>;
  readonly discardNoUnref: boolean;
  readonly watched: ReadonlySet<Structure>;
}

/** Everything that the parts of the driver share about one open image. */
export class Image implements RefcountOwner {
  readonly ctx: FormatContext;
  readonly file: BlockNode;
  readonly filename: string;
  readonly options: OpenOptions;
  readonly tuning: Tuning;
  readonly header: Header;
  readonly ext: Extensions;
  readonly clusterSize: number;
  /** Where data lie: the image file, or the external data file. */
  data: BlockNode;
  external = false;
  readOnly: boolean;
  backing: BlockNode | undefined;
  cipher: Cipher | undefined;
  l1!: L1Table;
  map: Mapping;
  refs: Refcounts;
  guard: OverlapGuard;
  snapshots: Snapshot[] = [];
  /** Snapshots that are open as nodes of their own, by id: they cannot be deleted. */
  readonly openSnapshots: Map<string, number> = new Map();
  readonly gate: Gate = new Gate();
  readonly locks: RangeLocks = new RangeLocks();
  readonly mutex: Mutex = new Mutex();
  /** L2 tables that nothing stable points at yet, by offset. */
  readonly freshTables: Set<number> = new Set();
  /** The guest has written, so that flags in the file say so. */
  touched = false;
  /** Clusters are given out that the file does not store; undefined = not looked at. */
  preallocated: boolean | undefined;
  /** Runs before the first write. */
  beforeWrite: () => Promise<void> = async () => undefined;
  /** Bitmaps that this session marked as not up to date: it knows what they were. */
  readonly ourBitmaps: Set<string> = new Set();
  /** Everything changed so far becomes stable; see flushAll. */
  flushNow: () => Promise<void> = async () => undefined;
  /** Where the next compressed cluster may begin; 0 = nowhere. */
  compressedEnd = 0;
  /** Given up and not pointed at, but perhaps still read by requests of a generation. */
  quarantine: { readonly list: readonly Free[]; readonly generation: number } | undefined;
  /** The first cluster as the file has it, whole sectors. */
  #first: Uint8Array;
  /** A write of sector 0 failed, and may have reached the file. */
  #unsure = false;
  /** The fields that the file has. */
  #written: { readonly header: Header; readonly ext: Extensions };

  constructor(args: {
    ctx: FormatContext;
    file: BlockNode;
    options: OpenOptions;
    tuning: Tuning;
    header: Header;
    ext: Extensions;
    first: Uint8Array;
    refcountTable: Uint8Array;
  }) {
    this.ctx = args.ctx;
    this.file = args.file;
    this.data = args.file;
    this.filename = args.ctx.filename;
    this.options = args.options;
    this.tuning = args.tuning;
    this.header = args.header;
    this.ext = args.ext;
    this.clusterSize = 2 ** args.header.clusterBits;
    this.readOnly = args.ctx.readOnly;
    this.guard = new OverlapGuard(this.filename, args.tuning.watched);
    this.#first = args.first;
    this.#written = { header: { ...args.header }, ext: { ...args.ext } };
    this.refs = this.makeRefcounts(args.header.refcountOrder, args.header.refcountTableAt, args.refcountTable);
    this.map = this.makeMapping();
  }

  makeRefcounts(order: number, at: number, bytes: Uint8Array): Refcounts {
    return new Refcounts(this, order, { at, bytes }, { cacheBytes: this.tuning.refcountCacheBytes });
  }

  /** The mapping for what the header says now: version and kind of entries. */
  makeMapping(): Mapping {
    const slice = Math.min(this.clusterSize, this.tuning.l2SliceBytes);
    return new Mapping(new PieceCache(this.file, slice, this.tuning.l2CacheBytes, L2_EVENTS), {
      filename: this.filename,
      clusterBits: this.header.clusterBits,
      extended: (this.header.incompatible & c.INCOMPAT_EXTENDED_L2) !== 0,
      version: this.header.version,
      external: this.external,
    });
  }

  get size(): number {
    return this.header.size;
  }

  /** Tells the node below which step comes next, by its name in QEMU's BlkdebugEvent; to be awaited when it answers. */
  event(name: string): Promise<unknown> | undefined {
    return this.file.event?.(name);
  }
  get coverage(): number {
    return l2Coverage(this.header);
  }
  /** First disk offset of saved machine states: behind the disk. */
  get vmStateAt(): number {
    return Math.ceil(this.header.size / this.coverage) * this.coverage;
  }
  get dataFileRaw(): boolean {
    return this.external && (this.header.autoclear[1] & c.AUTOCLEAR_DATA_FILE_RAW) !== 0;
  }
  /** Unallocated parts read as zeroes, whatever is above or below. */
  get nothingBelow(): boolean {
    return this.backing === undefined && this.ext.backingFile === undefined;
  }

  /** Fails when the image must not be written. */
  assertUsable(): void {
    if ((this.header.incompatible & c.INCOMPAT_CORRUPT) !== 0)
      throw new BlockError(
        "io",
        `'${this.filename}' is marked corrupt: it cannot be written until 'check' has repaired it`,
      );
  }

  /** Loads the piece of an L2 table that `find` wants. @throws BlockError "corrupt" for a table beyond the end of the file */
  async loadSlice(at: number): Promise<void> {
    if (at >= this.file.size && !this.map.cache.peek(at))
      throw new BlockError(
        "corrupt",
        `'${this.filename}': L2 table offset 0x${at.toString(16)} must be less than the file's ${this.file.size} bytes`,
        { at },
      );
    await this.map.cache.load(at);
  }

  /**
   * Passes the error on; when it says that tables are wrong, the image is marked as corrupt first, so that nothing makes it
   * worse.
   */
  async failed(e: unknown): Promise<never> {
    if (e instanceof BlockError && e.kind === "corrupt") await this.markCorrupt(e.message);
    throw e;
  }

  async markCorrupt(why: string): Promise<void> {
    if (this.readOnly || (this.header.incompatible & c.INCOMPAT_CORRUPT) !== 0) return;
    this.ctx.warn(`qcow2: Marking image as corrupt: ${why}; further corruption events will be suppressed`);
    if (this.header.version === 2) return;
    this.header.incompatible |= c.INCOMPAT_CORRUPT;
    await this.writeHeader().catch(() => undefined);
    await this.file.flush().catch(() => undefined);
  }

  /** Brings the header and extensions into the file: sector 0 last, so that its fields switch at once. */
  async writeHeader(): Promise<void> {
    const { bytes, fixed } = encodeFirstCluster(this.filename, this.header, this.ext);
    const next = new Uint8Array(Math.max(this.#first.length, Math.ceil(bytes.length / 512) * 512));
    next.set(this.#first);
    next.fill(0, 0, Math.ceil(fixed / 512) * 512);
    next.set(bytes.subarray(0, fixed));
    if (bytes.length > fixed) next.set(bytes.subarray(this.header.backingAt), this.header.backingAt);
    let below = false;
    for (let at = next.length - 512; at >= 0; at -= 512) {
      if (this.#same(next, at)) continue;
      if (at === 0 && below) await this.file.flush();
      await this.file.write(at, next.slice(at, at + 512));
      below = true;
    }
    this.#first = next;
    this.#unsure = false;
    this.#written = { header: { ...this.header }, ext: { ...this.ext } };
  }

  /** The header's fields are in the file and stable; where that fails, the old ones hold again, here and as far as can be in the file. */
  async switchHeader(): Promise<void> {
    const { header, ext } = this.#written;
    try {
      await this.writeHeader();
      await this.file.flush();
    } catch (e) {
      Object.assign(this.header, header);
      for (const key of Object.keys(this.ext)) if (!(key in ext)) Reflect.deleteProperty(this.ext, key);
      Object.assign(this.ext, ext);
      this.#unsure = true;
      await this.writeHeader().catch(() => undefined);
      throw e;
    }
  }

  #same(next: Uint8Array, at: number): boolean {
    if (at === 0 && this.#unsure) return false;
    for (let i = at; i < at + 512; i++) if (next[i] !== (this.#first[i] ?? 0)) return false;
    return at < this.#first.length;
  }

  async switchRefcountTable(at: number, clusters: number): Promise<void> {
    const { refcountTableAt: oldAt, refcountTableClusters: old } = this.header;
    this.guard.assertFree(at / this.clusterSize, clusters);
    this.header.refcountTableAt = at;
    this.header.refcountTableClusters = clusters;
    await this.switchHeader();
    this.guard.release(oldAt / this.clusterSize, old, "refcount-table");
    this.guard.claim(at / this.clusterSize, clusters, "refcount-table");
  }

  async freed(first: number, count: number, reason: FreeReason): Promise<void> {
    const { clusterSize, file } = this;
    if (Math.floor(this.compressedEnd / clusterSize) >= first && this.compressedEnd <= (first + count) * clusterSize)
      this.compressedEnd = 0;
    if (!this.tuning.passDiscard[reason] || !file.discard) return;
    const end = Math.min((first + count) * clusterSize, file.size);
    // A hint only: a host that cannot give space back is not an error of the image.
    if (end > first * clusterSize)
      await file.discard(first * clusterSize, end - first * clusterSize).catch(() => undefined);
  }

  /** The external data file's place of a disk offset is the offset itself; its space goes back to the host. */
  async freedExternally(at: number, length: number): Promise<void> {
    const end = Math.min(at + length, this.data.size);
    if (!this.tuning.passDiscard.request || !this.data.discard || end <= at) return;
    await this.data.discard(at, end - at).catch(() => undefined);
  }

  /** Reads the image below; what lies beyond its end reads as zeroes. */
  readBacking(at: number, into: Uint8Array): Promise<void> {
    const { backing } = this;
    if (backing) {
      const stopped = this.event("read_backing_aio");
      return stopped ? stopped.then(() => readAt(backing, at, into)) : readAt(backing, at, into);
    }
    into.fill(0);
    return Promise.resolve();
  }

  /** What holds metadata is known from now on. */
  claimAll(): void {
    const { guard, clusterSize, header } = this;
    const clusters = (bytes: number): number => Math.ceil(bytes / clusterSize);
    guard.claim(0, 1, "main-header");
    const keys = this.ext.encryption;
    if (keys) {
      // Without its keys the image is lost as without its header.
      const first = Math.floor(keys.at / clusterSize);
      guard.claim(first, clusters(keys.at + keys.length) - first, "main-header");
    }
    guard.claim(header.l1At / clusterSize, clusters(this.l1.count * 8), "active-l1");
    guard.claim(this.refs.at / clusterSize, clusters(this.refs.table.byteLength), "refcount-table");
    if (header.snapshots > 0) {
      const bytes = this.snapshotTableBytes;
      guard.claim(header.snapshotsAt / clusterSize, Math.max(1, clusters(bytes)), "snapshot-table");
    }
    for (const s of this.snapshots) guard.claim(s.l1At / clusterSize, clusters(s.l1Size * 8), "inactive-l1");
    const b = this.ext.bitmaps;
    if (b && this.bitmapsValid)
      guard.claim(b.directoryAt / clusterSize, clusters(b.directoryBytes), "bitmap-directory");
    const { table } = this.refs;
    const words = new Int32Array(table.buffer, table.byteOffset, table.byteLength >> 2);
    for (let i = nextEntry(words, 0, 2); i < words.length; i = nextEntry(words, i + 2, 2)) this.#claimBlock(i >> 1);
    if (guard.watches("active-l2")) for (let i = 0; i < this.l1.count; i++) this.#claimTable(i);
  }

  /** Bytes of the snapshot table in the file. */
  snapshotTableBytes = 0;

  /** The bitmaps extension is to be believed. */
  get bitmapsValid(): boolean {
    return (this.header.autoclear[1] & c.AUTOCLEAR_BITMAPS) !== 0;
  }

  #claimBlock(index: number): void {
    const at = this.refs.placeOf(index);
    // A bad entry: whoever uses it fails.
    if (at > 0) this.guard.claim(at / this.clusterSize, 1, "refcount-block");
  }

  #claimTable(index: number): void {
    const at = this.l1.placeOf(index);
    if (at > 0) this.guard.claim(at / this.clusterSize, 1, "active-l2");
  }
}
