import type { BlockNode } from "./node.ts";

/** Reads from the image below; zeroes beyond its end, and when there is none. */
export async function readBelow(below: BlockNode | undefined, at: number, into: Uint8Array): Promise<void> {
  const there = below ? Math.max(0, Math.min(into.length, below.size - at)) : 0;
  if (there < into.length) into.fill(0, there);
  if (below && there > 0) await below.read(at, there === into.length ? into : into.subarray(0, there));
}
