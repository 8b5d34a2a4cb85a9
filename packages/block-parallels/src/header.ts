import type { BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";

/** Bytes of the header; the block table follows. */
export const HEADER_BYTES = 64;
const MAGIC_OLD = "WithoutFreeSpace";
const MAGIC = "WithouFreSpacExt";
/** "in use" of an image that is open for writing, or was not closed: "Ynot" read as a number. */
export const IN_USE = 0x746f6e59;
/** Entries of the table, at most: QEMU's bound. */
const MOST_ENTRIES = 0x1fff_ffff;
/** Sectors of a cluster, at most: QEMU's bound. */
const MOST_TRACKS: number = Math.floor(0x7fffffff / 513);

/** Source: QEMU documentation, "Parallels Expandable Image File Format", "Header". */
export interface Header {
  /** The older form: entries are sectors, and the disk has at most 2^32 of them. */
  readonly old: boolean;
  readonly clusterBytes: number;
  readonly entries: number;
  readonly diskBytes: number;
  readonly inUse: boolean;
  /** Where the first cluster may begin. */
  readonly dataAt: number;
  /** Offset of the format extension; 0 = none. */
  readonly extensionAt: number;
}

/** 0: neither; 1: the older form; 2: the newer one. */
export function versionOf(head: Uint8Array): 0 | 1 | 2 {
  if (head.length < HEADER_BYTES) return 0;
  const text = String.fromCharCode(...head.subarray(0, 16));
  const version = (head[16] ?? 0) | ((head[17] ?? 0) << 8) | ((head[18] ?? 0) << 16) | ((head[19] ?? 0) << 24);
  if (version !== 2) return 0;
  if (text === MAGIC) return 2;
  return text === MAGIC_OLD ? 1 : 0;
}

/** @throws BlockError "not-this-format" or "corrupt" */
export async function readHeader(file: BlockNode, filename: string): Promise<Header> {
  const bytes = new Uint8Array(HEADER_BYTES);
  if (file.size >= HEADER_BYTES) await file.read(0, bytes);
  const version = versionOf(bytes);
  if (version === 0) throw new BlockError("not-this-format", `'${filename}' has no header of a Parallels image`);
  const f = new Fields(bytes, { filename, littleEndian: true });
  const tracks = f.bound("tracks", f.u32(28, "tracks"), 1, MOST_TRACKS, 28);
  const entries = f.bound("BAT entries", f.u32(32, "BAT entries"), 0, MOST_ENTRIES, 32);
  const tableEnd = HEADER_BYTES + entries * 4;
  if (tableEnd > file.size)
    throw f.wrong("BAT entries", String(entries), `must end inside the file (${file.size} bytes)`, 32);
  const sectors = version === 1 ? f.u32(36, "sectors") : f.u64(36, "sectors");
  if (sectors > entries * tracks)
    throw f.wrong("sectors", String(sectors), `must be at most the ${entries * tracks} of ${entries} clusters`, 36);
  const extension = version === 1 ? 0 : f.u64(56, "extension offset");
  return {
    old: version === 1,
    clusterBytes: tracks * 512,
    entries,
    diskBytes: sectors * 512,
    inUse: f.u32(44, "in use") === IN_USE,
    dataAt: Math.max(f.u32(48, "data offset") * 512, Math.ceil(tableEnd / 512) * 512),
    extensionAt: f.bound("extension offset", extension, 0, 2 ** 44, 56) * 512,
  };
}

/** What a new image says. */
export interface NewHeader {
  readonly clusterBytes: number;
  readonly diskBytes: number;
}

/** Entries and first data byte of a new image. */
export function layoutOf({ clusterBytes, diskBytes }: NewHeader): { entries: number; dataAt: number } {
  const entries = Math.ceil(diskBytes / clusterBytes);
  return { entries, dataAt: Math.ceil((HEADER_BYTES + entries * 4) / clusterBytes) * clusterBytes };
}

/** The first sector of a new image. */
export function buildHeader(h: NewHeader): Uint8Array {
  const { entries, dataAt } = layoutOf(h);
  const out = new Uint8Array(512);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 16; i++) out[i] = MAGIC.charCodeAt(i);
  view.setUint32(16, 2, true);
  view.setUint32(20, 16, true);
  view.setUint32(24, Math.min(0xffffffff, Math.floor(h.diskBytes / 512 / 16 / 32)), true);
  view.setUint32(28, h.clusterBytes / 512, true);
  view.setUint32(32, entries, true);
  view.setUint32(36, (h.diskBytes / 512) >>> 0, true);
  view.setUint32(40, Math.floor(h.diskBytes / 512 / 2 ** 32), true);
  view.setUint32(48, dataAt / 512, true);
  return out;
}
