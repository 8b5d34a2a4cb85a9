import type { BlockFormat, CheckRepair, FormatContext } from "@mimus/block";
import { BlockError, ClusterNode, defineFormat } from "@mimus/block";
import { z } from "zod";
import { BlockMap } from "./block-map.ts";
import { check } from "./check.ts";
import { create, createOptions, measure } from "./create.ts";
import type { StoredBitmap } from "./extension.ts";
import { bitmapOps, readExtension, spaceOf } from "./extension.ts";
import { readHeader, versionOf } from "./header.ts";

/** The Parallels image format. */
export const parallels: BlockFormat = defineFormat({
  name: "parallels",
  summary: "Parallels expandable disk image",
  options: z.strictObject({}),
  probe: (head) => (versionOf(head) === 0 ? 0 : 100),
  create,
  createOptions,
  measure,
  async open(file, _options, ctx) {
    const { filename, name, readOnly } = ctx;
    const header = await readHeader(file, filename);
    const map = new BlockMap(file, header);
    const bitmaps = header.extensionAt === 0 ? [] : await bitmapsOf(() => readExtension(file, header, filename), ctx);
    const other = header.extensionAt === 0 ? [] : spaceOf(header, bitmaps);
    const unclean = { was: header.inUse };
    if (header.inUse && !readOnly) await mayWrite(map, ctx);
    // The header says that the image is in use: from the first change on, until it is closed or becomes read-only.
    let marked = header.inUse && !readOnly;
    let writable = !readOnly;
    return new ClusterNode({
      name,
      driver: "parallels",
      size: header.diskBytes,
      readOnly,
      file,
      map,
      backing: ctx.explicitBacking ?? undefined,
      image: {
        info: async () => ({}),
        // An image that this program has open for writing is in use, and not unclean.
        check: (repair: CheckRepair) => check(map, repair, other, writable ? { was: false } : unclean),
        ...(bitmaps.length > 0 ? { bitmaps: bitmapOps(file, header, bitmaps, filename) } : {}),
      },
      firstWrite: async () => {
        await map.scan();
        if (header.extensionAt !== 0) {
          ctx.warn(`'${filename}': its dirty bitmaps are dropped, because the disk changes without them`);
          await map.dropExtension();
        }
        await map.setInUse(true);
        marked = true;
      },
      reopen: async (opts) => {
        if (!opts.readOnly && unclean.was) {
          await mayWrite(map, ctx);
          marked = true;
        }
        writable = !opts.readOnly;
      },
      beforeClose: async () => {
        if (!marked) return;
        await map.setInUse(false);
        marked = unclean.was = false;
      },
    });
  },
});

async function bitmapsOf(read: () => Promise<StoredBitmap[]>, ctx: FormatContext): Promise<StoredBitmap[]> {
  try {
    return await read();
  } catch (e) {
    if (!(e instanceof BlockError)) throw e;
    ctx.warn(`${e.message}: it is left alone`);
    return [];
  }
}

/** An image that was not closed may be written when its table is whole: then it lost no more than space. */
async function mayWrite(map: BlockMap, ctx: FormatContext): Promise<void> {
  const report = await check(map, "none", [], { was: false });
  if (report.corruptions === 0) {
    ctx.warn(`'${ctx.filename}' was not closed properly; its table is whole`);
    return;
  }
  throw new BlockError(
    "corrupt",
    `'${ctx.filename}' was not closed properly, and its table has ${report.corruptions} errors: check it with repair before writing`,
  );
}
