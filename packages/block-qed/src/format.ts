import { decodeUtf8 } from "@mimus/bits";
import {
  type BlockFormat,
  BlockError,
  type BlockNode,
  ClusterNode,
  defineFormat,
  type FormatContext,
} from "@mimus/block";
import { z } from "zod";
import { createOptions, createQed } from "./create.ts";
import { FEATURE_BACKING, isQed, parseHeader, type QedHeader, SECTOR } from "./header.ts";
import { QedImage } from "./image.ts";

async function open(file: BlockNode, ctx: FormatContext): Promise<BlockNode> {
  const filename = file.filename ?? file.name;
  if (file.size < SECTOR)
    throw new BlockError("not-this-format", `'${filename}': ${file.size} bytes hold no QED header`);
  const head = new Uint8Array(SECTOR);
  await file.read(0, head);
  const header = parseHeader(head, filename, file.size);
  const named = await backingName(file, header);
  const image = new QedImage(file, header, named);
  if (!ctx.readOnly) await image.makeWritable();
  return new ClusterNode({
    name: ctx.name,
    driver: "qed",
    size: header.size,
    readOnly: ctx.readOnly,
    file,
    map: image.tables,
    backing: await openBacking(ctx, named, image.backingFormat),
    reopen: async ({ readOnly }) => {
      if (!readOnly) await image.makeWritable();
    },
    resize: (size) => image.resize(size),
    image: {
      clusterSize: header.clusterSize,
      info: async () => image.info(),
      check: (repair, progress) => image.check(repair, progress),
      changeBacking: (name, format) => image.changeBacking(name, format),
    },
  });
}

async function backingName(file: BlockNode, header: QedHeader): Promise<string | undefined> {
  if ((header.features & FEATURE_BACKING) === 0 || header.backingBytes === 0) return undefined;
  const bytes = new Uint8Array(header.backingBytes);
  if (header.backingAt + bytes.length > file.size) return undefined;
  await file.read(header.backingAt, bytes);
  const end = bytes.indexOf(0);
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}

/** What the user gave as backing wins over the name in the image. */
async function openBacking(
  ctx: FormatContext,
  named: string | undefined,
  format: string | undefined,
): Promise<BlockNode | undefined> {
  if (ctx.explicitBacking !== undefined) return ctx.explicitBacking ?? undefined;
  return named === undefined ? undefined : ctx.backing(named, format);
}

/** QEMU's enhanced disk image, as QEMU 0.14 to 1.x made it. */
export const qed: BlockFormat = defineFormat({
  name: "qed",
  summary: "QEMU enhanced disk image",
  options: z.strictObject({}),
  probe: (head) => (isQed(head) ? 100 : 0),
  open: (file, _options, ctx) => open(file, ctx),
  createOptions,
  create: createQed,
});
