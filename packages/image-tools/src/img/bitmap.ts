import type { GraphNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { openGiven } from "./given.ts";

const ACTIONS = ["add", "remove", "clear", "enable", "disable", "merge"];

/** `bitmap`: works on the bitmaps that an image keeps. They are in memory while the image is open, and stored when it closes. */
export async function bitmap(args: Arguments, tools: Tools): Promise<number> {
  const actions = args.given.filter(([name]) => ACTIONS.includes(name));
  if (actions.length === 0)
    throw new ToolError("Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
  const granularityText = args.last("granularity");
  const granularity = granularityText === undefined ? undefined : bytesOf("granularity", granularityText, 1);
  if (granularity !== undefined && !args.has("add")) throw new ToolError("granularity only supported with --add");
  const from = args.last("source-file");
  const fromFormat = args.last("source-format");
  if (fromFormat !== undefined && from === undefined) throw new ToolError("-F only supported with -b");
  if (from !== undefined && !args.has("merge"))
    throw new ToolError("Merge bitmap source file only supported with --merge");
  const [name, which, extra] = args.operands;
  if (name === undefined || which === undefined || extra !== undefined)
    throw usage("Expecting filename and bitmap name");
  const node = await openGiven(args, tools, name, { writable: true, noBacking: true });
  const source = from === undefined ? node : await tools.open(from, { format: fromFormat, noBacking: true });
  if (source !== node) await tools.graph.bitmaps.load(source);
  for (const [action, value] of actions)
    try {
      await act(tools, node, source, action, which, value, granularity);
    } catch (error) {
      throw new ToolError(`Operation ${action} on bitmap ${which} failed: ${messageOf(error)}`, { cause: error });
    }
  return 0;
}

async function act(
  tools: Tools,
  node: GraphNode,
  source: GraphNode,
  action: string,
  name: string,
  value: string,
  granularity: number | undefined,
): Promise<void> {
  const { bitmaps } = tools.graph;
  if (action === "add") {
    if (node.image?.bitmaps === undefined)
      throw new ToolError(`Can't store persistent bitmaps to ${node.name}: Operation not supported`);
    await bitmaps.add(node, name, { ...(granularity === undefined ? {} : { granularity }), persistent: true });
  } else if (action === "remove") await bitmaps.remove(node, name);
  else if (action === "merge") bitmaps.merge(bitmaps.get(node, name), [bitmaps.get(source, value)]);
  else if (action === "clear") bitmaps.get(node, name).check().bits.clear();
  else bitmaps.get(node, name).check().enabled = action === "enable";
}
