import { BlockError } from "./errors.ts";
import { FileNode } from "./file-node.ts";
import type { BlockFormat, CreateContext } from "./format.ts";
import { FreshFile } from "./fresh-file.ts";
import type { BlockGraph } from "./graph.ts";
import type { GraphNode } from "./graph-node.ts";
import { lockFor } from "./lock.ts";
import type { BlockNode } from "./node.ts";
import { createIn } from "./open-image.ts";
import type { Opener } from "./opener.ts";
import { protocolOf, resolveBeside } from "./paths.ts";
import type { ProtocolOps } from "./protocol.ts";

/** How {@link BlockGraph.create} makes an image. */
export interface CreateFileOptions {
  /** The backing file is not opened: it need not exist, and the size must be given. */
  readonly unsafeBacking?: boolean;
}

/** See {@link BlockGraph.create}. */
export async function createFile(
  graph: BlockGraph,
  opener: Opener,
  format: string,
  filename: string,
  size: number | undefined,
  options: Readonly<Record<string, unknown>>,
  how: CreateFileOptions,
): Promise<void> {
  const type = await opener.type(format);
  if (!type.class["format"]) throw new BlockError("bad-option", `'${format}' is no image format`);
  const ops = type as unknown as BlockFormat;
  if (!ops.class.format.create)
    throw new BlockError("unsupported-feature", `Format driver '${format}' does not support image creation`);
  const below = await openBacking(graph, opener, filename, options, how);
  const opened: Target[] = [];
  try {
    const bytes = size ?? below?.node?.size;
    if (bytes === undefined) throw new BlockError("bad-option", "Image creation needs a size parameter");
    const file = await openTarget(graph, opener, filename, opened);
    await createIn(ops, file, bytes, {
      options,
      ...(below === undefined ? {} : { backing: below }),
      ...(graph.host.format === undefined ? {} : { host: graph.host.format }),
      extent: async (name) => {
        const where = await opener.beside(name, filename);
        return openTarget(graph, opener, String(where["filename"]), opened);
      },
    });
    for (const { fresh } of opened) await fresh?.begin();
    await file.flush();
  } finally {
    for (const { node } of opened.toReversed()) await node.close();
    await below?.node?.close();
  }
}

/** See {@link BlockGraph.createOn}. */
export async function createOnNode(
  graph: BlockGraph,
  opener: Opener,
  format: string,
  file: GraphNode,
  size: number | undefined,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const type = await opener.type(format);
  if (!type.class["format"]) throw new BlockError("bad-option", `'${format}' is no image format`);
  if (size === undefined) throw new BlockError("bad-option", "Parameter 'size' is missing");
  const below = await openBacking(graph, opener, file.filename, options, { unsafeBacking: true });
  const opened: Target[] = [];
  file.holds.add("an image that is being made");
  try {
    await createIn(type as unknown as BlockFormat, file, size, {
      options,
      ...(below === undefined ? {} : { backing: below }),
      ...(graph.host.format === undefined ? {} : { host: graph.host.format }),
      extent: async (name) =>
        openTarget(graph, opener, String((await opener.beside(name, file.filename))["filename"]), opened),
    });
    for (const { fresh } of opened) await fresh?.begin();
    await file.flush();
  } finally {
    file.holds.delete("an image that is being made");
    for (const { node } of opened.toReversed()) await node.close();
  }
}

/** What an image is made in. `fresh`: the file behind it, which may not be emptied yet. */
interface Target {
  readonly node: BlockNode;
  readonly fresh?: FreshFile;
}

/** A file that looks empty and will be emptied, locked before anything happens to it. */
async function openTarget(graph: BlockGraph, opener: Opener, filename: string, opened: Target[]): Promise<BlockNode> {
  const options = opener.fileOptions(filename);
  const driver = String(options["driver"]);
  const { files, services = {}, delay } = graph.host;
  const lock = (): ReturnType<typeof lockFor> => lockFor("format", false, false);
  if (driver === "file") {
    const fresh = new FreshFile(await files.open(String(options["filename"]), { writable: true, create: true }));
    const node = await FileNode.open(filename, fresh, { readOnly: false, lock });
    opened.push({ node, fresh });
    return node;
  }
  const { create } = ((await opener.type(driver)).class["protocol"] ?? {}) as Partial<ProtocolOps>;
  const ctx = { name: filename, readOnly: false, files, services, lock, ...(delay ? { delay } : {}) };
  const node = create ? await create(filename, ctx) : await graph.open({ ...options, "node-name": undefined });
  opened.push({ node });
  return node;
}

async function openBacking(
  graph: BlockGraph,
  opener: Opener,
  image: string,
  options: Readonly<Record<string, unknown>>,
  how: CreateFileOptions,
): Promise<(NonNullable<CreateContext["backing"]> & { node?: GraphNode }) | undefined> {
  const { backing_file: name, backing_fmt: format } = options;
  if (typeof name !== "string" || name === "") return undefined;
  const known = typeof format === "string" && format !== "" ? { format } : {};
  if (how.unsafeBacking) return { filename: name, ...known };
  const path = protocolOf(name) === undefined ? resolveBeside(image, name) : name;
  if (path === image)
    throw new BlockError("bad-option", `Error: Trying to create an image with the same filename as the backing file`);
  const node = await graph.openFile(path, {
    "read-only": true,
    ...(known.format === undefined ? {} : { driver: known.format }),
  });
  return { filename: name, ...known, node };
}
