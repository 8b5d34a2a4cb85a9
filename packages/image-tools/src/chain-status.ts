import { statusOf } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import { backingOf } from "./tools.ts";

/** Where a range of a chain of images comes from. */
export interface ChainStatus {
  readonly length: number;
  /** The image of the chain that decides: 0 = the top. */
  readonly depth: number;
  /** That image has an entry for the range. */
  readonly present: boolean;
  readonly zero: boolean;
  readonly data: boolean;
  readonly compressed: boolean;
  readonly offset?: number;
  readonly file?: BlockNode;
}

/** Status of one image: a range that nothing below fills reads as zeroes. */
export async function ownStatus(node: BlockNode, at: number, length: number): Promise<ChainStatus> {
  const s = await statusOf(node, at, length);
  const rest = { present: s.allocated, data: s.data, compressed: s.compressed === true, depth: 0 };
  const place = {
    ...(s.offset === undefined ? {} : { offset: s.offset }),
    ...(s.file === undefined ? {} : { file: s.file }),
  };
  if (s.allocated) return { ...rest, ...place, length: s.length, zero: s.zero };
  const below = backingOf(node);
  if (below === undefined || at >= below.size) return { ...rest, length: s.length, zero: true };
  return { ...rest, length: Math.min(s.length, below.size - at), zero: s.zero };
}

/** Status through the chain, as far as `base` (which is not asked). */
export async function chainStatus(node: BlockNode, at: number, length: number, base?: BlockNode): Promise<ChainStatus> {
  let depth = 0;
  let left = length;
  for (let n: BlockNode | undefined = node; n !== undefined && n !== base; n = backingOf(n)) {
    const s = await ownStatus(n, at, left);
    left = s.length;
    if (s.present || s.zero) return { ...s, depth };
    depth++;
  }
  return { length: left, depth: depth, present: false, zero: base === undefined, data: false, compressed: false };
}

/** Whether a new image reads as zeroes everywhere: an encrypted one does not. */
export async function isBlank(node: BlockNode): Promise<boolean> {
  for (let at = 0; at < node.size;) {
    const s = await chainStatus(node, at, node.size - at);
    if (!s.zero) return false;
    at += s.length;
  }
  return true;
}
