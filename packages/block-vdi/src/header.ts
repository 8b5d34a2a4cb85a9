import { BlockError, Fields } from "@mimus/block";

/** Bytes of the pre-header and the header together. */
export const HEADER_BYTES = 512;
/** Bytes of a block: the only size that is in use. */
export const BLOCK_BYTES: number = 1 << 20;
/** Most blocks of an image, as QEMU bounds them: the map of more would not fit its 32-bit offsets. */
export const MOST_BLOCKS = 0x1fffff80;

const SIGNATURE = 0xbeda107f;
const VERSION = 0x00010001;
const DYNAMIC = 1;
const STATIC = 2;
/** Bytes of a sector: what the sizes of disks are multiples of. */
export const SECTOR = 512;

/** Offset of the count of allocated blocks in the header. */
export const ALLOCATED_AT = 0x184;

/** What the header of a VDI image says. Source: VirtualBox "VDI" header, version 1.1 (VDIHEADER1PLUS). */
export interface VdiHeader {
  readonly static: boolean;
  /** File offsets of the block map and of block 0. */
  readonly mapAt: number;
  readonly dataAt: number;
  /** Bytes of the disk, whole sectors. */
  readonly size: number;
  readonly blocks: number;
  readonly allocated: number;
}

/** True for the first bytes of a VDI image. */
export function isVdi(head: Uint8Array): boolean {
  if (head.length < HEADER_BYTES) return false;
  return new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0x40, true) === SIGNATURE;
}

/** Reads and bounds the header. @throws BlockError */
export function parseHeader(bytes: Uint8Array, filename: string, fileSize: number): VdiHeader {
  const f = new Fields(bytes, { filename, littleEndian: true });
  const signature = f.u32(0x40, "signature");
  if (signature !== SIGNATURE) throw new BlockError("not-this-format", `'${filename}': no VDI signature`, { at: 0x40 });
  const version = f.u32(0x44, "version");
  if (version !== VERSION)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': version ${version >>> 16}.${version & 0xffff} must be 1.1`,
      { at: 0x44 },
    );
  const type = f.u32(0x4c, "image_type");
  if (type !== DYNAMIC && type !== STATIC)
    throw new BlockError("unsupported-feature", `'${filename}': image_type ${type} must be 1 or 2 (no differencing)`, {
      at: 0x4c,
    });
  const mapAt = f.aligned("offset_bmap", f.u32(0x154, "offset_bmap"), SECTOR, 0x154);
  const dataAt = f.aligned("offset_data", f.u32(0x158, "offset_data"), SECTOR, 0x158);
  f.bound("offset_bmap", mapAt, HEADER_BYTES, 0xffffffff, 0x154);
  f.bound("sector_size", f.u32(0x168, "sector_size"), SECTOR, SECTOR, 0x168);
  f.bound("block_size", f.u32(0x178, "block_size"), BLOCK_BYTES, BLOCK_BYTES, 0x178);
  f.bound("block_extra", f.u32(0x17c, "block_extra"), 0, 0, 0x17c);
  const blocks = f.bound("blocks_in_image", f.u32(0x180, "blocks_in_image"), 0, MOST_BLOCKS, 0x180);
  const disk = f.bound("disk_size", f.u64(0x170, "disk_size"), 0, blocks * BLOCK_BYTES, 0x170);
  const allocated = f.bound("blocks_allocated", f.u32(ALLOCATED_AT, "blocks_allocated"), 0, blocks, ALLOCATED_AT);
  for (const [at, field] of [
    [0x1a8, "uuid_link"],
    [0x1b8, "uuid_parent"],
  ] as const)
    if (f.slice(at, 16, field).some((b) => b !== 0))
      throw new BlockError(
        "unsupported-feature",
        `'${filename}': ${field} is set, and differencing images are not read`,
        {
          at,
        },
      );
  const mapEnd = mapAt + mapBytes(blocks);
  if (mapEnd > dataAt)
    throw f.wrong("offset_data", String(dataAt), `must be behind the block map, which ends at ${mapEnd}`, 0x158);
  if (mapEnd > fileSize)
    throw f.wrong(
      "blocks_in_image",
      String(blocks),
      `must fit the file: its map would end at ${mapEnd} of ${fileSize}`,
      0x180,
    );
  const size = Math.ceil(disk / SECTOR) * SECTOR;
  return { static: type === STATIC, mapAt, dataAt, size, blocks, allocated };
}

/** Bytes of the block map in the file: whole sectors. */
export function mapBytes(blocks: number): number {
  return Math.ceil((blocks * 4) / SECTOR) * SECTOR;
}

/** The header of a new image. `uuids`: 32 random bytes, for the image and its last snapshot. */
export function buildHeader(size: number, isStatic: boolean, uuids: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const text = "<<< Mimus VM Virtual Disk Image >>>\n";
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const blocks = Math.ceil(size / BLOCK_BYTES);
  const put = (at: number, value: number): void => view.setUint32(at, value, true);
  put(0x40, SIGNATURE);
  put(0x44, VERSION);
  put(0x48, 0x180); // bytes of the header from here to its end
  put(0x4c, isStatic ? STATIC : DYNAMIC);
  put(0x154, HEADER_BYTES);
  put(0x158, HEADER_BYTES + mapBytes(blocks));
  put(0x168, SECTOR);
  put(0x170, size >>> 0);
  put(0x174, Math.floor(size / 2 ** 32));
  put(0x178, BLOCK_BYTES);
  put(0x180, blocks);
  put(ALLOCATED_AT, isStatic ? blocks : 0);
  bytes.set(asUuid(uuids.subarray(0, 16)), 0x188);
  bytes.set(asUuid(uuids.subarray(16, 32)), 0x198);
  return bytes;
}

/** Marks random bytes as a UUID of version 4. Source: RFC 9562, section 5.4. */
function asUuid(random: Uint8Array): Uint8Array {
  const out = random.slice();
  out[6] = ((out[6] ?? 0) & 0x0f) | 0x40;
  out[8] = ((out[8] ?? 0) & 0x3f) | 0x80;
  return out;
}
