import { Edge } from "./edge.ts";
import { BlockError } from "./errors.ts";
import type { BlockGraph } from "./graph.ts";
import type { GraphNode } from "./graph-node.ts";
import type { Action } from "./transaction.ts";

/** Puts `overlay` over `node`: everything that stood on `node` stands on `overlay` afterwards. A step of a transaction. */
export function snapshotAction(graph: BlockGraph, node: GraphNode, open: () => Promise<GraphNode>): Action {
  let overlay: GraphNode | undefined;
  return {
    nodes: [node],
    async prepare() {
      overlay = await open();
      await overlay.drainBegin();
      try {
        if (overlay.parents.size > 0) throw new BlockError("in-use", "The overlay is already in use");
        if (overlay.edges.has("backing")) throw new BlockError("bad-option", "The overlay already has a backing image");
        if (!overlay.setBacking)
          throw new BlockError("unsupported-feature", "The overlay does not support backing images");
        if (!node.readOnly) await node.inner.flush(); // the node itself is drained
        link(graph, node, overlay);
      } catch (e) {
        overlay.drainEnd();
        throw e;
      }
    },
    async abort() {
      if (!overlay) return;
      const above = overlay;
      graph.replace(above, node);
      const edge = above.edges.get("backing");
      above.setBacking?.(undefined);
      await edge?.close();
      above.drainEnd();
    },
    async commit() {
      overlay?.drainEnd();
      // The image below is not written any more; one that cannot be reopened stays as it was.
      if (!node.readOnly) await node.reopen({ readOnly: true }).catch(() => undefined);
    },
  };
}

function link(graph: BlockGraph, node: GraphNode, overlay: GraphNode): void {
  const edge = new Edge("backing", node);
  edge.parent = overlay;
  overlay.setBacking?.(edge);
  graph.replace(node, overlay, (e) => e === edge);
}
