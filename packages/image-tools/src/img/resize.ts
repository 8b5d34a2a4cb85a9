import type { GraphNode } from "@mimus/block";
import { zeroRange } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { messageOf, NAMED, ToolError, usage } from "../errors.ts";
import { parseBytes } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { openGiven } from "./given.ts";

const MODES = ["off", "metadata", "falloc", "full"];

/** `resize`: changes the size of an image. */
export async function resize(args: Arguments, tools: Tools): Promise<number> {
  const [name, given, extra] = args.operands;
  if (name === undefined || given === undefined || extra !== undefined)
    throw usage("Expecting image file name and size");
  const mode = args.last("preallocation") ?? "off";
  if (!MODES.includes(mode)) throw new ToolError(`Invalid preallocation mode '${mode}'`);
  const sign = /^[+-]/.exec(given)?.[0];
  const amount = parseBytes(sign === undefined ? given : given.slice(1));
  if (amount === undefined)
    throw new ToolError(
      "Parameter 'size' expects a non-negative number below 2^64\nOptional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.",
    );
  const node = await openGiven(args, tools, name, { writable: true });
  const before = node.size;
  const size = sign === "+" ? before + amount : sign === "-" ? before - amount : amount;
  if (size <= 0) throw new ToolError("New image size must be positive");
  if (size <= before && mode !== "off") throw new ToolError("Preallocation can only be used for growing images");
  if (size < before && !args.has("shrink"))
    throw new ToolError(
      `Use the --shrink option to perform a shrink operation.\n${NAMED}warning: Shrinking an image will delete all data beyond the shrunken image's end. Before performing such an operation, make sure there is no important data there.`,
    );
  await change(node, before, size, mode);
  if (!args.has("quiet")) tools.host.out("Image resized.\n");
  return 0;
}

async function change(node: GraphNode, before: number, size: number, mode: string): Promise<void> {
  if (node.resize === undefined) throw new ToolError("Image format driver does not support resize");
  await node.resize(size).catch((e: unknown) => {
    throw new ToolError(messageOf(e), { cause: e });
  });
  if (mode === "off") return;
  await allocate(node, before, size, mode).catch((e: unknown) => {
    throw new ToolError(`Could not preallocate the new part: ${messageOf(e)}`, { cause: e });
  });
}

async function allocate(node: GraphNode, from: number, to: number, mode: string): Promise<void> {
  if (mode === "falloc" && node.image?.clusterSize === undefined) return zeroRange(node, from, to - from, false);
  const zeroes = new Uint8Array(1 << 20);
  for (let at = from; at < to; at += zeroes.length)
    await node.write(at, zeroes.subarray(0, Math.min(zeroes.length, to - at)));
}
