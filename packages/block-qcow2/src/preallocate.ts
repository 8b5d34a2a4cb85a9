import { zeroRange } from "@mimus/block";
import type { BlockNode, CreateContext, FormatContext } from "@mimus/block";
import { COPIED } from "./constants.ts";
import type { Image } from "./image.ts";
import { Qcow2Node } from "./node.ts";
import { loadImage } from "./open.ts";
import { openOptions } from "./options.ts";
import type { CreateOptions, OpenOptions } from "./options.ts";
import { beginSession, endSession } from "./session.ts";
import { ownTable } from "./write.ts";
import { relieve } from "./flush.ts";

/** Takes places for the whole disk in a new image, as the option preallocation asks. */
export async function preallocate(
  file: BlockNode,
  size: number,
  o: CreateOptions,
  ctx: CreateContext,
  encrypted: boolean,
): Promise<void> {
  const data = o.data_file === undefined ? undefined : await ctx.extent(o.data_file);
  try {
    // A raw data file is only right where the tables say that it is.
    const mode = o.data_file_raw && o.preallocation === "off" ? "metadata" : o.preallocation;
    await data?.resize?.(size);
    if (mode === "off") return;
    const image = await loadImage(
      file,
      openOptions().parse(
        encrypted ? { encrypt: { "key-secret": o["encrypt.key-secret"] } } : {},
      ) as unknown as OpenOptions,
      contextOf(ctx, data),
    );
    const node = new Qcow2Node(image);
    await beginSession(node);
    const from = file.size;
    const end = await image.mutex.run(() => takeAll(image, size));
    if (mode === "metadata") {
      if (!data && end > file.size) await file.resize?.(end);
    } else if (data) await fill(data, 0, size, mode === "full");
    else if (encrypted)
      for (let at = 0; at < size; at += 1 << 20) await node.write(at, new Uint8Array(Math.min(1 << 20, size - at)));
    else await fill(file, from, end, mode === "full");
    await endSession(node);
  } finally {
    await data?.close();
  }
}

function contextOf(ctx: CreateContext, data: BlockNode | undefined): FormatContext {
  const none = (): never => {
    throw new Error("a new image opens nothing");
  };
  return {
    name: "qcow2",
    readOnly: false,
    probed: false,
    filename: ctx.filename,
    explicitBacking: null,
    children: data ? { "data-file": data } : {},
    backing: async () => none(),
    extent: async () => none(),
    looksLike: () => "raw",
    warn: () => undefined,
    host: ctx.host,
    format: async () => none(),
  };
}

async function takeAll(img: Image, size: number): Promise<number> {
  const { clusterSize, map } = img;
  let last = img.file.size;
  for (let at = 0; at < size;) {
    await relieve(img);
    await ownTable(img, at);
    const piece = await map.cache.get(map.sliceOf(img.l1.offset(Math.floor(at / map.coverage)), at));
    const inSlice = map.entryOf(at) / map.entryBytes;
    const want = Math.min(map.sliceEntries - inSlice, Math.ceil((size - at) / clusterSize));
    const taken = img.external ? { first: at / clusterSize, count: want } : await img.refs.allocate(want);
    for (let i = 0; i < taken.count; i++) {
      const host = (taken.first + i) * clusterSize;
      const entry = (inSlice + i) * map.entryBytes;
      piece.view.setUint32(entry, (Math.floor(host / 2 ** 32) | COPIED) >>> 0);
      piece.view.setUint32(entry + 4, host >>> 0);
    }
    map.cache.touch(piece, inSlice * map.entryBytes, taken.count * map.entryBytes);
    at += taken.count * clusterSize;
    last = Math.max(last, (taken.first + taken.count) * clusterSize);
  }
  return last;
}

async function fill(node: BlockNode, from: number, to: number, asData: boolean): Promise<void> {
  if (!asData && node.writeZeroes) {
    if (node.size < to) await node.resize?.(to);
    return zeroRange(node, from, to - from, false);
  }
  const zeroes = new Uint8Array(1 << 20);
  for (let at = from; at < to; at += zeroes.length)
    await node.write(at, zeroes.subarray(0, Math.min(zeroes.length, to - at)));
}
