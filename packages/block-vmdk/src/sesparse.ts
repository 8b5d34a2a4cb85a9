import { BlockError, type BlockNode, type ClusterMap, Fields, TableCache, UNALLOCATED, ZEROES } from "@mimus/block";
import { MOST_TABLES, SECTOR } from "./sparse-header.ts";

const HEADER_BYTES = 512;
const VERSION_HIGH = 2;
const VERSION_LOW = 1;
const VOLATILE_MAGIC = 0xcafecafe;
/** What the header of the kind always says: grains of 4 KiB, tables of 64 sectors. */
const GRAIN_SECTORS = 8;
const TABLE_SECTORS = 64;
const ENTRIES: number = (TABLE_SECTORS * SECTOR) / 8;
/** High half of a directory entry that names a table. */
const TABLE_TAG = 0x10000000;
const PIECE = 1 << 16;

/** The parts of a space-efficient sparse extent that reading needs; bytes. */
export interface SeSparseLayout {
  readonly size: number;
  readonly directoryAt: number;
  readonly tables: number;
  readonly tablesAt: number;
  readonly tablesBytes: number;
  readonly grainsAt: number;
}

/** Magic of the constant header: 0xcafebabe as 64 bits. */
export function isSeSparse(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return view.getUint32(0, true) === 0xcafebabe && view.getUint32(4, true) === 0;
}

/**
 * Reads and bounds both headers. Source: the layout as QEMU 7.2 and VMware ESXi 6.5 images have it; VMware documents it
 * nowhere. @throws BlockError
 */
export async function openSeSparse(file: BlockNode): Promise<SeSparseLayout> {
  const filename = file.filename ?? file.name;
  const bytes = new Uint8Array(HEADER_BYTES);
  await file.read(0, bytes);
  const f = new Fields(bytes, { filename, littleEndian: true });
  const [high, low] = f.halves(8, "version");
  if (high !== VERSION_HIGH || low !== VERSION_LOW)
    throw new BlockError("unsupported-feature", `'${filename}': seSparse version ${high}.${low} must be 2.1`, {
      at: 8,
    });
  const at = (offset: number, field: string): number =>
    f.bound(field, f.u64(offset, field), 0, Math.floor(Number.MAX_SAFE_INTEGER / SECTOR), offset) * SECTOR;
  f.bound("grain_size", f.u64(24, "grain_size"), GRAIN_SECTORS, GRAIN_SECTORS, 24);
  f.bound("grain_table_size", f.u64(32, "grain_table_size"), TABLE_SECTORS, TABLE_SECTORS, 32);
  if (f.halves(40, "flags").some((half) => half !== 0))
    throw new BlockError("unsupported-feature", `'${filename}': flags of seSparse must be 0`, { at: 40 });
  const volatileAt = at(80, "volatile_header_offset");
  f.bound("volatile_header_size", f.u64(88, "volatile_header_size"), 1, 1, 88);
  const size = at(16, "capacity");
  const directoryAt = at(128, "grain_dir_offset");
  const directoryBytes = at(136, "grain_dir_size");
  const tablesAt = at(144, "grain_tables_offset");
  const tablesBytes = at(152, "grain_tables_size");
  const grainsAt = at(192, "grains_offset");
  const tables = f.bound(
    "grain_dir_size",
    directoryBytes / 8,
    Math.ceil(size / (GRAIN_SECTORS * SECTOR * ENTRIES)),
    MOST_TABLES,
    136,
  );
  f.bound("grain_dir_offset", directoryAt, HEADER_BYTES, file.size - directoryBytes, 128);
  f.bound("grain_tables_offset", tablesAt, HEADER_BYTES, file.size, 144);
  f.bound("grains_offset", grainsAt, HEADER_BYTES, Number.MAX_SAFE_INTEGER, 192);
  f.bound("volatile_header_offset", volatileAt, HEADER_BYTES, file.size - HEADER_BYTES, 80);
  await file.read(volatileAt, bytes);
  const v = new Fields(bytes, { filename, littleEndian: true, base: volatileAt });
  const [, magic] = v.halves(0, "volatile_magic");
  if (magic !== VOLATILE_MAGIC) throw v.wrong("volatile_magic", `0x${magic.toString(16)}`, "must be 0xcafecafe");
  if ((bytes[24] ?? 0) !== 0)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': replay_journal is set: let ESX replay the journal first`,
      {
        at: volatileAt + 24,
      },
    );
  return { size, directoryAt, tables, tablesAt, tablesBytes, grainsAt };
}

/** Directory and tables of a space-efficient sparse extent, for reading. */
export class SeSparseMap implements ClusterMap {
  readonly clusterSize: number = GRAIN_SECTORS * SECTOR;
  readonly marksZeroes: boolean = false;
  readonly changed: number = 0;
  readonly #layout: SeSparseLayout;
  readonly #filename: string;
  readonly #directory: TableCache;
  readonly #tables: TableCache;

  constructor(file: BlockNode, layout: SeSparseLayout) {
    this.#layout = layout;
    this.#filename = file.filename ?? file.name;
    this.#directory = new TableCache(file, { limit: 4 << 20 });
    this.#tables = new TableCache(file, { limit: 8 << 20 });
  }

  peek(grain: number): number | undefined {
    const table = this.#tableAt(Math.floor(grain / ENTRIES));
    if (table === undefined) return undefined;
    if (table === 0) return UNALLOCATED;
    const piece = this.#tables.peek(table);
    if (!piece) return undefined;
    const at = (grain % ENTRIES) * 8;
    const high = piece.view.getUint32(at + 4, true);
    const low = piece.view.getUint32(at, true);
    switch (high >>> 28) {
      case 0:
        if (high === 0 && low === 0) return UNALLOCATED;
        break;
      case 1: // unmapped by the guest
      case 2:
        return ZEROES;
      case 3: {
        // 12 low bits of the grain's number are above the 48 high ones.
        const number = ((high & 0xffff) * 2 ** 32 + low) * 4096 + ((high >>> 16) & 0xfff);
        const place = this.#layout.grainsAt + number * this.clusterSize;
        if (place <= Number.MAX_SAFE_INTEGER) return place;
        break;
      }
    }
    throw new BlockError(
      "corrupt",
      `'${this.#filename}': grain ${grain} has the entry 0x${high.toString(16)}_${low.toString(16)}`,
      {
        at: table + at,
      },
    );
  }

  span(grain: number): number {
    return this.#tableAt(Math.floor(grain / ENTRIES)) === 0 ? ENTRIES - (grain % ENTRIES) : 1;
  }

  async load(grain: number): Promise<void> {
    const number = Math.floor(grain / ENTRIES);
    const start = Math.floor((number * 8) / PIECE) * PIECE;
    await this.#directory.load(this.#layout.directoryAt + start, Math.min(PIECE, this.#layout.tables * 8 - start));
    const table = this.#tableAt(number);
    if (table !== undefined && table !== 0) await this.#tables.load(table, TABLE_SECTORS * SECTOR);
  }

  allocate(): number {
    throw this.#readOnly();
  }
  set(): Promise<void> {
    return Promise.reject(this.#readOnly());
  }
  commit(): Promise<void> {
    return Promise.resolve();
  }

  #readOnly(): BlockError {
    return new BlockError("read-only", `'${this.#filename}': seSparse extents are only read`);
  }

  #tableAt(number: number): number | undefined {
    const { directoryAt, tablesAt, tablesBytes } = this.#layout;
    const piece = this.#directory.peek(directoryAt + Math.floor((number * 8) / PIECE) * PIECE);
    if (!piece) return undefined;
    const at = (number * 8) % PIECE;
    const high = piece.view.getUint32(at + 4, true);
    const low = piece.view.getUint32(at, true);
    if (high === 0 && low === 0) return 0;
    const offset = low * TABLE_SECTORS * SECTOR;
    if (high === TABLE_TAG && offset + TABLE_SECTORS * SECTOR <= tablesBytes) return tablesAt + offset;
    throw new BlockError(
      "corrupt",
      `'${this.#filename}': grain directory entry ${number} is 0x${high.toString(16)}_${low.toString(16)}`,
      { at: piece.at + at },
    );
  }
}
