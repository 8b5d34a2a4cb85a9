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

const SUBFORMATS = [
  "monolithicSparse",
  "monolithicFlat",
  "twoGbMaxExtentSparse",
  "twoGbMaxExtentFlat",
  "streamOptimized",
] as const;

/** Value of `hwversion` that stands for none, as QEMU has it. */
const UNDEFINED = "undefined";

/** What the options of `create` are once parsed. */
interface CreateOptions {
  readonly adapter_type: string;
  readonly backing_file?: string;
  readonly backing_fmt?: string;
  readonly compat6: boolean;
  readonly hwversion: string;
  readonly toolsversion?: string;
  readonly subformat: (typeof SUBFORMATS)[number];
  readonly zeroed_grain: boolean;
}

/** Options of `create`, in QEMU's names. */
export const createOptions: z.ZodObject = z.strictObject({
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
    .enum(SUBFORMATS)
    .default("monolithicSparse")
    .describe(
      "VMDK flat extent format, can be one of {monolithicSparse (default) | monolithicFlat | twoGbMaxExtentSparse | twoGbMaxExtentFlat | streamOptimized}",
    ),
  zeroed_grain: onOff.default(false).describe("Enable efficient zero writes using the zeroed-grain GTE feature"),
});

/** Makes a VMDK image: descriptor and extents. */
export async function createVmdk(
  file: BlockNode,
  given: number,
  options: Readonly<Record<string, unknown>>,
  ctx: CreateContext,
): Promise<void> {
  const o = createOptions.parse(options) as unknown as CreateOptions;
  const filename = ctx.filename;
  const refuse = (why: string): never => {
    throw new BlockError("bad-option", `'${filename}': ${why}`);
  };
  const flat = o.subformat === "monolithicFlat" || o.subformat === "twoGbMaxExtentFlat";
  const split = o.subformat === "twoGbMaxExtentSparse" || o.subformat === "twoGbMaxExtentFlat";
  const compressed = o.subformat === "streamOptimized";
  if (o.compat6 && o.hwversion !== UNDEFINED) refuse("compat6 cannot be enabled with hwversion set");
  if (flat && o.backing_file !== undefined) refuse("Flat image can't have backing file");
  if (flat && o.zeroed_grain) refuse("Flat image can't enable zeroed grain");
  if (o.backing_fmt !== undefined && o.backing_fmt !== "vmdk") refuse("backing_file must be a vmdk image");
  for (const [key, text] of Object.entries({
    backing_file: o.backing_file,
    hwversion: o.hwversion,
    toolsversion: o.toolsversion,
  }))
    if (text !== undefined && /["\r\n\0]/.test(text)) refuse(`${key} may not have quotes or line ends`);
  const size = Math.ceil(given / SECTOR) * SECTOR;
  if (!split && !flat && size > MOST_SPARSE) refuse(`size ${given} must be at most ${MOST_SPARSE} for a sparse extent`);

  const parent = o.backing_file === undefined ? undefined : await parentCid(ctx, filename);
  const cid = new Uint8Array(4);
  ctx.host.random(cid);
  const base = filename.slice(filename.lastIndexOf("/") + 1);
  const lines: string[] = [];
  const shape = { compressed, zeroedGrains: o.zeroed_grain };
  const embedded = !flat && !split;
  if (embedded) lines.push(`RW ${size / SECTOR} SPARSE "${base}"`);
  else {
    const step = split ? SPLIT : Math.max(size, 1);
    const count = Math.max(1, Math.ceil(size / step));
    for (let i = 0; i < count; i++) {
      const bytes = Math.min(step, size - i * step);
      const name = extentName(base, flat, split ? i + 1 : 0);
      const extent = await ctx.extent(name);
      try {
        if (flat) await makeFlat(extent, bytes);
        else await makeSparse(extent, { ...shape, size: bytes, descriptorSectors: 0 }, new Uint8Array(0));
        await extent.flush();
      } finally {
        await extent.close();
      }
      lines.push(`RW ${bytes / SECTOR} ${flat ? "FLAT" : "SPARSE"} "${name}"${flat ? " 0" : ""}`);
    }
  }
  const text = encodeUtf8(
    buildDescriptor({
      cid: new DataView(cid.buffer).getUint32(0, true),
      parentCid: parent ?? NO_CID,
      parentFileNameHint: o.backing_file,
      createType: o.subformat,
      extents: lines,
      size,
      adapterType: o.adapter_type,
      hwVersion: o.compat6 ? "6" : o.hwversion === UNDEFINED ? "4" : o.hwversion,
      toolsVersion: o.toolsversion ?? "2147483647",
    }),
  );
  if (embedded) {
    if (text.length > DESCRIPTOR_SECTORS * SECTOR) refuse("the descriptor is too long to be embedded");
    await makeSparse(file, { ...shape, size, descriptorSectors: DESCRIPTOR_SECTORS }, text);
  } else {
    const padded = new Uint8Array(Math.ceil(text.length / SECTOR) * SECTOR);
    padded.set(text);
    await file.write(0, padded);
  }
  await file.flush();
}

/** `disk.vmdk` to `disk-flat.vmdk`, `disk-f001.vmdk` or `disk-s001.vmdk`. */
function extentName(base: string, flat: boolean, number: number): string {
  const dot = base.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [base.slice(0, dot), base.slice(dot)] : [base, ""];
  if (number === 0) return `${stem}-flat${ending}`;
  return `${stem}-${flat ? "f" : "s"}${String(number).padStart(3, "0")}${ending}`;
}

async function parentCid(ctx: CreateContext, filename: string): Promise<number> {
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
