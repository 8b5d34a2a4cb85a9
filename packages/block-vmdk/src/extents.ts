import { BlockError, type BlockNode, ClusterNode, type FormatContext, type ImageOps } from "@mimus/block";
import type { CheckedExtent } from "./check.ts";
import { COWD_HEADER_BYTES, parseCowd } from "./cowd.ts";
import type { Descriptor, ExtentLine } from "./descriptor.ts";
import { findFooter } from "./footer.ts";
import { GrainMap } from "./grain-map.ts";
import { isSeSparse, openSeSparse, SeSparseMap } from "./sesparse.ts";
import { FlatNode, type ParentView, ZeroNode } from "./small-nodes.ts";
import { HEADER_BYTES, parseSparseHeader, SECTOR, type SparseHeader, type SparseLayout } from "./sparse-header.ts";
import type { PlacedExtent } from "./vmdk-node.ts";

/** What the bytes of a file begin with. */
export type ExtentKind = "sparse" | "cowd" | "sesparse" | "other";

/** An open extent. */
export interface Extent {
  readonly node: BlockNode;
  readonly size: number;
  readonly filename: string;
  /** As the descriptor has it; "" without one. */
  readonly type: string;
  /** Bytes; absent for flat ones. */
  readonly grain?: number;
  readonly compressed?: boolean;
  /** Absent for extents without tables that are checked. */
  readonly checked?: CheckedExtent;
}

/** What opening extents needs. */
export interface ExtentContext {
  readonly ctx: FormatContext;
  readonly parent: ParentView | undefined;
  /** Where the extent begins on the disk. */
  readonly start: number;
}

/** Types of extents whose bytes lie in the file as they are. */
const FLAT_TYPES = new Set(["FLAT", "VMFS"]);
const SPARSE_TYPES = new Set(["SPARSE", "VMFSSPARSE", "SESPARSE"]);

/** Kind of an extent's file by its magic. */
export function kindOf(head: Uint8Array): ExtentKind {
  const magic = String.fromCharCode(...head.subarray(0, 4));
  if (magic === "KDMV") return "sparse";
  if (magic === "COWD") return "cowd";
  return isSeSparse(head) ? "sesparse" : "other";
}

/** First sector of a file, shorter when the file is. */
export async function headOf(file: BlockNode): Promise<Uint8Array> {
  const head = new Uint8Array(Math.min(HEADER_BYTES, file.size));
  await file.read(0, head);
  return head;
}

/** The header of a hosted sparse extent; for a stream, that of its footer. */
export async function sparseHeader(file: BlockNode, head: Uint8Array): Promise<SparseHeader> {
  const filename = file.filename ?? file.name;
  const header = parseSparseHeader(head, filename);
  const found = header.footer ? await findFooter(file, header) : header;
  if (file.size < found.overhead)
    throw new BlockError(
      "corrupt",
      `'${filename}': overHead ${found.overhead} must be at most the ${file.size} bytes of the file, which is cut short`,
    );
  return found;
}

/** Opens a file that maps grains. @throws BlockError */
export async function openMapped(
  file: BlockNode,
  type: string,
  x: ExtentContext,
  known?: SparseHeader,
): Promise<Extent> {
  const filename = file.filename ?? file.name;
  const head = await headOf(file);
  const kind = kindOf(head);
  if (kind === "sesparse") {
    if (!x.ctx.readOnly) throw noWriting(filename);
    const layout = await openSeSparse(file);
    const map = new SeSparseMap(file, layout);
    return { node: nodeOf(file, map, layout.size, x), size: layout.size, filename, type, grain: map.clusterSize };
  }
  let layout: SparseLayout;
  if (kind === "sparse") layout = known ?? (await sparseHeader(file, head));
  else if (kind === "cowd" && head.length >= COWD_HEADER_BYTES) layout = parseCowd(head, filename);
  else throw new BlockError("not-this-format", `'${filename}': no magic of a sparse extent`, { at: 0 });
  const map = new GrainMap(file, layout, x.ctx.host.codecs);
  return {
    node: nodeOf(file, map, layout.size, x),
    size: layout.size,
    filename,
    type,
    grain: layout.grain,
    compressed: layout.compressed,
    checked: { filename, file, map, layout },
  };
}

function nodeOf(file: BlockNode, map: GrainMap | SeSparseMap, size: number, x: ExtentContext): ClusterNode {
  const image: ImageOps = { clusterSize: map.clusterSize };
  return new ClusterNode({
    name: x.ctx.name,
    driver: "vmdk",
    size,
    readOnly: x.ctx.readOnly,
    file,
    map,
    backing: x.parent,
    reopen: async ({ readOnly }) => {
      if (!readOnly && map instanceof SeSparseMap) throw noWriting(file.filename ?? file.name);
    },
    backingOffset: x.start,
    image,
  });
}

function noWriting(filename: string): BlockError {
  return new BlockError(
    "read-only",
    `'${filename}': No write support for seSparse images available: open it read-only`,
  );
}

/** Opens every extent of a descriptor, in order. What is open is closed when one fails. */
export async function openExtents(
  d: Descriptor,
  ctx: FormatContext,
  parent: ParentView | undefined,
): Promise<{ placed: PlacedExtent[]; extents: Extent[] }> {
  const placed: PlacedExtent[] = [];
  const extents: Extent[] = [];
  const flats = new Map<string, BlockNode>();
  const sparse = new Set<string>();
  let start = 0;
  try {
    for (const line of d.extents) {
      if (!ctx.readOnly && SPARSE_TYPES.has(line.type)) {
        const name = line.filename ?? "";
        // Two maps of one file would give its grains away twice.
        if (sparse.has(name))
          throw new BlockError(
            "corrupt",
            `'${ctx.filename}': sparse extent '${name}' is named twice: such an image can only be read`,
          );
        sparse.add(name);
      }
      const extent = await openLine(line, { ctx, parent, start }, flats);
      extents.push(extent);
      placed.push({ node: extent.node, start, end: start + extent.size });
      start += extent.size;
      if (start > Number.MAX_SAFE_INTEGER)
        throw new BlockError("corrupt", `'${ctx.filename}': extents together must be at most 2^53 - 1 bytes`);
    }
    if (extents.length === 0) throw new BlockError("corrupt", `'${ctx.filename}': the descriptor names no extents`);
  } catch (e) {
    for (const { node } of placed) await node.close().catch(() => undefined);
    throw e;
  }
  return { placed, extents };
}

/** `flats`: files of flat extents that are open: several extents may lie in one. */
async function openLine(line: ExtentLine, x: ExtentContext, flats: Map<string, BlockNode>): Promise<Extent> {
  const { ctx } = x;
  const size = line.sectors * SECTOR;
  if (line.access === "NOACCESS")
    throw new BlockError("unsupported-feature", `'${ctx.filename}': an extent with access NOACCESS cannot be read`);
  if (line.type === "ZERO") return { node: new ZeroNode(size), size, filename: "", type: "ZERO" };
  if (!FLAT_TYPES.has(line.type) && !SPARSE_TYPES.has(line.type))
    throw new BlockError(
      "unsupported-feature",
      `'${ctx.filename}': extent type '${line.type.slice(0, 20)}' must be one of ${[...FLAT_TYPES, ...SPARSE_TYPES, "ZERO"].join(", ")}`,
    );
  const name = line.filename ?? "";
  if (name === "" || name === ctx.filename.slice(ctx.filename.lastIndexOf("/") + 1))
    throw new BlockError("corrupt", `'${ctx.filename}': an extent names '${name}', which is the descriptor itself`);
  const open = FLAT_TYPES.has(line.type) ? flats.get(name) : undefined;
  const file = open ?? (await ctx.extent(name));
  try {
    if (SPARSE_TYPES.has(line.type)) return await openMapped(file, line.type, x);
    const offset = line.offset * SECTOR;
    if (offset + size > file.size)
      throw new BlockError(
        "corrupt",
        `'${ctx.filename}': extent '${name}' needs ${size} bytes at ${offset}, and the file has ${file.size}`,
      );
    flats.set(name, file);
    const fixed = line.access === "RDONLY";
    const node = new FlatNode(file, offset, size, { readOnly: ctx.readOnly, fixed, shared: open !== undefined });
    return { node, size, filename: file.filename ?? name, type: line.type };
  } catch (e) {
    if (!open) await file.close().catch(() => undefined);
    throw e;
  }
}
