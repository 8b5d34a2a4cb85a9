import { encodeUtf8 } from "@mimus/bits";
import { BlockError, type BlockNode, type CreateContext } from "@mimus/block";
import { onOff } from "@mimus/qom";
import { z } from "zod";
import { buildDescriptor, NO_CID } from "./descriptor.ts";
import { buildSparseHeader, type NewSparse, planSparse, SECTOR, TABLE_SECTORS } from "./sparse-header.ts";

/** Sectors that a new sparse extent keeps for an embedded descriptor. */
const DESCRIPTOR_SECTORS = 20;
/** Bytes of each extent of the kinds "twoGbMaxExtent...". */
const SPLIT = 0x80000000;
/** Most bytes of the disk of one sparse extent: what 32-bit sector numbers of grains reach, less the metadata. */
const MOST_SPARSE: number = 2 ** 32 * SECTOR;

/** How an image of each subformat is laid out. */
const SUBFORMATS = {
  monolithicSparse: { flat: false, split: false, compressed: false },
  monolithicFlat: { flat: true, split: false, compressed: false },
  twoGbMaxExtentSparse: { flat: false, split: true, compressed: false },
  twoGbMaxExtentFlat: { flat: true, split: true, compressed: false },
  streamOptimized: { flat: false, split: false, compressed: true },
} as const;
type Subformat = keyof typeof SUBFORMATS;

/** Value of `hwversion` that stands for none, as QEMU has it. */
const UNDEFINED = "undefined";

const options = z.strictObject({
  adapter_type: z
    .enum(["ide", "buslogic", "lsilogic", "legacyESX"])
    .default("ide")
    .describe("Virtual adapter type, can be one of ide (default), lsilogic, buslogic or legacyESX"),
  backing_file: z.string().max(1023).optional().describe("File name of a base image"),
  backing_fmt: z.string().optional().describe("Must be 'vmdk' if present"),
  compat6: onOff.default(false).describe("VMDK version 6 image"),
  hwversion: z.string().max(64).default(UNDEFINED).describe("VMDK hardware version"),
  toolsversion: z.string().max(64).optional().describe("VMware guest tools version"),
  subformat: z
    .enum(Object.keys(SUBFORMATS) as Subformat[])
    .default("monolithicSparse")
    .describe(
      "VMDK flat extent format, can be one of {monolithicSparse (default) | monolithicFlat | twoGbMaxExtentSparse | twoGbMaxExtentFlat | streamOptimized}",
    ),
  zeroed_grain: onOff.default(false).describe("Enable efficient zero writes using the zeroed-grain GTE feature"),
});
type Options = z.infer<typeof options>;

/** Options of `create`, in QEMU's names. */
export const createOptions: z.ZodObject = options;

/** Makes a VMDK image: descriptor and extents. `bytes`: of the disk. @throws BlockError */
export async function createVmdk(
  file: BlockNode,
  bytes: number,
  given: Readonly<Record<string, unknown>>,
  ctx: CreateContext,
): Promise<void> {
  const o = options.parse(given);
  const { filename } = ctx;
  const { flat, split, compressed } = SUBFORMATS[o.subformat];
  const size = Math.ceil(bytes / SECTOR) * SECTOR;
  const wrong = contradiction(o);
  if (wrong !== undefined) throw new BlockError("bad-option", `'${filename}': ${wrong}`);
  if (!flat && !split && size > MOST_SPARSE)
    throw new BlockError(
      "bad-option",
      `'${filename}': size ${bytes} must be at most ${MOST_SPARSE} for a sparse extent`,
    );
  const parentCid = o.backing_file === undefined ? NO_CID : await parentCidOf(ctx, filename);
  const cid = new Uint8Array(4);
  ctx.host.random(cid);
  const base = filename.slice(filename.lastIndexOf("/") + 1);
  const embedded = !flat && !split;
  const descriptor = encodeUtf8(
    buildDescriptor({
      cid: new DataView(cid.buffer).getUint32(0, true),
      parentCid,
      parentFileNameHint: o.backing_file,
      createType: o.subformat,
      extents: embedded ? [`RW ${size / SECTOR} SPARSE "${base}"`] : await makeExtents(ctx, base, size, o),
      size,
      adapterType: o.adapter_type,
      hwVersion: o.compat6 ? "6" : o.hwversion === UNDEFINED ? "4" : o.hwversion,
      toolsVersion: o.toolsversion ?? "2147483647",
    }),
  );
  if (embedded) {
    if (descriptor.length > DESCRIPTOR_SECTORS * SECTOR)
      throw new BlockError("bad-option", `'${filename}': the descriptor is too long to be embedded`);
    const shape = { compressed, zeroedGrains: o.zeroed_grain, size, descriptorSectors: DESCRIPTOR_SECTORS };
    await makeSparse(file, shape, descriptor);
  } else {
    const padded = new Uint8Array(Math.ceil(descriptor.length / SECTOR) * SECTOR);
    padded.set(descriptor);
    await file.write(0, padded);
  }
  await file.flush();
}

/** What is wrong with options that do not go together; undefined = nothing. */
function contradiction(o: Options): string | undefined {
  const { flat } = SUBFORMATS[o.subformat];
  if (o.compat6 && o.hwversion !== UNDEFINED) return "compat6 cannot be enabled with hwversion set";
  if (flat && o.backing_file !== undefined) return "Flat image can't have backing file";
  if (flat && o.zeroed_grain) return "Flat image can't enable zeroed grain";
  if (o.backing_fmt !== undefined && o.backing_fmt !== "vmdk") return "backing_file must be a vmdk image";
  for (const key of ["backing_file", "hwversion", "toolsversion"] as const)
    if (/["\r\n\0]/.test(o[key] ?? "")) return `${key} may not have quotes or line ends`;
  return undefined;
}

/** Makes the files of the extents; answers the lines of the descriptor that name them. */
async function makeExtents(ctx: CreateContext, base: string, size: number, o: Options): Promise<string[]> {
  const { flat, split, compressed } = SUBFORMATS[o.subformat];
  const step = split ? SPLIT : Math.max(size, 1);
  const count = Math.max(1, Math.ceil(size / step));
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = Math.min(step, size - i * step);
    const name = extentName(base, flat, split ? i + 1 : 0);
    const extent = await ctx.extent(name);
    try {
      if (flat) await makeFlat(extent, bytes);
      else {
        const shape = { compressed, zeroedGrains: o.zeroed_grain, size: bytes, descriptorSectors: 0 };
        await makeSparse(extent, shape, new Uint8Array(0));
      }
      await extent.flush();
    } finally {
      await extent.close();
    }
    lines.push(`RW ${bytes / SECTOR} ${flat ? "FLAT" : "SPARSE"} "${name}"${flat ? " 0" : ""}`);
  }
  return lines;
}

/** `disk.vmdk` to `disk-flat.vmdk`, `disk-f001.vmdk` or `disk-s001.vmdk`. */
function extentName(base: string, flat: boolean, number: number): string {
  const dot = base.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [base.slice(0, dot), base.slice(dot)] : [base, ""];
  if (number === 0) return `${stem}-flat${ending}`;
  return `${stem}-${flat ? "f" : "s"}${String(number).padStart(3, "0")}${ending}`;
}

async function parentCidOf(ctx: CreateContext, filename: string): Promise<number> {
  const node = ctx.backing?.node;
  if (!node) throw new BlockError("bad-option", `'${filename}': the backing file must be opened to know its CID`);
  const info = await node.image?.info?.();
  const cid = info?.specific?.type === "vmdk" ? info.specific.data["cid"] : undefined;
  if (typeof cid !== "number")
    throw new BlockError("bad-option", `'${filename}': Invalid backing file: it must be a vmdk image`);
  return cid;
}

async function makeFlat(file: BlockNode, size: number): Promise<void> {
  if (file.resize) await file.resize(size);
  else if (size > 0) await file.write(size - SECTOR, new Uint8Array(SECTOR));
}

/** Header, descriptor, and both sets of directory and tables, empty. */
async function makeSparse(file: BlockNode, extent: NewSparse, descriptor: Uint8Array): Promise<void> {
  const plan = planSparse(extent);
  await file.write(0, buildSparseHeader(extent, plan));
  if (descriptor.length > 0) {
    const room = new Uint8Array(extent.descriptorSectors * SECTOR);
    room.set(descriptor);
    await file.write(SECTOR, room);
  }
  for (const start of [plan.copySector, plan.directorySector]) {
    const bytes = new Uint8Array(plan.directorySectors * SECTOR);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < plan.tables; i++)
      view.setUint32(i * 4, start + plan.directorySectors + i * TABLE_SECTORS, true);
    if (bytes.length > 0) await file.write(start * SECTOR, bytes);
  }
  const end = plan.overheadSectors * SECTOR;
  if (file.resize) await file.resize(Math.max(end, file.size));
  else if (file.size < end) await file.write(end - SECTOR, new Uint8Array(SECTOR));
}
