import { isPowerOfTwo } from "@mimus/bits";
import type { BlockNode, CreateImage } from "@mimus/block";
import { BlockError, zeroRange } from "@mimus/block";
import { size as byteCount } from "@mimus/qom";
import { z } from "zod";
import { batEntries, FULLY_PRESENT, ZERO } from "./block-map.ts";
import { MIB, newGuid, writeNewHeaders } from "./header.ts";
import { buildMetadata, MAX_BLOCK, MAX_DISK } from "./metadata.ts";
import { parentLocatorFor } from "./parent.ts";
import { buildRegions } from "./regions.ts";

const GIB = 2 ** 30;

const onOff = z
  .union([z.boolean(), z.enum(["on", "off", "yes", "no", "true", "false"])])
  .transform((v) => v === true || v === "on" || v === "yes" || v === "true");

export const createOptions: z.ZodObject = z.strictObject({
  log_size: byteCount.default(MIB).describe("Log size; min 1MB."),
  block_size: byteCount
    .default(0)
    .describe("Block Size; min 1MB, max 256MB. 0 means auto-calculate based on image size."),
  subformat: z
    .enum(["dynamic", "fixed"])
    .default("dynamic")
    .describe("VHDX format type, can be either 'dynamic' or 'fixed'. Default is 'dynamic'."),
  block_state_zero: onOff
    .default(true)
    .describe(
      "Force use of payload blocks of type 'ZERO'. Non-standard, but default.  Do not set to 'off' when using 'qemu-img convert' with subformat=dynamic.",
    ),
  logical_sector_size: z
    .union([z.literal(512), z.literal(4096)])
    .default(512)
    .describe("Bytes of a logical sector"),
  backing_file: z.string().optional().describe("Parent of a differencing disk: a VHDX"),
  backing_fmt: z.literal("vhdx").optional().describe("Format of the parent"),
});

/** What the create options mean for a disk. */
export interface Shape {
  readonly diskBytes: number;
  readonly blockBytes: number;
  readonly logBytes: number;
  readonly sector: number;
  readonly fixed: boolean;
}

/** @throws BlockError "bad-option" with the option, its value and its bounds */
export function shapeOf(size: number, options: Readonly<Record<string, unknown>>, filename: string): Shape {
  const wrong = (what: string, value: number, rule: string): BlockError =>
    new BlockError("bad-option", `'${filename}': ${what} ${value} must be ${rule}`);
  const sector = options["logical_sector_size"] as number;
  const diskBytes = Math.ceil(size / sector) * sector;
  if (diskBytes > MAX_DISK) throw wrong("size", size, "at most 64 TiB");
  const log = options["log_size"] as number;
  const logBytes = Math.ceil(log / MIB) * MIB;
  if (log === 0 || logBytes >= 2 ** 32) throw wrong("log_size", log, "1 MiB to 4095 MiB");
  const wanted = (options["block_size"] as number) || automaticBlock(diskBytes);
  const blockBytes = Math.min(MAX_BLOCK, Math.ceil(wanted / MIB) * MIB);
  if (!isPowerOfTwo(blockBytes)) throw wrong("block_size", wanted, "a power of two from 1 MiB to 256 MiB");
  return { diskBytes, blockBytes, logBytes, sector, fixed: options["subformat"] === "fixed" };
}

/** The block size that QEMU takes for a disk. */
function automaticBlock(bytes: number): number {
  if (bytes > 32 * 1024 * GIB) return 64 * MIB;
  if (bytes > 100 * GIB) return 32 * MIB;
  return bytes > GIB ? 16 * MIB : 8 * MIB;
}

/** Makes a VHDX. Source: [MS-VHDX] 2.1, "Layout". */
export const create: CreateImage = async (file, size, options, ctx) => {
  const shape = shapeOf(size, options, ctx.filename);
  const parentName = options["backing_file"] as string | undefined;
  if (parentName !== undefined && shape.fixed)
    throw new BlockError("bad-option", `'${ctx.filename}': a fixed disk has no backing_file`);
  const metadata = {
    blockBytes: shape.blockBytes,
    leaveAllocated: shape.fixed,
    hasParent: parentName !== undefined,
    diskBytes: shape.diskBytes,
    logicalSector: shape.sector,
    physicalSector: shape.sector,
    parentLocator: parentName === undefined ? undefined : await parentLocatorFor(ctx, parentName),
  };
  const entries = batEntries(metadata);
  const logAt = MIB;
  const bat = { at: logAt + shape.logBytes, bytes: Math.max(1, Math.ceil((entries * 8) / MIB)) * MIB };
  const region = { at: bat.at + bat.bytes, bytes: MIB };
  const dataAt = region.at + region.bytes;
  const { host } = ctx;
  // Everything up to the first block reads as zeroes where nothing is written.
  await file.write(dataAt - 512, new Uint8Array(512));
  await file.write(region.at, buildMetadata(metadata, newGuid(host)));
  if (shape.fixed) await fill(file, bat.at, shape, dataAt);
  else if (options["block_state_zero"] === true && !metadata.hasParent) await fill(file, bat.at, shape, undefined);
  const regions = buildRegions(bat, region);
  await file.write(192 << 10, regions);
  await file.write(256 << 10, regions);
  await writeNewHeaders(file, logAt, shape.logBytes, host);
  await file.write(0, identifier());
  await file.flush();
};

/** Entries of all blocks: behind each other from `dataAt` on, or zero. */
async function fill(file: BlockNode, batAt: number, shape: Shape, dataAt: number | undefined): Promise<void> {
  const { blockBytes, diskBytes, sector } = shape;
  const ratio = (2 ** 23 * sector) / blockBytes;
  const blocks = Math.ceil(diskBytes / blockBytes);
  const piece = new Uint8Array(1 << 16);
  const view = new DataView(piece.buffer);
  const total = batEntries({ diskBytes, blockBytes, logicalSector: sector, hasParent: false });
  for (let first = 0; first < total; first += piece.length / 8) {
    const n = Math.min(total - first, piece.length / 8);
    piece.fill(0);
    for (let i = 0; i < n; i++) {
      const entry = first + i;
      if (entry % (ratio + 1) === ratio) continue;
      const block = entry - Math.floor(entry / (ratio + 1));
      const place = dataAt === undefined ? 0 : dataAt + block * blockBytes;
      view.setUint32(i * 8, ((place >>> 0) | (dataAt === undefined ? ZERO : FULLY_PRESENT)) >>> 0, true);
      view.setUint32(i * 8 + 4, Math.floor(place / 2 ** 32), true);
    }
    await file.write(batAt + first * 8, piece.subarray(0, n * 8));
  }
  if (dataAt === undefined || blocks === 0) return;
  const end = dataAt + blocks * blockBytes;
  if (file.resize) await file.resize(end);
  else await zeroRange(file, dataAt, end - dataAt, true);
}

/** Source: [MS-VHDX] 2.2.1, "File Type Identifier". */
function identifier(): Uint8Array {
  const out = new Uint8Array(512);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 8; i++) out[i] = "vhdxfile".charCodeAt(i);
  const creator = "Mimus";
  for (let i = 0; i < creator.length; i++) view.setUint16(8 + i * 2, creator.charCodeAt(i), true);
  return out;
}
