import { asBlockError, BlockError } from "./errors.ts";
import { FileNode } from "./file-node.ts";
import { formatHost } from "./format-host.ts";
import type { BlockFormat, CreateContext, FormatContext, FormatHost, FormatOps } from "./format.ts";
import { GraphNode } from "./graph-node.ts";
import type { HostFile } from "./host-file.ts";
import { parse } from "./node-options.ts";
import type { BlockNode } from "./node.ts";

/** How {@link openImage} opens; all may be left out. */
export interface OpenImageOptions {
  /** Default: false. */
  readonly readOnly?: boolean;
  /** node-name; default: the format's name. */
  readonly name?: string;
  /** The format's own options, as -blockdev has them. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The image below: a node, null for none whatever the image says, or what opens the one that the image names. */
  readonly backing?: BlockNode | null | ((filename: string, format?: string) => Promise<BlockNode>);
  /** Opens a further file that the image names (extents, data files). Absent: such images are refused. */
  readonly extent?: (filename: string) => Promise<BlockNode>;
  /** Nodes for further roles that the format has ("data-file"). */
  readonly children?: Readonly<Record<string, BlockNode>>;
  /** Formats that an archive may hold (OVA: vmdk). */
  readonly formats?: readonly BlockFormat[];
  /** Randomness, time, secrets, codecs. Default: portable codecs, nothing else. */
  readonly host?: Partial<FormatHost>;
  /** One line for the user's eyes. Default: nobody hears it. */
  readonly warn?: (message: string) => void;
  /** Default: discards are passed on. */
  readonly discard?: "ignore" | "unmap";
}

/** How {@link createImage} makes an image. */
export interface CreateImageOptions {
  /** The format's create options, as `-o` has them. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Makes a further file beside the image; absent: formats of several files are refused. */
  readonly extent?: (filename: string) => Promise<BlockNode>;
  /** The image below, when `options` name one. */
  readonly backing?: CreateContext["backing"];
  /** Randomness, time, secrets, codecs; absent ones as in FormatHost's portable defaults. */
  readonly host?: Partial<FormatHost>;
}

/**
 * Opens an image of a known format without a graph or a registry. The node owns `file`: closing it closes that.
 * @throws BlockError; `file` is closed then
 */
export async function openImage(
  format: BlockFormat,
  file: BlockNode | HostFile,
  given: OpenImageOptions = {},
): Promise<BlockNode> {
  const { readOnly = false, name = format.name, backing, warn = () => undefined, discard = "unmap" } = given;
  const below = await asNode(file, readOnly);
  const filename = below.filename ?? below.name;
  try {
    const ctx: FormatContext = {
      name,
      readOnly,
      probed: false,
      filename,
      explicitBacking: typeof backing === "function" ? undefined : backing,
      backing: typeof backing === "function" ? backing : (named) => noFile(filename, named, "backing"),
      extent: given.extent ?? ((named) => noFile(filename, named, "extent")),
      children: given.children ?? {},
      looksLike: () => "raw",
      warn,
      host: formatHost(given.host),
      format: async (wanted) => among(given.formats, wanted, filename),
    };
    const node = await format.class.format.open(below, ownOptions(format, given.options) as never, ctx);
    const options = { readOnly, discard, detectZeroes: "off", noFlush: false } as const;
    return new GraphNode(node, format.name, options, true, warn);
  } catch (e) {
    await below.close().catch(() => undefined);
    throw asBlockError(e, `Could not open '${filename}' as ${format.name}`);
  }
}

/**
 * Makes an image of `size` bytes in `file`, which is emptied first and closed afterwards.
 * @throws BlockError "unsupported-feature" for a format that cannot be made
 */
export async function createImage(
  format: BlockFormat,
  file: BlockNode | HostFile,
  size: number,
  given: CreateImageOptions = {},
): Promise<void> {
  const below = await asNode(file, false);
  const filename = below.filename ?? below.name;
  try {
    await createIn(format, below, size, given);
  } finally {
    await below.close().catch((e: unknown) => {
      throw asBlockError(e, `Could not close '${filename}'`);
    });
  }
}

/** Makes an image in a node that stays open. The node has been emptied. */
export async function createIn(
  format: BlockFormat,
  file: BlockNode,
  size: number,
  given: CreateImageOptions,
): Promise<void> {
  const { create, createOptions } = format.class.format;
  const filename = file.filename ?? file.name;
  if (!create)
    throw new BlockError("unsupported-feature", `Format driver '${format.name}' does not support image creation`);
  const ctx: CreateContext = {
    filename,
    extent: given.extent ?? ((named) => noFile(filename, named, "extent")),
    ...(given.backing === undefined ? {} : { backing: given.backing }),
    host: formatHost(given.host),
  };
  const options =
    createOptions === undefined ? (given.options ?? {}) : parse(createOptions, given.options ?? {}, format.name);
  if (file.resize && file.size > 0) await file.resize(0);
  try {
    await create(file, size, options as Readonly<Record<string, unknown>>, ctx);
  } catch (e) {
    throw asBlockError(e, `Could not create '${filename}' as ${format.name}`);
  }
}

async function asNode(file: BlockNode | HostFile, readOnly: boolean): Promise<BlockNode> {
  if (!("path" in file)) return file;
  return FileNode.open(file.path, file, { readOnly });
}

function ownOptions(format: BlockFormat, given: Readonly<Record<string, unknown>> = {}): unknown {
  return format.props === undefined ? given : parse(format.props, given, format.name);
}

function among(formats: readonly BlockFormat[] = [], name: string, image: string): FormatOps {
  const found = formats.find((format) => format.name === name);
  if (found) return found.class.format;
  throw new BlockError("bad-option", `'${image}' holds an image of format '${name}': give that among 'formats'`);
}

async function noFile(image: string, named: string, what: string): Promise<never> {
  throw new BlockError(
    "bad-option",
    `'${image}' names the ${what} file '${named}', and nothing was given that may open it`,
  );
}
