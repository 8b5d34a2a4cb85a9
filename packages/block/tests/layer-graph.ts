import { Registry } from "@mimus/qom";
import type { BlockNode } from "../src/index.ts";
import plugin, { BlockGraph, defineFormat, MemoryFiles, OverlayNode } from "../src/index.ts";

/** What a layer does otherwise than an {@link OverlayNode}. */
export type Dress = (node: OverlayNode) => Partial<BlockNode>;

/** A copy-on-write format that keeps its layer in memory: `file` may be any, `backing` must be given. */
const layerFormat = (dress: Dress): ReturnType<typeof defineFormat> =>
  defineFormat({
    name: "layer",
    summary: "test format",
    async open(file, _options, ctx) {
      await file.close();
      if (!ctx.explicitBacking) throw new Error("needs backing");
      const node = new OverlayNode(ctx.name, ctx.explicitBacking);
      return Object.assign(node, dress(node));
    },
  });

/** A graph that knows the format "layer" and whose clock, `time()` in milliseconds, jumps over each delay. */
export function layerGraph(dress: Dress = () => ({})): { graph: BlockGraph; files: MemoryFiles; time: () => number } {
  const files = new MemoryFiles();
  const registry = new Registry().use(plugin);
  registry.register(layerFormat(dress), "test");
  let now = 0;
  const graph = new BlockGraph({
    registry,
    files,
    warn: () => undefined,
    delay: async (ns) => {
      await new Promise<void>((resolve) => void setTimeout(resolve, 0));
      now += ns / 1e6;
    },
    format: { now: () => now },
  });
  return { graph, files, time: () => now };
}
