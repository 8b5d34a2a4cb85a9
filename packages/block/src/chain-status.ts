/** Where content comes from, seen through a chain of images. */
import type { BlockNode } from "./node.ts";
import { statusOf } from "./status.ts";
import type { BlockStatus } from "./status.ts";

/** Where a range of a chain of images comes from. */
export interface ChainStatus {
  /** Bytes to which this applies: at least 1, at most what was asked. */
  readonly length: number;
  /** The image of the chain that decides: 0 = the top. */
  readonly depth: number;
  /** That image has an entry for the range. */
  readonly present: boolean;
  /** The range reads as zeroes. */
  readonly zero: boolean;
  /** Bytes are stored for it. */
  readonly data: boolean;
  readonly compressed: boolean;
  /** Where they lie in `file` as they are; undefined: nowhere. */
  readonly offset: number | undefined;
  readonly file: BlockNode | undefined;
}

/** Status of one image: a range that nothing below fills reads as zeroes. */
export async function ownStatus(node: BlockNode, at: number, length: number): Promise<ChainStatus> {
  return inChain(below(node), at, node.statusNow?.(at, length) ?? (await statusOf(node, at, length)), 0);
}

function inChain(under: BlockNode | undefined, at: number, s: BlockStatus, depth: number): ChainStatus {
  const { allocated: present, data, compressed = false } = s;
  let { length, zero, offset, file } = s;
  if (!present) {
    if (under === undefined || at >= under.size) zero = true;
    else length = Math.min(length, under.size - at);
    offset = file = undefined;
  }
  // One shape for all, made at once: a map asks a hundred thousand times.
  return { length, depth, present, zero, data, compressed, offset, file };
}

/** Status through the chain, as far as `base` (which is not asked). */
export async function chainStatus(node: BlockNode, at: number, length: number, base?: BlockNode): Promise<ChainStatus> {
  let depth = 0;
  let left = length;
  for (let n: BlockNode | undefined = node; n !== undefined && n !== base; n = below(n)) {
    const s = n.statusNow?.(at, left) ?? (await statusOf(n, at, left));
    const own = inChain(below(n), at, s, depth);
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

/** Whether a range of an image reads as zeroes, as far as tables tell; there is nothing behind its end. */
export async function readsZero(node: BlockNode, from: number = 0, to: number = node.size): Promise<boolean> {
  const end = Math.min(to, node.size);
  for (let at = from; at < end;) {
    const s = await chainStatus(node, at, end - at);
    if (!s.zero) return false;
    at += s.length;
  }
  return true;
}

function below(node: BlockNode): BlockNode | undefined {
  return node.children?.["backing"];
}
