import { encode } from "./extensions.ts";
import { BlockError } from "@mimus/block";
import type { BitmapInfo, BitmapOps } from "@mimus/block";
import type { StoredBitmap } from "./bitmap-directory.ts";
import { AUTO, IN_USE, readDirectory, switchDirectory, writeFlags } from "./bitmap-directory.ts";
import { put64, readAt } from "./file-access.ts";
import type { Image } from "./image.ts";
import type { Qcow2Node } from "./node.ts";

/** Dirty bitmaps that the image keeps. */
export function bitmapOps(node: Qcow2Node): BitmapOps {
  const { img } = node;
  return {
    list: async () => (await readDirectory(img)).map((b) => info(img, b)),
    add: (name, granularity, auto, bits) => node.alone(() => add(img, { name, granularity, auto, bits })),
    remove: (name) => node.alone(() => remove(img, name)),
    load: (name) => node.inside(() => load(img, name)),
    store: (name, bits) => node.alone(() => store(img, name, bits, img.size)),
    use: (name) => node.alone(() => use(img, name)),
    setAuto: (name, auto) =>
      node.alone(async () => {
        const b = await find(img, name);
        await writeFlags(img, b, auto ? b.flags | AUTO : b.flags & ~AUTO);
      }),
  };
}

function info(img: Image, b: StoredBitmap): BitmapInfo {
  const inUse = ((b.flags & IN_USE) !== 0 && !img.ourBitmaps.has(b.name)) || !img.bitmapsValid;
  return { name: b.name, granularity: 2 ** b.granularityBits, auto: (b.flags & AUTO) !== 0, inUse };
}

async function find(img: Image, name: string): Promise<StoredBitmap> {
  const found = (await readDirectory(img)).find((b) => b.name === name);
  if (!found) throw new BlockError("not-found", `'${img.filename}' has no bitmap '${name}'`);
  return found;
}

function bitBytes(b: { readonly granularityBits: number }, size: number): number {
  return Math.ceil(Math.ceil(size / 2 ** b.granularityBits) / 8);
}

/** In the file before anything else that is written: after a crash it says that the bits cannot be relied on. */
async function use(img: Image, name: string): Promise<void> {
  const b = await find(img, name);
  if ((b.flags & IN_USE) !== 0) return;
  img.ourBitmaps.add(name);
  await writeFlags(img, b, b.flags | IN_USE);
  await img.file.flush();
}

interface NewBitmap {
  readonly name: string;
  readonly granularity: number;
  readonly auto: boolean;
  readonly bits: Uint8Array | undefined;
}

async function add(img: Image, { name, granularity, auto, bits }: NewBitmap): Promise<void> {
  const list = await readDirectory(img);
  const granularityBits = Math.log2(granularity);
  if (img.header.version === 2)
    throw new BlockError("unsupported-feature", `'${img.filename}': bitmaps need version 3 (compat=1.1)`);
  if (!Number.isInteger(granularityBits) || granularityBits < 9 || granularityBits > 31)
    throw new BlockError(
      "bad-option",
      `Bitmap granularity ${granularity} must be a power of two from 512 to 2147483648`,
    );
  if (name.length < 1 || encode(name).length > 1023)
    throw new BlockError("bad-option", "Bitmap name must be 1 to 1023 bytes long");
  if (list.some((b) => b.name === name)) throw new BlockError("in-use", `Bitmap '${name}' exists in '${img.filename}'`);
  const made = {
    tableAt: 0,
    tableEntries: 0,
    flags: auto ? AUTO : 0,
    granularityBits,
    name,
    extra: new Uint8Array(0),
    at: 0,
  };
  await write(img, made, fitting(made, bits ?? new Uint8Array(bitBytes(made, img.size)), img.size));
  await switchDirectory(img, [...list, made]);
}

async function remove(img: Image, name: string): Promise<void> {
  const gone = await find(img, name);
  const list = await readDirectory(img);
  const clusters = await usedClusters(img, gone);
  await switchDirectory(
    img,
    list.filter((b) => b.name !== name),
  );
  img.ourBitmaps.delete(name);
  for (const { first, count } of clusters) img.refs.free(first, count, "other");
}

async function load(img: Image, name: string): Promise<Uint8Array> {
  const b = await find(img, name);
  if (info(img, b).inUse)
    throw new BlockError(
      "corrupt",
      `Bitmap '${name}' of '${img.filename}' is inconsistent: it was not stored when the image was last written`,
    );
  return read(img, b, img.size);
}

async function read(img: Image, b: StoredBitmap, size: number): Promise<Uint8Array> {
  const { clusterSize } = img;
  const bytes = new Uint8Array(bitBytes(b, size));
  const wanted = Math.ceil(bytes.length / clusterSize);
  if (b.tableEntries !== wanted)
    throw new BlockError(
      "corrupt",
      `'${img.filename}': table of bitmap '${b.name}' has ${b.tableEntries} entries and must have ${wanted}`,
      { at: b.tableAt },
    );
  const table = await readTable(img, b);
  for (let i = 0; i < wanted; i++) {
    const part = bytes.subarray(i * clusterSize, (i + 1) * clusterSize);
    const at = entryAt(img, table, i);
    if (at !== 0) await readAt(img.file, at, part);
    else part.fill((table.getUint32(i * 8 + 4) & 1) === 0 ? 0 : 0xff);
  }
  return bytes;
}

async function readTable(img: Image, b: StoredBitmap): Promise<DataView> {
  if (b.tableEntries > 0 && b.tableAt + b.tableEntries * 8 > img.file.size + img.clusterSize)
    throw new BlockError(
      "corrupt",
      `'${img.filename}': table of bitmap '${b.name}' ends beyond the file's ${img.file.size} bytes`,
      { at: b.tableAt },
    );
  const bytes = new Uint8Array(b.tableEntries * 8);
  await readAt(img.file, b.tableAt, bytes);
  return new DataView(bytes.buffer);
}

function entryAt(img: Image, table: DataView, index: number): number {
  const high = table.getUint32(index * 8);
  const at = high * 2 ** 32 + ((table.getUint32(index * 8 + 4) & 0xfffffe00) >>> 0);
  if (high < 1 << 21 && at % img.clusterSize === 0) return at;
  throw new BlockError(
    "corrupt",
    `'${img.filename}': bitmap table entry ${index} 0x${at.toString(16)} must be aligned and below 2^53`,
  );
}

/** Clusters of a bitmap's table and bits. */
export async function usedClusters(img: Image, b: StoredBitmap): Promise<{ first: number; count: number }[]> {
  const { clusterSize } = img;
  if (b.tableEntries === 0) return [];
  const list = [{ first: b.tableAt / clusterSize, count: Math.ceil((b.tableEntries * 8) / clusterSize) }];
  const table = await readTable(img, b);
  for (let i = 0; i < b.tableEntries; i++) {
    const at = entryAt(img, table, i);
    if (at !== 0) list.push({ first: at / clusterSize, count: 1 });
  }
  return list;
}

/** @throws BlockError when there are not as many bits as the disk needs */
function fitting(b: StoredBitmap, bits: Uint8Array, size: number): Uint8Array {
  if (bits.length === bitBytes(b, size)) return bits;
  throw new BlockError("bad-option", `Bitmap '${b.name}' has ${bitBytes(b, size)} bytes, not ${bits.length}`);
}

/** `stale`: the bits are still not up to date. */
async function store(img: Image, name: string, bits: Uint8Array, size: number, stale = false): Promise<void> {
  const list = await readDirectory(img);
  const b = list.find((x) => x.name === name);
  if (!b) throw new BlockError("not-found", `'${img.filename}' has no bitmap '${name}'`);
  fitting(b, bits, size);
  const before = await usedClusters(img, b);
  await write(img, b, bits);
  if (!stale) {
    b.flags &= ~IN_USE;
    img.ourBitmaps.delete(name);
  }
  await switchDirectory(img, list);
  for (const { first, count } of before) img.refs.free(first, count, "other");
}

/** Writes bits and their table into new clusters; the entry then points there. */
async function write(img: Image, b: StoredBitmap, bits: Uint8Array): Promise<void> {
  const { clusterSize, refs, file } = img;
  const entries = Math.ceil(bits.length / clusterSize);
  const clusters = Math.max(1, Math.ceil((entries * 8) / clusterSize));
  const table = new Uint8Array(clusters * clusterSize);
  const view = new DataView(table.buffer);
  for (let i = 0; i < entries; i++) {
    const part = bits.subarray(i * clusterSize, (i + 1) * clusterSize);
    if (part.every((x) => x === 0)) continue;
    if (part.length === clusterSize && part.every((x) => x === 0xff)) {
      view.setUint32(i * 8 + 4, 1);
      continue;
    }
    const at = (await refs.allocateExactly(1)) * clusterSize;
    const whole = new Uint8Array(clusterSize);
    whole.set(part);
    await file.write(at, whole);
    put64(view, i * 8, at);
  }
  b.tableEntries = entries;
  b.tableAt = (await refs.allocateExactly(clusters)) * clusterSize;
  await file.write(b.tableAt, table);
}

/** Bitmaps follow the size of the disk; bits for what is new are clear. Inconsistent ones stay as they are. */
export async function resizeBitmaps(img: Image, from: number, to: number): Promise<void> {
  if (!img.bitmapsValid || !img.ext.bitmaps) return;
  for (const b of await readDirectory(img)) {
    if ((b.flags & IN_USE) !== 0 && !img.ourBitmaps.has(b.name)) continue;
    const bits = await read(img, b, from);
    const next = new Uint8Array(bitBytes(b, to));
    next.set(bits.subarray(0, next.length));
    const last = Math.ceil(to / 2 ** b.granularityBits) % 8;
    if (last !== 0 && next.length > 0) next[next.length - 1]! &= (1 << last) - 1;
    await store(img, b.name, next, to, img.ourBitmaps.has(b.name));
  }
}
