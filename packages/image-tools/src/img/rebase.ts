import { ownStatus, protocolOf, resolveBeside } from "@mimus/block";
import type { BlockNode, GraphNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import type { Tools } from "../tools.ts";
import { backingOf, explained } from "../tools.ts";
import { equalBytes } from "./compare.ts";
import { oneName, openGiven, sourceCache, targetCache } from "./given.ts";

const CHUNK = 1 << 20;
const SECTOR = 512;

/** `rebase`: gives an image another backing file. */
export async function rebase(args: Arguments, tools: Tools): Promise<number> {
  const name = oneName(args);
  const below = args.last("b");
  const format = args.last("F");
  const unsafe = args.has("u");
  if (below === undefined && !unsafe) throw usage("Must specify backing file (-b) or use unsafe mode (-u)");
  const progress = tools.progress(args);
  progress.set(0, 1);
  const readCache = sourceCache(args);
  const node = await openGiven(args, tools, name, { writable: true, cache: targetCache(args), noBacking: unsafe });
  if (format !== undefined && !tools.isDriver(format)) throw new ToolError(`Invalid format name: '${format}'`);
  const change = node.image?.changeBacking;
  const cannot = `Could not change the backing file to '${below ?? ""}': `;
  if (change === undefined) throw new ToolError(`${cannot}Operation not supported`);
  if (below !== undefined && below !== "" && format === undefined)
    throw new ToolError(`${cannot}backing format must be specified`);
  if (!unsafe) {
    const next =
      below === undefined || below === "" ? undefined : await openNext(tools, name, below, format, readCache);
    await keepContent(node, next, tools, (done) => progress.set(done, node.size));
    await node.flush();
    await next?.close();
  }
  await change.call(node.image, below === "" ? undefined : below, format).catch((e: unknown) => {
    throw new ToolError(cannot + messageOf(e), { cause: e });
  });
  await node.flush();
  progress.set(1, 1);
  progress.end();
  return 0;
}

async function openNext(
  tools: Tools,
  image: string,
  name: string,
  format: string | undefined,
  cache: string,
): Promise<GraphNode> {
  const path = protocolOf(name) === undefined ? resolveBeside(image, name) : name;
  try {
    return await tools.open(path, { format, cache });
  } catch (error) {
    const text = messageOf(error).replace(/^Could not open '[^']*': /, "");
    throw new ToolError(`Could not open new backing file '${name}': ${text}`, { cause: error });
  }
}

/** Writes into the image what the new backing file has otherwise than the old one. */
async function keepContent(
  node: BlockNode,
  next: BlockNode | undefined,
  tools: Tools,
  progress: (done: number) => void,
): Promise<void> {
  const old = backingOf(node);
  const was = new Uint8Array(CHUNK);
  const will = new Uint8Array(CHUNK);
  for (let at = 0; at < node.size;) {
    tools.checkInterrupt();
    const s = await ownStatus(node, at, node.size - at).catch((e: unknown) => {
      throw explained("error while reading image metadata", e);
    });
    if (s.present) at += s.length;
    else {
      const length = Math.min(s.length, CHUNK - (at % CHUNK));
      const [a, b] = [was.subarray(0, length), will.subarray(0, length)];
      await Promise.all([readFrom(old, at, a, "old"), readFrom(next, at, b, "new")]);
      await writeDifferences(node, at, a, b, tools);
      at += length;
    }
    progress(at);
  }
}

/** Zeroes beyond the end, and without a file. */
async function readFrom(node: BlockNode | undefined, at: number, into: Uint8Array, which: string): Promise<void> {
  const there = node === undefined ? 0 : Math.max(0, Math.min(into.length, node.size - at));
  into.fill(0, there);
  if (there === 0) return;
  await node?.read(at, into.subarray(0, there)).catch((e: unknown) => {
    throw explained(`error while reading from ${which} backing file`, e);
  });
}

async function writeDifferences(
  node: BlockNode,
  at: number,
  a: Uint8Array,
  b: Uint8Array,
  tools: Tools,
): Promise<void> {
  const same = tools.host.same ?? equalBytes;
  if (same(a, b)) return;
  for (let from = 0; from < a.length;) {
    if (equalBytes(a.subarray(from, from + SECTOR), b.subarray(from, from + SECTOR))) {
      from += SECTOR;
      continue;
    }
    let to = from + SECTOR;
    while (to < a.length && !equalBytes(a.subarray(to, to + SECTOR), b.subarray(to, to + SECTOR))) to += SECTOR;
    const end = Math.min(to, a.length);
    await node.write(at + from, a.subarray(from, end)).catch((e: unknown) => {
      throw explained("Error while writing to COW image", e);
    });
    from = to;
  }
}
