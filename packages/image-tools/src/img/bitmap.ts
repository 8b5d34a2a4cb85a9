import type { BitmapInfo, BitmapOps, BlockNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { openGiven } from "./given.ts";

const ACTIONS = ["add", "remove", "clear", "enable", "disable", "merge"];
const LEAST_GRANULARITY = 512;

/** `bitmap`: works on the bitmaps that an image keeps. */
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
  for (const [action, value] of actions) await act(node, source, action, which, value, granularity);
  await node.flush();
  return 0;
}

async function act(
  node: BlockNode,
  source: BlockNode,
  action: string,
  name: string,
  value: string,
  granularity: number | undefined,
): Promise<void> {
  try {
    const ops = node.image?.bitmaps;
    if (ops === undefined) throw new ToolError(`Can't store persistent bitmaps to ${node.name}: Operation not supported`);
    if (action === "add") await add(node, ops, name, granularity);
    else if (action === "remove") {
      await find(ops, name, true);
      await ops.remove(name);
    } else if (action === "clear") await clear(ops, name);
    else if (action === "enable" || action === "disable") {
      await find(ops, name);
      await ops.setAuto(name, action === "enable");
    } else await merge(ops, name, source, value, node.size);
  } catch (error) {
    throw new ToolError(`Operation ${action} on bitmap ${name} failed: ${messageOf(error)}`, { cause: error });
  }
}

async function add(node: BlockNode, ops: BitmapOps, name: string, wanted: number | undefined): Promise<void> {
  if ((await ops.list()).some((b) => b.name === name)) throw new ToolError(`Bitmap already exists: ${name}`);
  const granularity = wanted ?? Math.min(65536, Math.max(4096, node.image?.clusterSize ?? 65536));
  if (granularity < LEAST_GRANULARITY || Math.log2(granularity) % 1 !== 0)
    throw new ToolError(`Granularity must be power of 2 and at least ${LEAST_GRANULARITY}`);
  await ops.add(name, granularity, true);
}

async function clear(ops: BitmapOps, name: string): Promise<void> {
  await find(ops, name);
  const bits = await ops.load(name);
  await ops.store(name, bits.fill(0));
}

async function merge(ops: BitmapOps, name: string, source: BlockNode, from: string, size: number): Promise<void> {
  const others = source.image?.bitmaps;
  const into = await find(ops, name);
  if (others === undefined) throw new ToolError(`Dirty bitmap '${from}' not found`);
  const other = await find(others, from);
  const target = await ops.load(name);
  const bits = await others.load(from);
  orBits(target, into.granularity, bits, other.granularity, size);
  await ops.store(name, target);
}

/** Sets each bit of `into` whose range touches a bit of `from`. */
export function orBits(into: Uint8Array, intoUnit: number, from: Uint8Array, fromUnit: number, size: number): void {
  if (intoUnit === fromUnit) {
    for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) | (from[i] ?? 0);
    return;
  }
  const last = Math.ceil(size / intoUnit) - 1;
  for (let byte = 0; byte < from.length; byte++) {
    const bits = from[byte] ?? 0;
    for (let bit = 0; bits >> bit !== 0; bit++) {
      if (((bits >> bit) & 1) === 0) continue;
      const at = (byte * 8 + bit) * fromUnit;
      const end = Math.min(last, Math.floor((at + fromUnit - 1) / intoUnit));
      for (let n = Math.floor(at / intoUnit); n <= end; n++) into[n >> 3] = (into[n >> 3] ?? 0) | (1 << (n & 7));
    }
  }
}

async function find(ops: BitmapOps, name: string, broken = false): Promise<BitmapInfo> {
  const found = (await ops.list()).find((b) => b.name === name);
  if (found === undefined) throw new ToolError(`Dirty bitmap '${name}' not found`);
  if (found.inUse && !broken)
    throw new ToolError(`Bitmap '${name}' is inconsistent and cannot be used\nTry --remove to delete this bitmap from disk`);
  return found;
}
