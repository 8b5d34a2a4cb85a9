import { type BlockFormat, BlockError, type BlockNode, ClusterNode, defineFormat } from "@mimus/block";
import { onOff } from "@mimus/qom";
import { z } from "zod";
import { BlockMap } from "./block-map.ts";
import { checkMap } from "./check.ts";
import { BLOCK_BYTES, buildHeader, HEADER_BYTES, isVdi, mapBytes, MOST_BLOCKS, parseHeader, SECTOR } from "./header.ts";

/** Blocks up to which the map is looked through when an image is opened for writing: 1 TiB of disk. */
const SCANNED_AT_ONCE = 1 << 20;

async function open(file: BlockNode, ctx: { name: string; readOnly: boolean }): Promise<BlockNode> {
  const filename = file.filename ?? file.name;
  if (file.size < HEADER_BYTES)
    throw new BlockError("not-this-format", `'${filename}': ${file.size} bytes hold no VDI header of ${HEADER_BYTES}`);
  const bytes = new Uint8Array(HEADER_BYTES);
  await file.read(0, bytes);
  const header = parseHeader(bytes, filename, file.size);
  const map = new BlockMap(file, header);
  if (!ctx.readOnly && header.blocks <= SCANNED_AT_ONCE) await map.scan();
  return new ClusterNode({
    name: ctx.name,
    driver: "vdi",
    size: header.size,
    readOnly: ctx.readOnly,
    file,
    map,
    preallocated: header.static,
    firstWrite: () => map.scan(),
    reopen: async () => undefined,
    image: {
      clusterSize: BLOCK_BYTES,
      info: async () => ({}),
      check: (repair) =>
        checkMap(map, header, repair, async () => {
          await map.scan();
          await map.commit();
        }),
    },
  });
}

const createOptions = z.strictObject({
  static: onOff.default(false).describe("VDI static (pre-allocated) image"),
  preallocation: z
    .enum(["off", "metadata", "falloc", "full"])
    .default("off")
    .describe("Preallocation mode (allowed values: off, falloc, full)"),
});

/** VirtualBox's disk image, version 1.1: dynamic and static. */
export const vdi: BlockFormat = defineFormat({
  name: "vdi",
  summary: "VirtualBox disk image, version 1.1",
  options: z.strictObject({}),
  probe: (head) => (isVdi(head) ? 100 : 0),
  open: (file, _options, ctx) => open(file, ctx),
  createOptions,
  async create(file, given, options, ctx) {
    const { static: fixed, preallocation } = createOptions.parse(options);
    const filename = ctx.filename;
    if (preallocation === "metadata")
      throw new BlockError(
        "bad-option",
        `'${filename}': preallocation 'metadata' must be off, falloc or full (static=on makes room)`,
      );
    const size = Math.ceil(given / SECTOR) * SECTOR;
    if (size > MOST_BLOCKS * BLOCK_BYTES)
      throw new BlockError(
        "bad-option",
        `'${filename}': size ${given} must be at most ${MOST_BLOCKS * BLOCK_BYTES} for a VDI image`,
      );
    const uuids = new Uint8Array(32);
    ctx.host.random(uuids);
    const blocks = Math.ceil(size / BLOCK_BYTES);
    await file.write(0, buildHeader(size, fixed, uuids));
    const bytes = mapBytes(blocks);
    const piece = new Uint8Array(Math.min(bytes, 1 << 20));
    const view = new DataView(piece.buffer);
    for (let start = 0; start < bytes; start += piece.length) {
      const length = Math.min(piece.length, bytes - start);
      for (let i = 0; i * 4 < length; i++) {
        const block = start / 4 + i;
        view.setUint32(i * 4, block >= blocks ? 0 : fixed ? block : 0xffffffff, true);
      }
      await file.write(HEADER_BYTES + start, piece.subarray(0, length));
    }
    if (fixed && blocks > 0) {
      const end = HEADER_BYTES + bytes + blocks * BLOCK_BYTES;
      if (file.resize) await file.resize(end);
      else await file.write(end - SECTOR, new Uint8Array(SECTOR));
      if (preallocation === "full" || preallocation === "falloc")
        await file.writeZeroes?.(HEADER_BYTES + bytes, blocks * BLOCK_BYTES, false);
    }
    await file.flush();
  },
});
