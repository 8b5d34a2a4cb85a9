import { chainStatus } from "@mimus/block";
import type { BlockNode, GraphNode } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { copy } from "../copy/engine.ts";
import type { Readable } from "../copy/source.ts";
import { messageOf, ToolError } from "../errors.ts";
import { bytesOf } from "../sizes.ts";
import type { Tools } from "../tools.ts";
import { backingOf, chainOf, explained } from "../tools.ts";
import { oneName, openGiven, targetCache } from "./given.ts";

/** `commit`: writes what an image changes into one below it. */
export async function commit(args: Arguments, tools: Tools): Promise<number> {
  const rateText = args.last("r");
  const rate = rateText === undefined ? undefined : bytesOf("rate limit", rateText);
  const name = oneName(args);
  const cache = targetCache(args);
  const node = await openGiven(args, tools, name, { writable: true, cache });
  const progress = tools.progress(args);
  const wanted = args.last("b");
  const base = wanted === undefined ? backingOf(node) : findBase(node, wanted);
  if (base === undefined)
    throw new ToolError(
      wanted === undefined
        ? "Image does not have a backing file"
        : `Did not find '${wanted}' in the backing chain of '${name}'`,
    );
  const keep = args.has("d") || wanted !== undefined;
  progress.set(0, 1);
  try {
    await base.reopen?.({ readOnly: false });
    if (base.size < node.size) {
      if (base.resize === undefined) throw new ToolError("the backing file is smaller, and cannot grow");
      await base.resize(node.size);
    }
    await copy({
      source: above(node, base),
      target: base,
      parallel: 8,
      anyOrder: false,
      sparse: 4096,
      compressed: false,
      targetIsZero: false,
      rate,
      progress: (done, total) => progress.set(done, total),
      check: () => tools.checkInterrupt(),
      host: tools.host,
    });
    await base.flush();
    if (!keep) await node.image?.makeEmpty?.();
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw explained("Error while committing image", error);
  }
  progress.set(1, 1);
  progress.end();
  if (!args.has("quiet")) tools.host.out("Image committed.\n");
  return 0;
}

/** An image of the chain: by the name of its file, or by the name that the image above has for it. */
function findBase(node: GraphNode, name: string): BlockNode | undefined {
  return chainOf(node)
    .slice(1)
    .find((n) => n.filename === name || n.filename?.endsWith(`/${name}`) === true);
}

/** What lies above `base`. */
function above(node: BlockNode, base: BlockNode): Readable {
  return {
    size: node.size,
    read: (at, into) => node.read(at, into),
    async status(at, length) {
      const s = await chainStatus(node, at, length, base).catch((e: unknown) => {
        throw new ToolError(`error while reading image metadata: ${messageOf(e)}`, { cause: e });
      });
      // An image above that ends early shows zeroes, whatever the base has there.
      return { kind: s.present || s.zero ? (s.zero ? "zero" : "data") : "below", length: s.length };
    },
  };
}
