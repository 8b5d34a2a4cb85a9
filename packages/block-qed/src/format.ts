import { decodeUtf8, encodeUtf8 } from "@mimus/bits";
import {
  type BlockFormat,
  BlockError,
  type BlockNode,
  ClusterNode,
  defineFormat,
  type FormatContext,
} from "@mimus/block";
import { size as byteCount } from "@mimus/qom";
import { z } from "zod";
import { checkTables } from "./check.ts";
import {
  buildHeader,
  FEATURE_BACKING,
  FEATURE_BACKING_RAW,
  FEATURE_NEED_CHECK,
  HEADER_BYTES,
  isClusterSize,
  isQed,
  isTableSize,
  mostBytes,
  parseHeader,
  type QedHeader,
  SECTOR,
  tableBytes,
} from "./header.ts";
import { QedTables } from "./tables.ts";

async function open(file: BlockNode, ctx: FormatContext): Promise<BlockNode> {
  const filename = file.filename ?? file.name;
  if (file.size < SECTOR)
    throw new BlockError("not-this-format", `'${filename}': ${file.size} bytes hold no QED header`);
  const head = new Uint8Array(SECTOR);
  await file.read(0, head);
  const header = parseHeader(head, filename, file.size);
  let { features, size } = header;
  let named = await backingName(file, header);
  const tables = new QedTables(file, header);

  /** Writes the fields again; names stay where they are. */
  const rewrite = async (): Promise<void> => {
    const sector = new Uint8Array(SECTOR);
    await file.read(0, sector);
    sector.set(buildHeader({ ...header, features, size }).subarray(0, 56));
    await file.write(0, sector);
    await file.flush();
  };
  /** Mends an image that was not closed; clears bits that nobody here knows. */
  const makeWritable = async (): Promise<void> => {
    if ((features & FEATURE_NEED_CHECK) !== 0) {
      const report = await checkTables(file, header, tables, size, "all");
      if (report.corruptions > 0)
        throw new BlockError(
          "corrupt",
          `'${filename}': was not closed, and its tables cannot be mended: ${report.messages[0] ?? ""}`,
        );
      features &= ~FEATURE_NEED_CHECK;
      await rewrite();
    } else if (header.autoclear) await rewrite();
  };
  if (!ctx.readOnly) await makeWritable();
  const format = (features & FEATURE_BACKING_RAW) !== 0 ? "raw" : undefined;
  const backing =
    ctx.explicitBacking !== undefined
      ? (ctx.explicitBacking ?? undefined)
      : named === undefined
        ? undefined
        : await ctx.backing(named, format);
  return new ClusterNode({
    name: ctx.name,
    driver: "qed",
    size,
    readOnly: ctx.readOnly,
    file,
    map: tables,
    backing,
    reopen: async ({ readOnly }) => {
      if (!readOnly) await makeWritable();
    },
    resize: async (wanted) => {
      if (wanted < size)
        throw new BlockError("unsupported-feature", `'${filename}': Shrinking images is currently not supported`);
      if (wanted % SECTOR !== 0 || wanted > mostBytes(header))
        throw new BlockError(
          "bad-option",
          `'${filename}': size ${wanted} must be a multiple of ${SECTOR} up to ${mostBytes(header)}`,
        );
      size = wanted;
      await rewrite();
    },
    image: {
      clusterSize: header.clusterSize,
      info: async () => ({
        ...(named === undefined ? {} : { backingFile: named }),
        ...(named !== undefined && (features & FEATURE_BACKING_RAW) !== 0 ? { backingFormat: "raw" } : {}),
        dirty: (features & FEATURE_NEED_CHECK) !== 0,
      }),
      check: (repair, progress) => checkTables(file, header, tables, size, repair, progress),
      changeBacking: async (name, backingFormat) => {
        const bytes = encodeUtf8(name ?? "");
        const room = Math.min(1023, header.headerClusters * header.clusterSize - HEADER_BYTES);
        if (bytes.length > room)
          throw new BlockError(
            "bad-option",
            `'${filename}': backing file name of ${bytes.length} bytes must be at most ${room}`,
          );
        features &= ~(FEATURE_BACKING | FEATURE_BACKING_RAW);
        if (bytes.length > 0) features |= FEATURE_BACKING | (backingFormat === "raw" ? FEATURE_BACKING_RAW : 0);
        named = bytes.length > 0 ? name : undefined;
        await file.write(0, buildHeader({ ...header, features, size, backing: bytes.length > 0 ? bytes : undefined }));
        await file.flush();
      },
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

const createOptions = z.strictObject({
  backing_file: z.string().optional().describe("File name of a base image"),
  backing_fmt: z.string().optional().describe("Image format of the base image"),
  cluster_size: byteCount.default(65536).describe("Cluster size (in bytes)"),
  table_size: byteCount.default(4).describe("L1/L2 table size (in clusters)"),
});

/** QEMU's enhanced disk image, as QEMU 0.14 to 1.x made it. */
export const qed: BlockFormat = defineFormat({
  name: "qed",
  summary: "QEMU enhanced disk image",
  options: z.strictObject({}),
  probe: (head) => (isQed(head) ? 100 : 0),
  open: (file, _options, ctx) => open(file, ctx),
  createOptions,
  async create(file, given, options, ctx) {
    const o = createOptions.parse(options);
    const shape = { clusterSize: o.cluster_size, tableClusters: o.table_size };
    const size = Math.ceil(given / SECTOR) * SECTOR;
    const refuse = (why: string): never => {
      throw new BlockError("bad-option", `'${ctx.filename}': ${why}`);
    };
    if (!isClusterSize(o.cluster_size))
      refuse(`QED cluster size ${o.cluster_size} must be within range [4096, 67108864] and power of 2`);
    if (!isTableSize(o.table_size))
      refuse(`QED table size ${o.table_size} must be within range [1, 16] and power of 2`);
    if (size > mostBytes(shape)) refuse(`QED image size ${given} must be at most ${mostBytes(shape)} bytes`);
    const name = o.backing_file === undefined || o.backing_file === "" ? undefined : encodeUtf8(o.backing_file);
    if (name !== undefined && name.length > 1023)
      refuse(`backing file name of ${name.length} bytes must be at most 1023`);
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
  },
});
