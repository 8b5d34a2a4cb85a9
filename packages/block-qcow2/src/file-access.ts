import type { BlockNode } from "@mimus/block";

/** Reads from a node; what lies beyond its end reads as zeroes. */
export function readAt(node: BlockNode, at: number, into: Uint8Array): Promise<void> {
  const inside = node.size - at;
  if (inside >= into.length) return node.read(at, into);
  if (inside <= 0) {
    into.fill(0);
    return Promise.resolve();
  }
  into.fill(0, inside);
  return node.read(at, into.subarray(0, inside));
}

/** A 64-bit big-endian number into a view. */
export function put64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value >>> 0);
}
