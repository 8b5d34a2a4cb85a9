import { type BlockNode, GraphNode, RawNode } from "@mimus/block";
import { type Arguments, parseBytes, ToolError, type Tools } from "@mimus/image-tools";
import { type ExportedBitmap, holdBitmap, writeThrough } from "@mimus/nbd";

/** What is exported. */
export interface Exported {
  readonly node: BlockNode;
  readonly writable: boolean;
  readonly bitmaps: readonly ExportedBitmap[];
}

const CACHES = ["none", "writeback", "writethrough", "directsync", "unsafe", "off"];

/** Opens the image as the options say. @throws ToolError, BlockError */
export async function openImage(tools: Tools, args: Arguments, filename: string): Promise<Exported> {
  const snapshot = args.last("load-snapshot");
  const cache = args.has("nocache") ? "none" : (args.last("cache") ?? "writeback");
  if (!CACHES.includes(cache)) throw new ToolError(`Invalid cache mode '${cache}': one of ${CACHES.join(", ")}`);
  oneOf(args, "aio", "aio mode", ["native", "threads", "io_uring"]);
  const discard = oneOf(args, "discard", "discard mode", ["ignore", "off", "unmap", "on"]) ?? "ignore";
  const zeroes = oneOf(args, "detect-zeroes", "detect-zeroes mode", ["off", "on", "unmap"]) ?? "off";
  const unmap = discard === "unmap" || discard === "on";
  if (zeroes === "unmap" && !unmap)
    throw new ToolError("setting detect-zeroes to unmap is not allowed without setting discard operation to unmap");
  if (args.has("snapshot") && snapshot !== undefined) throw new ToolError("-s and -l exclude each other");
  const readOnly = args.has("read-only") || snapshot !== undefined;
  const format = args.last("format");
  const options = { discard: unmap ? "unmap" : "ignore", "detect-zeroes": zeroes };
  let node: BlockNode = await tools.open(filename, {
    ...(format === undefined ? {} : { format }),
    imageOpts: args.has("image-opts"),
    writable: !readOnly && !args.has("snapshot"),
    cache,
    options,
  });
  if (snapshot !== undefined) node = await snapshotNode(node, snapshot);
  if (args.has("snapshot")) node = await tools.graph.overlay(node);
  const writable = !readOnly && !node.readOnly;
  for (const each of tools.graph.nodes()) await tools.graph.bitmaps.load(each);
  const bitmaps = args.all("bitmap").map((name) => bitmapOf(tools, node, name, writable));
  if (cache === "writethrough" || cache === "directsync") node = writeThrough(node);
  return { node: fromOffset(node, args.last("offset"), !writable), writable, bitmaps };
}

function bitmapOf({ graph }: Tools, node: BlockNode, name: string, writable: boolean): ExportedBitmap {
  if (!(node instanceof GraphNode)) throw new ToolError(`Bitmap '${name}' is not found`);
  return holdBitmap(graph, node, name, writable);
}

async function snapshotNode(node: BlockNode, text: string): Promise<BlockNode> {
  const which = /^snapshot\.(?:id|name)=(.*)$/.exec(text)?.[1] ?? text;
  const { snapshots } = node.image ?? {};
  if (snapshots === undefined)
    throw new ToolError(`Failed to load snapshot: '${node.filename ?? ""}' has no internal snapshots`);
  return snapshots.open(which, "snapshot");
}

function fromOffset(node: BlockNode, text: string | undefined, readOnly: boolean): BlockNode {
  if (text === undefined) return node;
  const offset = parseBytes(text);
  if (offset === undefined) throw new ToolError(`Invalid offset '${text}'`);
  if (offset > node.size)
    throw new ToolError(`Offset (${offset}) cannot be greater than size of the containing file (${node.size})`);
  if (offset === 0) return node;
  return new RawNode("offset", node, { offset, readOnly });
}

function oneOf(args: Arguments, option: string, what: string, values: readonly string[]): string | undefined {
  const given = args.last(option);
  if (given !== undefined && !values.includes(given))
    throw new ToolError(`Invalid ${what} '${given}': one of ${values.join(", ")}`);
  return given;
}
