import type { GraphNode } from "./graph-node.ts";
import type { BlockNode } from "./node.ts";

/** The node that a filter filters; the node itself when it is none. */
export function skipFilters(node: GraphNode): GraphNode {
  let here = node;
  for (;;) {
    const below = here.filtered;
    if (!below) return here;
    here = below;
  }
}

/** The image below a node, filters on the way passed over. */
export function backingOf(node: GraphNode): GraphNode | undefined {
  const below = skipFilters(node).edges.get("backing")?.target;
  return below && skipFilters(below);
}

/** The chain from `top` down, without filters. */
export function chainOf(top: GraphNode): GraphNode[] {
  const out: GraphNode[] = [];
  for (let node: GraphNode | undefined = skipFilters(top); node; node = backingOf(node)) out.push(node);
  return out;
}

/** What {@link allocatedAbove} finds: applies to `length` bytes. */
export interface Found {
  readonly length: number;
  /** Some image from `top` down to above `base` says what the range reads as. */
  readonly allocated: boolean;
  readonly zero: boolean;
}

/** Whether a range is allocated in `top` or an image below it, down to but without `base` (undefined = all of the chain). */
export async function allocatedAbove(
  top: GraphNode,
  base: GraphNode | undefined,
  at: number,
  length: number,
): Promise<Found> {
  let left = length;
  for (let node: GraphNode | undefined = skipFilters(top); node && node !== base; node = backingOf(node)) {
    // An image that is shorter than the one above it reads as zeroes beyond its end.
    if (at >= node.size) return { length: left, allocated: true, zero: true };
    const status = await node.blockStatus(at, Math.min(left, node.size - at));
    left = Math.min(left, status.length);
    if (status.allocated) return { length: left, allocated: true, zero: status.zero };
  }
  return { length: left, allocated: false, zero: base === undefined };
}

/** Reads zeroes beyond the end of a node that is too short. */
export async function readPadded(node: BlockNode, at: number, into: Uint8Array): Promise<void> {
  const inside = Math.max(0, Math.min(into.length, node.size - at));
  if (inside > 0) await node.read(at, into.subarray(0, inside));
  into.fill(0, inside);
}
