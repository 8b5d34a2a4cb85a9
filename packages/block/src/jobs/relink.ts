import { Edge } from "../edge.ts";
import { BlockError } from "../errors.ts";
import type { BlockGraph } from "../graph.ts";
import type { GraphNode } from "../graph-node.ts";

/** Name under which an image above records `node` as its backing file. */
export function nameOf(node: GraphNode): string {
  return node.filename === "" ? `json:{"driver":"${node.driver}","node-name":"${node.name}"}` : node.filename;
}

/**
 * Puts another node below `node`, in memory and (for a writable image) in the image itself. Nodes that nobody holds any
 * more close. The caller has drained `node`.
 */
export async function setBackingNode(
  _graph: BlockGraph,
  node: GraphNode,
  backing: GraphNode | undefined,
  recorded?: string | null,
): Promise<void> {
  if (!node.setBacking)
    throw new BlockError(
      "unsupported-feature",
      `The driver '${node.driver}' of '${node.name}' cannot change its backing`,
    );
  if (recorded !== null) {
    const name = recorded ?? (backing && nameOf(backing));
    if (!node.image?.changeBacking)
      throw new BlockError("unsupported-feature", `The format '${node.driver}' cannot record another backing file`);
    await node.image.changeBacking(name, backing?.driver);
  }
  const old = node.edges.get("backing");
  if (old) node.edges.delete("backing");
  if (backing) {
    const edge = new Edge("backing", backing);
    edge.parent = node;
    node.setBacking(edge);
  } else node.setBacking(undefined);
  await old?.close();
}
