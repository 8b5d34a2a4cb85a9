import type { GraphNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { ToolError, usage } from "../errors.ts";
import type { OpenHow, Tools } from "../tools.ts";
import { cacheOptions } from "../tools.ts";

/** Opens an image as the common options say. */
export function openGiven(args: Arguments, tools: Tools, name: string, how: OpenHow = {}): Promise<GraphNode> {
  const imageOpts = args.has("image-opts");
  const format = how.format ?? args.last("format");
  if (imageOpts && args.has("format")) throw new ToolError("--image-opts and --format are mutually exclusive");
  return tools.open(name, {
    ...how,
    imageOpts,
    forceShare: args.has("force-share") && how.writable !== true,
    ...(imageOpts ? {} : { format }),
  });
}

/** The only operand. @throws ToolError */
export function oneName(args: Arguments): string {
  const [name] = args.operands;
  if (name === undefined || args.operands.length !== 1) throw usage("Expecting one image file name");
  return name;
}

/** Whether `--output` asks for JSON. @throws ToolError */
export function isJson(args: Arguments): boolean {
  const output = args.last("output") ?? "human";
  if (output !== "json" && output !== "human")
    throw new ToolError("--output must be used with human or json as argument.");
  return output === "json";
}

/** The cache mode given for what is read. @throws ToolError */
export function sourceCache(args: Arguments): string {
  const mode = args.last("T") ?? "writeback";
  cacheOptions(mode, "source cache option");
  return mode;
}

/** The cache mode given for what is written. @throws ToolError */
export function targetCache(args: Arguments, fallback = "writeback"): string {
  const mode = args.last("t") ?? fallback;
  cacheOptions(mode);
  return mode;
}

/** A way to the disk that qemu-img has; which one serves is the host's choice. */
export function isAio(name: string): boolean {
  return ["threads", "native", "io_uring"].includes(name);
}
