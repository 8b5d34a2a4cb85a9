import { decodeUtf8, encodeUtf8 } from "@mimus/bits";
import { BlockError, Fields } from "@mimus/block";

// Source: User-mode Linux, "COW file format", version 2, in the layout of QEMU up to 2.1 (names of 1024 bytes).

export const SECTOR = 512;
/** Bytes of the header; the bitmap follows. */
export const HEADER = 1056;
const NAME_AT = 8;
const NAME = 1024;
const SIZE_AT = 1040;
const SECTOR_AT = 1048;
const MAGIC = 0x4f4f4f4d;

export interface CowHeader {
  /** Empty = none. */
  readonly backingFile: string;
  /** Bytes of the disk. */
  readonly size: number;
  /** Where the sectors begin: after the bitmap, at a sector. */
  readonly dataAt: number;
}

export function isCow(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  const view = new DataView(head.buffer, head.byteOffset);
  return view.getUint32(0) === MAGIC && view.getUint32(4) === 2;
}

/** Reads and checks the header. @throws BlockError */
export function parseHeader(bytes: Uint8Array, filename: string, fileSize: number): CowHeader {
  const f = new Fields(bytes, { filename, littleEndian: false });
  if (f.u32(0, "magic") !== MAGIC) throw new BlockError("not-this-format", `'${filename}': no cow magic`, { at: 0 });
  const version = f.u32(4, "version");
  if (version !== 2)
    throw new BlockError("unsupported-feature", `'${filename}': cow version ${version} must be 2`, { at: 4 });
  const size = f.aligned("size", f.u64(SIZE_AT, "size"), SECTOR, SIZE_AT);
  f.bound("size", size, 0, 2 ** 52, SIZE_AT);
  f.bound("sectorsize", f.u32(SECTOR_AT, "sectorsize"), SECTOR, SECTOR, SECTOR_AT);
  const dataAt = dataStart(size);
  if (dataAt > fileSize)
    throw f.wrong("size", String(size), `must have its bitmap inside the file of ${fileSize} bytes`, SIZE_AT);
  return { backingFile: backingName(f), size, dataAt };
}

/** The header as bytes. @throws BlockError "bad-option" for a name that is too long */
export function buildHeader(size: number, backingFile: string, filename: string): Uint8Array {
  const bytes = new Uint8Array(HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, 2);
  putName(bytes, backingFile, filename);
  view.setUint32(SIZE_AT, Math.floor(size / 2 ** 32));
  view.setUint32(SIZE_AT + 4, size % 2 ** 32);
  view.setUint32(SECTOR_AT, SECTOR);
  return bytes;
}

/** The name's field alone, for a change of the backing file. */
export function nameField(backingFile: string, filename: string): { at: number; bytes: Uint8Array } {
  const bytes = new Uint8Array(HEADER);
  putName(bytes, backingFile, filename);
  return { at: NAME_AT, bytes: bytes.subarray(NAME_AT, NAME_AT + NAME) };
}

/** Offset of the first sector for a disk of `size` bytes. */
export function dataStart(size: number): number {
  return Math.ceil((HEADER + Math.ceil(size / SECTOR / 8)) / SECTOR) * SECTOR;
}

function putName(bytes: Uint8Array, name: string, filename: string): void {
  const utf8 = encodeUtf8(name);
  if (utf8.length >= NAME)
    throw new BlockError(
      "bad-option",
      `'${filename}': backing file name of ${utf8.length} bytes must be at most ${NAME - 1}`,
    );
  bytes.set(utf8, NAME_AT);
}

function backingName(f: Fields): string {
  const bytes = f.slice(NAME_AT, NAME, "backing_file");
  const end = bytes.indexOf(0);
  if (end < 0) throw f.wrong("backing_file", "without an end", `must end with 0 within ${NAME} bytes`, NAME_AT);
  return decodeUtf8(bytes.subarray(0, end));
}
