import { encodeUtf8 } from "@mimus/bits";
import type { BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";

const HEADER_BYTES = 48;
const MAGIC = 0x514649fb;
const MOST_NAME = 1023;

/** Source: the layout of qcow version 1 as Mark McLoughlin's "The QCOW Image Format" (2006) describes it. */
export interface Header {
  readonly backingFile: string | undefined;
  readonly diskBytes: number;
  readonly clusterBits: number;
  /** Entries of an L2 table: 2 to this. */
  readonly l2Bits: number;
  readonly encrypted: boolean;
  readonly l1At: number;
  readonly l1Entries: number;
}

/** True when the bytes begin as a qcow image of version 1 does. */
export function isQcow(head: Uint8Array): boolean {
  if (head.length < 8) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return view.getUint32(0) === MAGIC && view.getUint32(4) === 1;
}

/** @throws BlockError "not-this-format", "corrupt" or "unsupported-feature" */
export async function readHeader(file: BlockNode, filename: string): Promise<Header> {
  const bytes = new Uint8Array(HEADER_BYTES);
  if (file.size >= HEADER_BYTES) await file.read(0, bytes);
  if (!isQcow(bytes))
    throw new BlockError("not-this-format", `'${filename}' has no header of a qcow image of version 1`);
  const f = new Fields(bytes, { filename, littleEndian: false });
  const clusterBits = f.bound("cluster_bits", f.u8(32, "cluster_bits"), 9, 16, 32);
  const l2Bits = f.bound("l2_bits", f.u8(33, "l2_bits"), 6, 13, 33);
  const size = f.u64(24, "size");
  f.bound("size", size, 2, Number.MAX_SAFE_INTEGER - 2 ** 29, 24);
  const crypt = f.u32(36, "crypt_method");
  if (crypt > 1)
    throw new BlockError("unsupported-feature", `'${filename}': crypt_method ${crypt} must be 0 (none) or 1 (AES)`, {
      at: 36,
    });
  const l1Entries = Math.ceil(size / 2 ** (clusterBits + l2Bits));
  const l1At = f.u64(40, "l1_table_offset");
  if (l1At < HEADER_BYTES || l1At % 8 !== 0 || l1At + l1Entries * 8 > file.size)
    throw f.wrong(
      "l1_table_offset",
      String(l1At),
      `with ${l1Entries} entries must lie inside the file (${file.size} bytes)`,
      40,
    );
  return {
    backingFile: await readBackingName(file, f, filename),
    diskBytes: Math.floor(size / 512) * 512,
    clusterBits,
    l2Bits,
    encrypted: crypt === 1,
    l1At,
    l1Entries,
  };
}

async function readBackingName(file: BlockNode, f: Fields, filename: string): Promise<string | undefined> {
  const at = f.u64(8, "backing_file_offset");
  const length = f.u32(16, "backing_file_size");
  if (at === 0 || length === 0) return undefined;
  f.bound("backing_file_size", length, 1, MOST_NAME, 16);
  if (at + length > file.size)
    throw f.wrong("backing_file_offset", String(at), `must lie inside the file (${file.size} bytes)`, 8);
  const bytes = new Uint8Array(length);
  await file.read(at, bytes);
  return new Fields(bytes, { filename, littleEndian: false }).text(0, length, "backing_file");
}

/** What a new image says. */
export interface NewHeader {
  readonly backingFile: string | undefined;
  readonly diskBytes: number;
  readonly encrypted: boolean;
}

/** The first bytes of a new image: header, name of the backing file, and an empty L1 table of whole sectors. */
export function buildStart(h: NewHeader): { bytes: Uint8Array; l1At: number; l1Bytes: number } {
  const name = h.backingFile === undefined ? new Uint8Array(0) : encodeUtf8(h.backingFile);
  if (name.length > MOST_NAME)
    throw new BlockError("bad-option", `backing_file of ${name.length} bytes must have at most ${MOST_NAME}`);
  // Small clusters copy less of the backing file.
  const [clusterBits, l2Bits] = name.length > 0 ? [9, 12] : [12, 9];
  const l1At = Math.ceil((HEADER_BYTES + name.length) / 8) * 8;
  const l1Bytes = Math.ceil((Math.ceil(h.diskBytes / 2 ** (clusterBits + l2Bits)) * 8) / 512) * 512;
  const bytes = new Uint8Array(l1At);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, 1);
  if (name.length > 0) {
    view.setUint32(12, HEADER_BYTES);
    view.setUint32(16, name.length);
    bytes.set(name, HEADER_BYTES);
  }
  view.setUint32(24, Math.floor(h.diskBytes / 2 ** 32));
  view.setUint32(28, h.diskBytes >>> 0);
  bytes[32] = clusterBits;
  bytes[33] = l2Bits;
  view.setUint32(36, h.encrypted ? 1 : 0);
  view.setUint32(44, l1At);
  return { bytes, l1At, l1Bytes };
}
