import {
  type BlockFormat,
  BlockError,
  type BlockNode,
  defineFormat,
  type FormatContext,
  type ImageOps,
} from "@mimus/block";
import { z } from "zod";
import { checkExtents } from "./check.ts";
import { createOptions, createVmdk } from "./create.ts";
import { type Descriptor, isDescriptor, MOST_DESCRIPTOR, NO_CID, parseDescriptor, withCid } from "./descriptor.ts";
import { type Extent, headOf, kindOf, openExtents, openMapped, sparseHeader } from "./extents.ts";
import { ParentView } from "./small-nodes.ts";
import { SECTOR } from "./sparse-header.ts";
import { type PlacedExtent, VmdkNode } from "./vmdk-node.ts";

/** Values of createType that are read. */
const CREATE_TYPES = new Set([
  "monolithicSparse",
  "monolithicFlat",
  "twoGbMaxExtentSparse",
  "twoGbMaxExtentFlat",
  "streamOptimized",
  "vmfs",
  "vmfsSparse",
  "vmfsThin",
  "vmfsPreallocated",
  "vmfsEagerZeroedThick",
  "seSparse",
]);

/** Where the descriptor is in the main file. */
interface Place {
  readonly at: number;
  readonly bytes: Uint8Array;
}

async function readDescriptor(file: BlockNode, at: number, length: number): Promise<Place> {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, MOST_DESCRIPTOR, file.size - at)));
  await file.read(at, bytes);
  return { at, bytes };
}

async function open(file: BlockNode, ctx: FormatContext): Promise<BlockNode> {
  const filename = file.filename ?? file.name;
  const head = await headOf(file);
  const kind = kindOf(head);
  const header = kind === "sparse" && head.length === SECTOR ? await sparseHeader(file, head) : undefined;
  let place: Place | undefined;
  if (header && header.descriptorAt > 0)
    place = await readDescriptor(file, header.descriptorAt, header.descriptorBytes);
  else if (kind === "other") {
    if (!isDescriptor(head))
      throw new BlockError("not-this-format", `'${filename}': neither a VMDK magic nor a descriptor`, { at: 0 });
    if (file.size > MOST_DESCRIPTOR + SECTOR)
      throw new BlockError(
        "corrupt",
        `'${filename}': a descriptor must be at most ${MOST_DESCRIPTOR} bytes and has ${file.size}`,
      );
    place = await readDescriptor(file, 0, file.size);
  }
  const descriptor = place && parseDescriptor(place.bytes, filename);
  const alone = kind !== "other" && !(header && header.size === 0 && (descriptor?.extents.length ?? 0) > 0);
  if (!alone && descriptor && !CREATE_TYPES.has(descriptor.createType))
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': Unsupported image type '${descriptor.createType.slice(0, 40)}'`,
    );

  const backing = await openParent(descriptor, ctx);
  const view = backing && new ParentView(backing, (node) => sameCid(node, descriptor?.parentCid ?? NO_CID, filename));
  try {
    const { placed, extents } = alone
      ? await openAlone(file, view, ctx, header)
      : await openExtents(descriptor ?? parseDescriptor(new Uint8Array(0), filename), ctx, view);
    return assemble(file, ctx, { descriptor, place, placed, extents, backing, view, alone });
  } catch (e) {
    await backing?.close().catch(() => undefined);
    throw e;
  }
}

async function openAlone(
  file: BlockNode,
  parent: ParentView | undefined,
  ctx: FormatContext,
  header: Awaited<ReturnType<typeof sparseHeader>> | undefined,
): Promise<{ placed: PlacedExtent[]; extents: Extent[] }> {
  const extent = await openMapped(file, "", { ctx, parent, start: 0 }, header);
  return { placed: [{ node: extent.node, start: 0, end: extent.size }], extents: [extent] };
}

async function openParent(d: Descriptor | undefined, ctx: FormatContext): Promise<BlockNode | undefined> {
  if (ctx.explicitBacking !== undefined) return ctx.explicitBacking ?? undefined;
  const hint = d?.parentFileNameHint;
  return hint === undefined ? undefined : ctx.backing(hint, "vmdk");
}

/** A parent that was written since is not the parent of this image any more. @throws BlockError */
async function sameCid(parent: BlockNode, cid: number, filename: string): Promise<void> {
  const info = await parent.image?.info?.();
  const found = info?.specific?.type === "vmdk" ? info.specific.data["cid"] : undefined;
  if (found === cid) return;
  const is = typeof found === "number" ? `has the CID ${found.toString(16)}` : "is no VMDK image";
  throw new BlockError(
    "corrupt",
    `'${filename}': parentCID ${cid.toString(16)} must be the CID of the parent, and '${parent.filename ?? parent.name}' ${is}`,
  );
}

interface Parts {
  readonly descriptor: Descriptor | undefined;
  readonly place: Place | undefined;
  readonly placed: readonly PlacedExtent[];
  readonly extents: readonly Extent[];
  readonly backing: BlockNode | undefined;
  readonly view: ParentView | undefined;
  /** The main file is the only extent. */
  readonly alone: boolean;
}

function assemble(file: BlockNode, ctx: FormatContext, p: Parts): VmdkNode {
  let cid = p.descriptor?.cid ?? NO_CID;
  const [first] = p.extents;
  const checked = p.extents.flatMap((e) => (e.checked ? [e.checked] : []));
  const stream = first?.compressed === true && p.extents.length === 1;
  const image: ImageOps = {
    ...(first?.grain === undefined ? {} : { clusterSize: first.grain }),
    info: async () => ({
      ...(p.descriptor?.parentFileNameHint === undefined
        ? {}
        : { backingFile: p.descriptor.parentFileNameHint, backingFormat: "vmdk" }),
      specific: {
        type: "vmdk",
        data: {
          cid,
          "parent-cid": p.descriptor?.parentCid ?? NO_CID,
          "create-type": p.descriptor?.createType || (p.alone ? "monolithicSparse" : ""),
          extents: p.extents.map((e) => ({
            ...(e.compressed ? { compressed: true } : {}),
            "virtual-size": e.size,
            filename: e.filename,
            ...(e.grain === undefined ? {} : { "cluster-size": e.grain }),
            format: e.type,
          })),
        },
      },
    }),
    check: (_repair, progress) => checkExtents(checked, progress),
    ...(stream ? { writeCompressed: (at: number, from: Uint8Array) => node.write(at, from) } : {}),
  };
  const children: Record<string, BlockNode> = { file };
  const node = new VmdkNode({
    name: ctx.name,
    readOnly: ctx.readOnly,
    filename: file.filename ?? file.name,
    extents: p.placed,
    children,
    backing: p.backing,
    image,
    rebase: (n) => {
      const view = n && new ParentView(n, async () => undefined);
      for (const e of p.placed) e.node.setBacking?.(view);
    },
    firstWrite: async () => {
      if (!p.place) return;
      const random = new Uint8Array(4);
      ctx.host.random(random);
      // Children of this image notice by the new CID that it was written.
      const fresh = new DataView(random.buffer).getUint32(0, true) % NO_CID;
      const changed = withCid(p.place.bytes, fresh);
      if (!changed) return;
      await writeChanges(file, p.place, changed);
      cid = fresh;
    },
    closeRest: async () => {
      if (!p.alone) await file.close();
    },
  });
  return node;
}

/** Writes the sectors that differ. */
async function writeChanges(file: BlockNode, place: Place, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += SECTOR) {
    const sector = bytes.subarray(at, at + SECTOR);
    if (sector.some((b, i) => b !== place.bytes[at + i])) await file.write(place.at + at, sector);
  }
  place.bytes.set(bytes);
  await file.flush();
}

/** VMware's disk image: sparse, flat, split, streams, ESX's sparse kinds. */
export const vmdk: BlockFormat = defineFormat({
  name: "vmdk",
  summary: "VMware disk image",
  options: z.strictObject({}),
  probe: (head) => {
    const kind = kindOf(head);
    return kind === "sparse" || kind === "cowd" || isDescriptor(head) ? 100 : 0;
  },
  open: (file, _options, ctx) => open(file, ctx),
  createOptions,
  create: createVmdk,
});
