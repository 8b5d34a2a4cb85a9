import { isPowerOfTwo } from "@mimus/bits";
import type { BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";
import { GUID_BYTES, guid, guidText, sameGuid } from "./guid.ts";
import { MIB } from "./header.ts";
import type { Region } from "./regions.ts";

const TABLE_BYTES = 64 << 10;
const MOST_ENTRIES = 2047;
const FILE_PARAMETERS: Uint8Array = /* @__PURE__ */ guid("CAA16737-FA36-4D43-B3B6-33F0AA44E76B");
const DISK_SIZE: Uint8Array = /* @__PURE__ */ guid("2FA54224-CD1B-4876-B211-5DBED83BF4B8");
const PAGE_83: Uint8Array = /* @__PURE__ */ guid("BECA12AB-B2E6-4523-93EF-C309E000C746");
const LOGICAL_SECTOR: Uint8Array = /* @__PURE__ */ guid("8141BF1D-A96F-4709-BA47-F233A8FAAB5F");
const PHYSICAL_SECTOR: Uint8Array = /* @__PURE__ */ guid("CDA348C7-445D-4471-9CC9-E9885251C556");
const PARENT: Uint8Array = /* @__PURE__ */ guid("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C");
/** Largest disk of the format. */
export const MAX_DISK: number = 64 * 2 ** 40;
const MIN_BLOCK: number = MIB;
export const MAX_BLOCK: number = 256 * MIB;
const REQUIRED = 4;
const VIRTUAL_DISK = 2;

/** Source: [MS-VHDX] 2.6, "Metadata Region". */
export interface Metadata {
  readonly blockBytes: number;
  /** Blocks keep their place when they are unmapped: a fixed disk. */
  readonly leaveAllocated: boolean;
  readonly hasParent: boolean;
  readonly diskBytes: number;
  /** Offset in the file of the disk's size. */
  readonly diskBytesAt: number;
  readonly logicalSector: number;
  readonly physicalSector: number;
  /** The parent locator's bytes. */
  readonly parentLocator: Uint8Array | undefined;
}

/** Reads what the image says of its disk. @throws BlockError "corrupt" or "unsupported-feature" */
export async function readMetadata(file: BlockNode, region: Region, filename: string): Promise<Metadata> {
  const items = await MetadataItems.read(file, region, filename);
  const parameters = await items.item(FILE_PARAMETERS, "file parameters", 8);
  const blockBytes = parameters.bound("block size", parameters.u32(0, "block size"), MIN_BLOCK, MAX_BLOCK, 0);
  if (!isPowerOfTwo(blockBytes)) throw parameters.wrong("block size", String(blockBytes), "must be a power of two");
  const flags = parameters.u32(4, "file parameters");
  const size = await items.item(DISK_SIZE, "virtual disk size", 8);
  const diskBytes = size.bound("virtual disk size", size.u64(0, "virtual disk size"), 0, MAX_DISK, 0);
  const logicalSector = await items.sector(LOGICAL_SECTOR, "logical sector size");
  size.aligned("virtual disk size", diskBytes, logicalSector, 0);
  const hasParent = (flags & 2) !== 0;
  return {
    blockBytes,
    leaveAllocated: (flags & 1) !== 0,
    hasParent,
    diskBytes,
    diskBytesAt: size.base,
    logicalSector,
    physicalSector: await items.sector(PHYSICAL_SECTOR, "physical sector size"),
    parentLocator: hasParent ? (await items.item(PARENT, "parent locator", 20)).bytes : undefined,
  };
}

/** The items that the metadata table names, of those that are known. */
class MetadataItems {
  readonly #file: BlockNode;
  readonly #filename: string;
  readonly #region: Region;
  readonly #places: Map<Uint8Array, Region> = new Map();

  private constructor(file: BlockNode, region: Region, filename: string) {
    this.#file = file;
    this.#region = region;
    this.#filename = filename;
  }

  /** Reads the table. @throws BlockError, also for an item that must be known and is not */
  static async read(file: BlockNode, region: Region, filename: string): Promise<MetadataItems> {
    if (region.bytes < MIB)
      throw new BlockError("corrupt", `'${filename}': metadata region of ${region.bytes} bytes must be at least 1 MiB`);
    const table = new Uint8Array(TABLE_BYTES);
    await file.read(region.at, table);
    const f = new Fields(table, { filename, littleEndian: true, base: region.at });
    if (f.text(0, 8, "metadata signature") !== "metadata")
      throw new BlockError("corrupt", `'${filename}': metadata signature must be 'metadata'`, { at: region.at });
    const count = f.bound("metadata entry count", f.u16(10, "metadata entry count"), 0, MOST_ENTRIES, 10);
    const items = new MetadataItems(file, region, filename);
    for (let i = 0; i < count; i++) items.#add(f, 32 + i * 32);
    return items;
  }

  /** Takes in the entry at offset `at` of the table. */
  #add(f: Fields, at: number): void {
    const id = f.slice(at, GUID_BYTES, "metadata GUID");
    const known = [FILE_PARAMETERS, DISK_SIZE, PAGE_83, LOGICAL_SECTOR, PHYSICAL_SECTOR, PARENT].find((k) =>
      sameGuid(k, id),
    );
    if (!known) {
      if ((f.u32(at + 24, "metadata flags") & REQUIRED) !== 0)
        throw new BlockError(
          "unsupported-feature",
          `'${this.#filename}': metadata item ${guidText(id)} is required and not known`,
        );
      return;
    }
    const bytes = f.bound("metadata length", f.u32(at + 20, "metadata length"), 1, MIB, at + 20);
    const offset = f.u32(at + 16, "metadata offset");
    f.bound("metadata offset", offset, TABLE_BYTES, this.#region.bytes - bytes, at + 16);
    this.#places.set(known, { at: this.#region.at + offset, bytes });
  }

  /** The fields of an item of at least `length` bytes. @throws BlockError "corrupt" when it is missing or shorter */
  async item(id: Uint8Array, what: string, length: number): Promise<Fields> {
    const place = this.#places.get(id);
    if (!place || place.bytes < length)
      throw new BlockError("corrupt", `'${this.#filename}': metadata has no ${what} of ${length} bytes`, {
        at: this.#region.at,
      });
    const bytes = new Uint8Array(place.bytes);
    await this.#file.read(place.at, bytes);
    return new Fields(bytes, { filename: this.#filename, littleEndian: true, base: place.at });
  }

  /** An item that is a sector's size. @throws BlockError "corrupt" */
  async sector(id: Uint8Array, what: string): Promise<number> {
    const item = await this.item(id, what, 4);
    const value = item.u32(0, what);
    if (value !== 512 && value !== 4096) throw item.wrong(what, String(value), "must be 512 or 4096");
    return value;
  }
}

/** The first bytes of a new metadata region: the table, then the items. */
export function buildMetadata(m: Omit<Metadata, "diskBytesAt">, page83: Uint8Array): Uint8Array {
  const items: { id: Uint8Array; flags: number; bytes: Uint8Array }[] = [
    {
      id: FILE_PARAMETERS,
      flags: REQUIRED,
      bytes: words(m.blockBytes, (m.leaveAllocated ? 1 : 0) | (m.hasParent ? 2 : 0)),
    },
    {
      id: DISK_SIZE,
      flags: REQUIRED | VIRTUAL_DISK,
      bytes: words(m.diskBytes >>> 0, Math.floor(m.diskBytes / 2 ** 32)),
    },
    { id: PAGE_83, flags: REQUIRED | VIRTUAL_DISK, bytes: page83 },
    { id: LOGICAL_SECTOR, flags: REQUIRED | VIRTUAL_DISK, bytes: words(m.logicalSector) },
    { id: PHYSICAL_SECTOR, flags: REQUIRED | VIRTUAL_DISK, bytes: words(m.physicalSector) },
  ];
  if (m.parentLocator) items.push({ id: PARENT, flags: REQUIRED, bytes: m.parentLocator });
  const total = items.reduce((n, i) => n + Math.ceil(i.bytes.length / 8) * 8, TABLE_BYTES);
  const out = new Uint8Array(Math.ceil(total / 4096) * 4096);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) out[i] = "metadata".charCodeAt(i);
  view.setUint16(10, items.length, true);
  let offset = TABLE_BYTES;
  for (const [i, item] of items.entries()) {
    const at = 32 + i * 32;
    out.set(item.id, at);
    view.setUint32(at + 16, offset, true);
    view.setUint32(at + 20, item.bytes.length, true);
    view.setUint32(at + 24, item.flags, true);
    out.set(item.bytes, offset);
    offset += Math.ceil(item.bytes.length / 8) * 8;
  }
  return out;
}

function words(...values: number[]): Uint8Array {
  const out = new Uint8Array(values.length * 4);
  const view = new DataView(out.buffer);
  for (const [i, v] of values.entries()) view.setUint32(i * 4, v, true);
  return out;
}
