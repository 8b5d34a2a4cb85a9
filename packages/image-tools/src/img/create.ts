import type { Arguments } from "../arguments.ts";
import { createHelp, CreateOptions, createOptions, formatOps, makeImage } from "../create-image.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import { asksHelp } from "../key-values.ts";
import { bytesOf, parseBytes } from "../sizes.ts";
import type { Tools } from "../tools.ts";

/** `create`: makes an empty image. */
export async function create(args: Arguments, tools: Tools): Promise<number> {
  const format = args.last("format") ?? "raw";
  const texts = args.all("o");
  const [filename, sizeText, extra] = args.operands;
  if (texts.some(asksHelp)) {
    tools.host.out(createHelp(format, await formatOps(tools, format), filename));
    return 0;
  }
  if (filename === undefined) throw usage("Expecting image file name");
  const given = sizeText === undefined ? undefined : bytesOf("image size", sizeText);
  if (extra !== undefined) throw usage(`Unexpected argument: ${extra}`);
  try {
    await make(args, tools, filename, format, texts, given);
  } catch (error) {
    throw error instanceof ToolError ? new ToolError(`${filename}: ${error.message}`, { cause: error }) : error;
  }
  return 0;
}

async function make(
  args: Arguments,
  tools: Tools,
  filename: string,
  format: string,
  texts: readonly string[],
  given: number | undefined,
): Promise<void> {
  const options = await createOptions(tools, format, texts);
  backingOptions(args, options);
  const below = options.values["backing_file"];
  const unsafe = args.has("u");
  if (below !== undefined && below === filename)
    throw new ToolError("Error: Trying to create an image with the same filename as the backing file");
  const size = await sizeOf(tools, options, filename, given, unsafe);
  if (!args.has("quiet")) tools.host.out(`Formatting '${filename}', ${options.line(size)}\n`);
  await makeImage(tools, options, filename, size, unsafe);
}

/** `-b` and `-F`. */
function backingOptions(args: Arguments, options: CreateOptions): void {
  const below = args.last("b");
  const belowFormat = args.last("F");
  const { format } = options;
  if (below !== undefined) {
    if (!options.knows("backing_file")) throw new ToolError(`Backing file not supported for file format '${format}'`);
    options.set("backing_file", below);
  }
  if (belowFormat === undefined) return;
  if (!options.knows("backing_fmt"))
    throw new ToolError(`Backing file format not supported for file format '${format}'`);
  options.set("backing_fmt", belowFormat);
}

async function sizeOf(
  tools: Tools,
  options: CreateOptions,
  filename: string,
  given: number | undefined,
  unsafe: boolean,
): Promise<number> {
  const { size: sizeText, backing_file: below, backing_fmt: belowFormat } = options.values;
  if (given !== undefined && sizeText !== undefined) throw new ToolError("The image size must be specified only once");
  delete options.values["size"];
  const size = given ?? (sizeText === undefined ? undefined : parseBytes(sizeText));
  if (belowFormat !== undefined && !tools.isDriver(belowFormat))
    throw new ToolError(`Unknown backing file format '${belowFormat}'`);
  if (below !== undefined && below !== "" && !unsafe) {
    const found = await openBelow(tools, filename, below, belowFormat);
    if (belowFormat === undefined)
      throw new ToolError(`Backing file specified without backing format\nDetected format of ${found.format}.`);
    if (size === undefined) return found.size;
  }
  if (size === undefined) throw new ToolError("Image creation needs a size parameter");
  return size;
}

async function openBelow(
  tools: Tools,
  filename: string,
  below: string,
  format: string | undefined,
): Promise<{ format: string; size: number }> {
  const { resolveBeside, protocolOf } = await import("@mimus/block");
  const path = protocolOf(below) === undefined ? resolveBeside(filename, below) : below;
  try {
    const node = await tools.graph.openFile(path, {
      "read-only": true,
      ...(format === undefined ? {} : { driver: format }),
    });
    const found = { format: node.driver, size: node.size };
    await node.close();
    return found;
  } catch (error) {
    throw new ToolError(`${messageOf(error)}\nCould not open backing image.`, { cause: error });
  }
}
