import { readsZero } from "@mimus/block";
import type { BlockNode, GraphNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { copy } from "../copy/engine.ts";
import { Source } from "../copy/source.ts";
import { createHelp, CreateOptions, createOptions, formatOps, makeImage } from "../create-image.ts";
import { ToolError } from "../errors.ts";
import { asksHelp } from "../key-values.ts";
import { bytesOf } from "../sizes.ts";
import { openSnapshot } from "../snapshot-param.ts";
import type { Tools } from "../tools.ts";
import { chainOf, Interrupted } from "../tools.ts";
import { copyBitmaps, checkBitmaps } from "./copy-bitmaps.ts";
import { sourceCache, targetCache } from "./given.ts";

const MAX_SPARSE = 16 << 20;
const DEFAULT_SPARSE = 4096;
const MAX_PARALLEL = 16;
/** Requests in flight: what hides the way to a server, or keeps the processors at packing. */
const DEFAULT_PARALLEL = 8;
/** Files of this host keep two writes and a read at work; more buffers leave the processor's cache before they are written. */
const LOCAL_PARALLEL = 3;

/** What the options say. */
interface Wanted {
  readonly format: string;
  readonly parallel: number | undefined;
  readonly sparse: number;
  readonly rate: number | undefined;
  readonly cache: string;
  readonly sourceCache: string;
}

/** `convert`: copies images into a new one. */
export async function convert(args: Arguments, tools: Tools): Promise<number> {
  const wanted = read(args);
  const texts = args.all("o");
  if (texts.some(asksHelp)) {
    const ops = await formatOps(tools, wanted.format);
    tools.host.out(createHelp(wanted.format, ops, args.operands.length > 1 ? args.operands.at(-1) : undefined));
    return 0;
  }
  if (args.operands.length < 2) throw new ToolError("Must specify image file name");
  const names = args.operands.slice(0, -1);
  const targetName = args.operands.at(-1) ?? "";
  const progress = tools.progress(args);
  progress.set(0, 1);
  const sources = await openSources(args, tools, names, wanted);
  const source = new Source(
    sources.map((node) => ({ node })),
    args.has("B") || texts.some((t) => t.includes("backing_file=")),
  );
  if (args.has("bitmaps")) checkBitmaps(sources);
  const made = await target(args, tools, wanted, targetName, source.size, texts);
  const local = [...sources.flatMap(chainOf), made.node].every(isLocal);
  try {
    await copy({
      source,
      target: made.node,
      parallel: wanted.parallel ?? (local && !args.has("c") ? LOCAL_PARALLEL : DEFAULT_PARALLEL),
      anyOrder: args.has("W"),
      sparse: wanted.sparse,
      compressed: args.has("c"),
      offload: args.has("C"),
      targetIsZero: made.zero,
      rate: wanted.rate,
      salvage: args.has("salvage") ? (text) => tools.error(`warning: ${text}`) : undefined,
      progress: (done, total) => progress.set(done, total),
      check: () => tools.checkInterrupt(),
      host: tools.host,
    });
    if (args.has("bitmaps")) await copyBitmaps(sources[0], made.node, args.has("skip-broken-bitmaps"), tools);
    if (wanted.cache !== "unsafe") await made.node.flush();
    await made.node.close();
  } catch (error) {
    if (error instanceof Interrupted) throw new Interrupted(`'${targetName}' is not complete`, { cause: error });
    throw error;
  }
  progress.set(1, 1);
  progress.end();
  return 0;
}

/** The bytes lie in a file of this host. */
function isLocal(node: BlockNode): boolean {
  const below = node.children?.["file"];
  return below === undefined ? node.driver === "file" : isLocal(below);
}

/** Options and what they exclude, in the order in which people are told. */
function read(args: Arguments): Wanted {
  const sparseText = args.last("S");
  const sparse = sparseText === undefined ? DEFAULT_SPARSE : sparseOf(sparseText);
  const parallelText = args.last("m");
  const parallel = parallelText === undefined ? undefined : Number(parallelText);
  if (parallel !== undefined && !(Number.isInteger(parallel) && parallel >= 1 && parallel <= MAX_PARALLEL))
    throw new ToolError(`Invalid number of coroutines. Allowed number of coroutines is between 1 and ${MAX_PARALLEL}`);
  const rateText = args.last("r");
  const rate = rateText === undefined ? undefined : bytesOf("rate limit", rateText);
  if (args.has("skip-broken-bitmaps") && !args.has("bitmaps"))
    throw new ToolError("Use of --skip-broken-bitmaps requires --bitmaps");
  if (args.has("target-image-opts") && !args.has("n"))
    throw new ToolError("--target-image-opts requires use of -n flag");
  if (args.has("target-is-zero") && !args.has("n")) throw new ToolError("--target-is-zero requires use of -n flag");
  if (args.has("C") && sparseText !== undefined) throw new ToolError("Cannot enable copy offloading when -S is used");
  if (args.has("C") && args.has("c")) throw new ToolError("Cannot enable copy offloading when -c is used");
  if (args.has("image-opts") && args.has("format"))
    throw new ToolError("--image-opts and --format are mutually exclusive");
  return {
    format: args.last("O") ?? "raw",
    parallel,
    sparse,
    rate,
    cache: targetCache(args, "unsafe"),
    sourceCache: sourceCache(args),
  };
}

function sparseOf(text: string): number {
  const bytes = bytesOf("buffer size for sparse output", text);
  if (bytes % 512 === 0 && bytes <= MAX_SPARSE) return bytes;
  throw new ToolError(
    `Invalid buffer size for sparse output specified. Valid sizes are multiples of 512 up to ${MAX_SPARSE}. Select 0 to disable sparse detection (fully allocates output).`,
  );
}

async function openSources(
  args: Arguments,
  tools: Tools,
  names: readonly string[],
  wanted: Wanted,
): Promise<BlockNode[]> {
  const snapshot = args.last("l");
  if (snapshot !== undefined && names.length > 1) throw new ToolError("No support for concatenating multiple snapshot");
  const out: BlockNode[] = [];
  for (const name of names) {
    const imageOpts = args.has("image-opts");
    const node = await tools.open(name, {
      imageOpts,
      cache: wanted.sourceCache,
      forceShare: args.has("force-share"),
      ...(imageOpts ? {} : { format: args.last("format") }),
    });
    out.push(snapshot === undefined ? node : await openSnapshot(node, snapshot));
  }
  return out;
}

/** Makes or opens the target. `zero`: it reads as zeroes, or its backing file shows through. */
async function target(
  args: Arguments,
  tools: Tools,
  wanted: Wanted,
  name: string,
  size: number,
  texts: readonly string[],
): Promise<{ node: GraphNode; zero: boolean }> {
  const exists = args.has("n");
  const ops = args.has("target-image-opts") ? undefined : await formatOps(tools, wanted.format);
  if (ops !== undefined && !exists && ops.create === undefined)
    throw new ToolError(`Format driver '${wanted.format}' does not support image creation`);
  let below = args.has("B");
  let secrets: Record<string, string> = {};
  if (!exists) {
    const options = await createOptions(tools, wanted.format, texts);
    backing(args, options);
    below = options.values["backing_file"] !== undefined;
    secrets = options.secrets();
    const preallocated = options.values["preallocation"];
    if (args.has("c") && preallocated !== undefined && preallocated !== "off")
      throw new ToolError("Compression and preallocation not supported at the same time");
    await makeImage(tools, options, name, size).catch((error: unknown) => {
      if (error instanceof ToolError)
        throw new ToolError(`${name}: error while converting ${wanted.format}: ${error.message}`, { cause: error });
      throw error;
    });
  }
  const node = await tools.open(name, {
    writable: true,
    cache: wanted.cache,
    options: secrets,
    ...(args.has("target-image-opts") ? { imageOpts: true } : { format: wanted.format }),
  });
  if (args.has("c") && node.image?.writeCompressed === undefined) {
    await node.close();
    if (!exists) await tools.host.remove?.(name);
    throw new ToolError("Compression not supported for this file format");
  }
  if (node.size < size) {
    if (exists) throw new ToolError("output file is smaller than input file");
    throw new ToolError(`'${name}' has ${node.size} bytes where ${size} are needed`);
  }
  return { node, zero: args.has("target-is-zero") || (!exists && !below && (await readsZero(node))) };
}

function backing(args: Arguments, options: CreateOptions): void {
  const below = args.last("B");
  if (below !== undefined) {
    if (!options.knows("backing_file"))
      throw new ToolError(`Backing file not supported for file format '${options.format}'`);
    options.set("backing_file", below);
  }
  const format = args.last("F");
  if (format !== undefined) options.set("backing_fmt", format);
  if (options.values["backing_file"] !== undefined && options.values["backing_fmt"] === undefined)
    throw new ToolError("Use of backing file requires explicit backing format");
}
