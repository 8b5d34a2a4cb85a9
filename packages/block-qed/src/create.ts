import { encodeUtf8 } from "@mimus/bits";
import { BlockError, type BlockNode, type CreateContext } from "@mimus/block";
import { size as byteCount } from "@mimus/qom";
import { z } from "zod";
import {
  buildHeader,
  FEATURE_BACKING,
  FEATURE_BACKING_RAW,
  isClusterSize,
  isTableSize,
  MOST_NAME,
  mostBytes,
  SECTOR,
  tableBytes,
} from "./header.ts";

const options = z.strictObject({
  backing_file: z.string().optional().describe("File name of a base image"),
  backing_fmt: z.string().optional().describe("Image format of the base image"),
  cluster_size: byteCount.default(65536).describe("Cluster size (in bytes)"),
  table_size: byteCount.default(4).describe("L1/L2 table size (in clusters)"),
});

/** Options of `create`, in QEMU's names. */
export const createOptions: z.ZodObject = options;

/** Makes an image: the header, and behind it an empty L1 table. `bytes`: of the disk. @throws BlockError "bad-option" */
export async function createQed(
  file: BlockNode,
  bytes: number,
  given: Readonly<Record<string, unknown>>,
  ctx: CreateContext,
): Promise<void> {
  const o = options.parse(given);
  const shape = { clusterSize: o.cluster_size, tableClusters: o.table_size };
  const size = Math.ceil(bytes / SECTOR) * SECTOR;
  const refuse = (why: string): never => {
    throw new BlockError("bad-option", `'${ctx.filename}': ${why}`);
  };
  if (!isClusterSize(o.cluster_size))
    refuse(`QED cluster size ${o.cluster_size} must be within range [4096, 67108864] and power of 2`);
  if (!isTableSize(o.table_size)) refuse(`QED table size ${o.table_size} must be within range [1, 16] and power of 2`);
  if (size > mostBytes(shape)) refuse(`QED image size ${bytes} must be at most ${mostBytes(shape)} bytes`);
  const name = o.backing_file === undefined || o.backing_file === "" ? undefined : encodeUtf8(o.backing_file);
  if (name !== undefined && name.length > MOST_NAME)
    refuse(`backing file name of ${name.length} bytes must be at most ${MOST_NAME}`);
  const raw = name !== undefined && o.backing_fmt === "raw";
  const header = buildHeader({
    ...shape,
    headerClusters: 1,
    features: (name === undefined ? 0 : FEATURE_BACKING) | (raw ? FEATURE_BACKING_RAW : 0),
    l1At: o.cluster_size,
    size,
    backing: name,
  });
  await file.write(0, header);
  const end = o.cluster_size + tableBytes(shape);
  if (file.resize) await file.resize(end);
  else await file.write(end - SECTOR, new Uint8Array(SECTOR));
  await file.flush();
}
