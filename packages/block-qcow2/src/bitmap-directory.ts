import { BlockError, Fields } from "@mimus/block";
import * as c from "./constants.ts";
import { decode, encode } from "./extensions.ts";
import { put64, readAt } from "./file-access.ts";
import type { Image } from "./image.ts";

/** An entry of the bitmap directory. */
export interface StoredBitmap {
  tableAt: number;
  /** Entries of the table: one for each cluster of bits. */
  tableEntries: number;
  flags: number;
  readonly granularityBits: number;
  readonly name: string;
  readonly extra: Uint8Array;
  /** Of the entry in the directory, bytes. */
  at: number;
}

export const IN_USE = 1;
export const AUTO = 2;
/** Flags that have a meaning: in use, auto, and that unknown extra data may be ignored. */
const KNOWN_FLAGS = 7;
/** A dirty tracking bitmap: the only type there is. */
const TYPE = 1;

/** Reads the directory. Source: qcow2 specification, "Bitmaps". @throws BlockError "corrupt" */
export async function readDirectory(img: Image): Promise<StoredBitmap[]> {
  const e = img.ext.bitmaps;
  // What a program left that knew no bitmaps may be anything.
  if (!e || (e.count === 0 && !img.bitmapsValid)) return [];
  const bound = new Fields(new Uint8Array(0), { filename: img.filename, littleEndian: false, base: e.directoryAt });
  bound.bound("nb_bitmaps", e.count, 1, c.MAX_BITMAPS);
  bound.bound("bitmap_directory_size", e.directoryBytes, e.count * 24, c.MAX_BITMAP_DIRECTORY_BYTES);
  bound.aligned("bitmap_directory_offset", e.directoryAt, img.clusterSize);
  bound.bound("bitmap_directory_offset", e.directoryAt, img.clusterSize, img.file.size - 1);
  bound.bound("bitmap_directory_size", e.directoryBytes, 24, Math.ceil((img.file.size - e.directoryAt) / 8) * 8);
  const bytes = new Uint8Array(e.directoryBytes);
  await readAt(img.file, e.directoryAt, bytes);
  const f = new Fields(bytes, { filename: img.filename, littleEndian: false, base: e.directoryAt });
  const list: StoredBitmap[] = [];
  const names = new Set<string>();
  for (let at = 0, i = 0; i < e.count; i++) {
    const nameLength = f.bound("bitmap name length", f.u16(at + 18, "bitmap name length"), 1, 1023, at);
    const extraLength = f.u32(at + 20, "bitmap extra data size");
    f.bound("bitmap type", f.u8(at + 16, "bitmap type"), TYPE, TYPE, at);
    const tableEntries = f.u32(at + 8, "bitmap table size");
    f.bound("bitmap table size", tableEntries * 8, 0, c.MAX_BITMAP_TABLE_BYTES, at);
    const tableAt = f.aligned("bitmap table offset", f.u64(at, "bitmap table offset"), img.clusterSize, at);
    const flags = f.u32(at + 12, "bitmap flags");
    if ((flags & ~KNOWN_FLAGS) !== 0)
      throw f.wrong("bitmap flags", `0x${flags.toString(16)}`, "must be at most 0x7", at);
    const name = decode(f.slice(at + 24 + extraLength, nameLength, "bitmap name"));
    if (names.has(name)) throw f.wrong("bitmap name", `'${name.slice(0, 40)}'`, "must be there only once", at);
    names.add(name);
    list.push({
      tableAt,
      tableEntries,
      // A program that knew nothing of bitmaps has written: none of them is up to date.
      flags: (flags | (img.bitmapsValid ? 0 : IN_USE)) >>> 0,
      granularityBits: f.bound("bitmap granularity_bits", f.u8(at + 17, "granularity_bits"), 9, 31, at),
      extra: f.slice(at + 24, extraLength, "bitmap extra data").slice(),
      name,
      at,
    });
    at = Math.ceil((at + 24 + extraLength + nameLength) / 8) * 8;
  }
  return list;
}

function encodeDirectory(list: readonly StoredBitmap[]): Uint8Array {
  const entries = list.map((b) => {
    const name = encode(b.name);
    const out = new Uint8Array(Math.ceil((24 + b.extra.length + name.length) / 8) * 8);
    const v = new DataView(out.buffer);
    put64(v, 0, b.tableAt);
    v.setUint32(8, b.tableEntries);
    v.setUint32(12, b.flags);
    out[16] = TYPE;
    out[17] = b.granularityBits;
    v.setUint16(18, name.length);
    v.setUint32(20, b.extra.length);
    out.set(b.extra, 24);
    out.set(name, 24 + b.extra.length);
    return out;
  });
  const all = new Uint8Array(entries.reduce((n, e) => n + e.length, 0));
  let at = 0;
  for (const e of entries) {
    all.set(e, at);
    at += e.length;
  }
  return all;
}

/** The image has another bitmap directory from one write of the header on. Under the mutex; flushes what it points at. */
export async function switchDirectory(img: Image, list: readonly StoredBitmap[]): Promise<void> {
  const { clusterSize, refs, guard, ext, header } = img;
  const old = ext.bitmaps;
  const bytes = encodeDirectory(list);
  if (list.length > c.MAX_BITMAPS || bytes.length > c.MAX_BITMAP_DIRECTORY_BYTES)
    throw new BlockError("no-space", `'${img.filename}' holds as many bitmaps as it can`);
  const clusters = Math.ceil(bytes.length / clusterSize);
  let at = 0;
  if (clusters > 0) {
    at = (await refs.allocateExactly(clusters)) * clusterSize;
    const padded = new Uint8Array(clusters * clusterSize);
    padded.set(bytes);
    await img.file.write(at, padded);
  }
  await img.flushNow();
  ext.bitmaps = clusters > 0 ? { count: list.length, directoryAt: at, directoryBytes: bytes.length } : undefined;
  header.autoclear = [header.autoclear[0], clusters > 0 ? header.autoclear[1] | 1 : header.autoclear[1] & ~1];
  await img.switchHeader();
  if (old && old.count > 0) {
    const count = Math.ceil(old.directoryBytes / clusterSize);
    guard.release(old.directoryAt / clusterSize, count, "bitmap-directory");
    refs.free(old.directoryAt / clusterSize, count, "other");
  }
  guard.claim(at / clusterSize, clusters, "bitmap-directory");
}

/** Before the first write: bitmaps that record writes are not up to date from now on, until they are stored again. */
export async function bitmapsInUse(img: Image): Promise<boolean> {
  if (!img.bitmapsValid || !img.ext.bitmaps) return false;
  let changed = false;
  for (const b of await readDirectory(img)) {
    if ((b.flags & IN_USE) !== 0 || (b.flags & AUTO) === 0) continue;
    img.ourBitmaps.add(b.name);
    await writeFlags(img, b, b.flags | IN_USE);
    changed = true;
  }
  return changed;
}

/** Changes the flags of an entry where it lies. */
export async function writeFlags(img: Image, b: StoredBitmap, flags: number): Promise<void> {
  const place = img.ext.bitmaps;
  if (!place) return;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, flags);
  await img.file.write(place.directoryAt + b.at + 12, bytes);
}
