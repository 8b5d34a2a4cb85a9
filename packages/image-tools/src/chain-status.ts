import { statusOf } from "@mimus/block";
import type { BlockNode, BlockStatus } from "@mimus/block";
import { backingOf, chainOf } from "./tools.ts";

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
  readonly offset: number | undefined;
  readonly file: BlockNode | undefined;
}

/** Status of one image: a range that nothing below fills reads as zeroes. */
export async function ownStatus(node: BlockNode, at: number, length: number): Promise<ChainStatus> {
  return inChain(backingOf(node), at, node.statusNow?.(at, length) ?? (await statusOf(node, at, length)), 0);
}

function inChain(below: BlockNode | undefined, at: number, s: BlockStatus, depth: number): ChainStatus {
  const { allocated: present, data, compressed = false } = s;
  let { length, zero, offset, file } = s;
  if (!present) {
    if (below === undefined || at >= below.size) zero = true;
    else length = Math.min(length, below.size - at);
    offset = file = undefined;
  }
  // One shape for all, made at once: a map asks a hundred thousand times.
  return { length, depth, present, zero, data, compressed, offset, file };
}

/** Status through the chain, as far as `base` (which is not asked). */
export async function chainStatus(node: BlockNode, at: number, length: number, base?: BlockNode): Promise<ChainStatus> {
  let depth = 0;
  let left = length;
  for (let n: BlockNode | undefined = node; n !== undefined && n !== base; n = backingOf(n)) {
    const s = n.statusNow?.(at, left) ?? (await statusOf(n, at, left));
    const own = inChain(backingOf(n), at, s, depth);
    left = own.length;
    if (own.present || own.zero) return own;
    depth++;
  }
  return unfilled(left, depth, base);
}

/**
 * The same of a whole chain, top first, where it is known without waiting: a map of many small stretches takes a fraction of the
 * time.
 */
export function chainStatusNow(chain: readonly BlockNode[], at: number, length: number): ChainStatus | undefined {
  let left = length;
  for (let depth = 0; depth < chain.length; depth++) {
    const s = chain[depth]?.statusNow?.(at, left);
    if (s === undefined) return undefined;
    const own = inChain(chain[depth + 1], at, s, depth);
    left = own.length;
    if (own.present || own.zero) return own;
  }
  return unfilled(left, chain.length, undefined);
}

function unfilled(length: number, depth: number, base: BlockNode | undefined): ChainStatus {
  return {
    length,
    depth,
    present: false,
    zero: base === undefined,
    data: false,
    compressed: false,
    offset: undefined,
    file: undefined,
  };
}

/** Whether a new image reads as zeroes everywhere: an encrypted one does not. */
export async function isBlank(node: BlockNode): Promise<boolean> {
  const chain = chainOf(node);
  for (let at = 0; at < node.size;) {
    const s = chainStatusNow(chain, at, node.size - at) ?? (await chainStatus(node, at, node.size - at));
    if (!s.zero) return false;
    at += s.length;
  }
  return true;
}
