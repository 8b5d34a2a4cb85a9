/** What a region is made of, before code is emitted for it. */
import type { Tb } from "../exec/blocks.ts";
import type { Block } from "../ir/block.ts";

/** One guest block in a region. */
export interface RegionBlock {
  readonly tb: Tb;
  readonly block: Block;
  /** Guest instructions of it that belong to the region: fewer than the block has where another block begins within it. */
  readonly insns: number;
  /** Addresses that its indirect jump went to, most frequent first: low halves, of nodes in the region only. */
  readonly targets: readonly number[];
}

/** Blocks to be compiled as one function. Node n of the shape is `blocks[n - 1]`; the head is node 1. */
export interface RegionPlan {
  readonly blocks: readonly RegionBlock[];
  /** Node by the low half of the address it starts at. */
  readonly nodeAt: ReadonlyMap<number, number>;
  readonly insns: number;
}

