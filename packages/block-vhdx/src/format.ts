import type { BlockFormat, BlockNode, CheckRepair, ClusterNodeOptions, FormatContext } from "@mimus/block";
import { BlockError, defineFormat, SectorNode } from "@mimus/block";
import { z } from "zod";
import { batEntries, BlockMap } from "./block-map.ts";
import { check } from "./check.ts";
import { create, createOptions } from "./create.ts";
import { NO_GUID, sameGuid } from "./guid.ts";
import type { Header } from "./header.ts";
import { readHeader, writeHeader } from "./header.ts";
import { grow, Vhdx } from "./image.ts";
import { readLog, replayIntoFile, ReplayedFile } from "./log-replay.ts";
import { LogWriter } from "./log-write.ts";
import { measure } from "./measure.ts";
import { readMetadata } from "./metadata.ts";
import { openParent, parseParentLocator } from "./parent.ts";
import { readRegions } from "./regions.ts";

const IDENTIFIER = "vhdxfile";
/** Entries of a block table that opening looks through; larger ones are looked through before the first allocation. */
const ENTRIES_AT_OPEN = 1 << 17;

/** The VHDX format. */
export const vhdx: BlockFormat = defineFormat({
  name: "vhdx",
  summary: "Hyper-V virtual hard disk, version 2: fixed, dynamic and differencing",
  options: z.strictObject({}),
  probe: (head) => (isVhdx(head) ? 100 : 0),
  create,
  createOptions,
  measure,
  async open(file, _options, ctx) {
    const head = new Uint8Array(8);
    if (file.size >= 8) await file.read(0, head);
    if (!isVhdx(head)) throw new BlockError("not-this-format", `'${ctx.filename}' does not begin as a VHDX does`);
    const header = await readHeader(file, ctx.filename);
    if (sameGuid(header.logGuid, NO_GUID)) return openImage(file, file, header, false, ctx);
    const replay = await readLog(file, header, ctx.filename);
    if (ctx.readOnly) return openImage(new ReplayedFile(file, replay), file, header, true, ctx);
    await replayIntoFile(file, replay);
    const settled = await writeHeader(file, header, { logGuid: NO_GUID });
    ctx.warn(`'${ctx.filename}' was not closed properly: its log was replayed`);
    return openImage(file, file, settled, false, ctx);
  },
});

function isVhdx(head: Uint8Array): boolean {
  for (let i = 0; i < IDENTIFIER.length; i++) if (head[i] !== IDENTIFIER.charCodeAt(i)) return false;
  return true;
}

/** `file`: as it reads after a replay; `below`: the node that was given. */
async function openImage(
  file: BlockNode,
  below: BlockNode,
  header: Header,
  dirty: boolean,
  ctx: FormatContext,
): Promise<BlockNode> {
  const { filename, name, readOnly, host } = ctx;
  const regions = await readRegions(file, filename);
  const metadata = await readMetadata(file, regions.metadata, filename);
  const needed = batEntries(metadata) * 8;
  if (needed > regions.bat.bytes)
    throw new BlockError(
      "corrupt",
      `'${filename}': block table of ${regions.bat.bytes} bytes must have ${needed} for the disk`,
      {
        at: regions.bat.at,
      },
    );
  const log = dirty ? undefined : new LogWriter(below, header, host);
  const logRegion = { at: header.logAt, bytes: header.logBytes };
  const map = new BlockMap({ file, metadata, regions, log, logRegion, blockStateZero: true });
  if (needed / 8 <= ENTRIES_AT_OPEN) await map.scan();
  const locator = metadata.parentLocator && parseParentLocator(metadata.parentLocator, filename);
  const backing = locator && (await openParent(locator, ctx));
  const parentName = locator?.names[0];
  const options: ClusterNodeOptions & { readonly map: BlockMap } = {
    name,
    driver: "vhdx",
    size: metadata.diskBytes,
    readOnly,
    file,
    map,
    backing,
    image: {
      clusterSize: metadata.blockBytes,
      info: async () => ({
        ...(dirty ? { dirty } : {}),
        ...(parentName === undefined ? {} : { backingFile: parentName, backingFormat: "vhdx" }),
      }),
      check: (repair: CheckRepair) => check(map, [regions.metadata, map.bat, logRegion], repair),
    },
    firstWrite: async () => {
      await map.scan();
      await log?.begin();
    },
    reopen: async (opts) => {
      if (dirty && !opts.readOnly)
        throw new BlockError("in-use", `'${filename}' has a log to replay: open it writable from the start`);
    },
    resize: (size) => grow(map, regions.metadata, size, filename),
    beforeClose: async () => log?.settle(),
  };
  return metadata.hasParent ? new SectorNode(options) : new Vhdx(options, metadata.logicalSector);
}
