/** What a region is made of, before code is emitted for it. */
import type { Tb } from "../exec/blocks.ts";
import type { Block } from "../ir/block.ts";

/** One guest block in a region. */
export interface RegionBlock {
  readonly tb: Tb;
  readonly block: Block;
  /** Guest instructions of it that belong to the region: fewer than the block has where another block begins within it. */
  readonly insns: number;
  /** Node that a jump to the block's own address goes to, where its loop is unrolled; else the one in `nodeAt`. */
  readonly again?: number;
  /** Entry nodes of functions copied to here for the call at its end, by the low halves of their addresses. */
  readonly callees?: readonly { readonly target: number; readonly node: number }[];
  /** Of a copy: the nodes of the copied function by address, and the low half of the address that its return leads to. */
  readonly scope?: ReadonlyMap<number, number>;
  readonly returnsTo?: number;
  /** Addresses that its indirect jump went to, most frequent first: low halves, of nodes in the region only. */
  readonly targets: readonly number[];
}

/** Blocks to be compiled as one function. Node n of the shape is `blocks[n - 1]`; the head is node 1. */
export interface RegionPlan {
  readonly blocks: readonly RegionBlock[];
  /** Blocks that are no copies: the first ones. */
  readonly proper: number;
  /** Node by the low half of the address it starts at. */
  readonly nodeAt: ReadonlyMap<number, number>;
  readonly insns: number;
}

/** The node that an exit of node `from` to an address leads to; 0: it leaves the region. */
export function nodeFor({ blocks, nodeAt }: RegionPlan, from: number, pcLo: number): number {
  const it = blocks[from - 1]!;
  if (it.again !== undefined && it.tb.pcLo === pcLo) return it.again;
  return it.scope?.get(pcLo) ?? nodeAt.get(pcLo) ?? 0;
}

/** Instructions of an unrolled loop, all copies together: the budget and the host's own checks cost as much as six. */
const UNROLLED = 24;
const MOST_COPIES = 4;

/** Blocks with copies of those that loop to themselves; `loops` tells which. */
export function unroll(blocks: readonly RegionBlock[], loops: (it: RegionBlock) => boolean): RegionBlock[] {
  const out = [...blocks];
  blocks.forEach((it, i) => {
    const copies = Math.min(MOST_COPIES, Math.floor(UNROLLED / it.insns));
    if (copies < 2 || !loops(it)) return;
    out[i] = { ...it, again: out.length + 1 };
    for (let n = 1; n < copies; n++) out.push({ ...it, again: n + 1 < copies ? out.length + 2 : i + 1 });
  });
  return out;
}
