import type { BlockFormat, BlockNode, FormatContext } from "@mimus/block";
import { BlockError, defineFormat } from "@mimus/block";
import { z } from "zod";
import { CowNode } from "./cow-node.ts";
import { buildHeader, dataStart, HEADER, isCow, parseHeader, SECTOR } from "./header.ts";

const createOptions = z.strictObject({
  backing_file: z.string().optional().describe("File name of a base image"),
  backing_fmt: z.string().optional().describe("Image format of the base image (not kept in the image)"),
});

/** User-mode Linux's copy-on-write image, version 2. */
export const cow: BlockFormat = defineFormat({
  name: "cow",
  summary: "User-mode Linux copy-on-write image, version 2",
  options: z.strictObject({}),
  probe: (head) => (isCow(head) ? 100 : 0),
  open: (file, _options, ctx) => open(file, ctx),
  createOptions,
  create: async (file, given, options, ctx) => {
    const size = Math.ceil(given / SECTOR) * SECTOR;
    if (size > 2 ** 52)
      throw new BlockError("bad-option", `'${ctx.filename}': size ${given} must be at most ${2 ** 52}`);
    const { backing_file: backingFile = "" } = createOptions.parse(options);
    const header = buildHeader(size, backingFile, ctx.filename);
    if (file.resize) await file.resize(dataStart(size));
    else await file.write(dataStart(size) - SECTOR, new Uint8Array(SECTOR));
    await file.write(0, header);
    await file.flush();
  },
  measure: async (given) => {
    const size = Math.ceil(given / SECTOR) * SECTOR;
    return { required: dataStart(size), fullyAllocated: dataStart(size) + size };
  },
});

async function open(file: BlockNode, ctx: FormatContext): Promise<BlockNode> {
  if (file.size < HEADER)
    throw new BlockError("not-this-format", `'${ctx.filename}': ${file.size} bytes hold no cow header of ${HEADER}`);
  const bytes = new Uint8Array(HEADER);
  await file.read(0, bytes);
  const header = parseHeader(bytes, ctx.filename, file.size);
  let backing: BlockNode | undefined = ctx.explicitBacking ?? undefined;
  if (ctx.explicitBacking === undefined && header.backingFile !== "") backing = await ctx.backing(header.backingFile);
  return new CowNode(file, header, backing, ctx);
}
