/** What a region is made of, before code is emitted for it. */
import type { Tb } from "../exec/blocks.ts";
import type { Block } from "../ir/block.ts";
import type { BlockExit } from "./exits.ts";
import type { Hub } from "./hub.ts";
import { ENTRY_NODE } from "./shape.ts";

/** One guest block in a region. */
export interface RegionBlock {
  readonly tb: Tb;
  readonly block: Block;
  /** Guest instructions of it that belong to the region: fewer than the block has where another block begins within it. */
  readonly insns: number;
  /** Times that it had been executed when the region was planned. */
  readonly executions: number;
  /** Entry nodes of functions copied to here for the call at its end, by the low halves of their addresses. */
  readonly callees?: readonly { readonly target: number; readonly node: number }[];
  /** Of a part of a copied function or an unrolled loop: the nodes that it goes to by address, before those in `nodeAt`. */
  readonly scope?: ReadonlyMap<number, number>;
  /** Of a copied function: the low half of the address that its return leads to. */
  readonly returnsTo?: number;
  /** Addresses that its indirect jump went to, most frequent first: low halves, of nodes in the region only. */
  readonly targets: readonly number[];
}

/** Targets of one indirect jump that are compared one by one, where there is a hub. */
const MOST_COMPARED = 3;

/** The targets that the indirect jump at the end of a block is compared with before it goes by the hub, or leaves. */
export const compared = ({ hub }: RegionPlan, { targets }: RegionBlock): readonly number[] =>
  hub !== undefined && targets.length > MOST_COMPARED ? [] : targets;

/** Blocks to be compiled as one function. Node n of the shape is `blocks[n - 1]`; the head is node 1. */
export interface RegionPlan {
  readonly blocks: readonly RegionBlock[];
  /** Blocks that are no copies: the first ones. */
  readonly proper: number;
  /** Node by the low half of the address it starts at. */
  readonly nodeAt: ReadonlyMap<number, number>;
  readonly insns: number;
  /** Where indirect jumps with more targets than {@link MOST_COMPARED} go by one dispatch that they share. */
  readonly hub?: Hub;
}

/** The node that an exit of node `from` to an address leads to; 0: it leaves the region. */
export function nodeFor({ blocks, nodeAt }: RegionPlan, from: number, pcLo: number): number {
  const it = blocks[from - 1]!;
  return it.scope?.get(pcLo) ?? nodeAt.get(pcLo) ?? 0;
}

/** Where a node leads to within its region. */
export interface Edges {
  /** By node; those of the entry are the targets of the hub, which is there. */
  readonly successors: readonly (readonly number[])[];
  /** By node: that which the guest call at its end returns to; 0: it makes none. */
  readonly continuation: Int32Array;
}

/** Low half of the address behind a block. */
export function returnAddress({ tb }: RegionBlock): number {
  return (tb.pcLo + tb.length) | 0;
}

/** The edges of a plan; `exits` gives those of a block as its region sees them. */
export function edgesOf(plan: RegionPlan, exits: (it: RegionBlock) => readonly BlockExit[]): Edges {
  const successors: number[][] = [plan.hub?.targets.map(({ node }) => node) ?? []];
  const continuation = new Int32Array(plan.blocks.length + 1);
  plan.blocks.forEach((it, i) => {
    const list: number[] = [];
    for (const exit of exits(it)) {
      const to = nodeFor(plan, i + 1, exit.target);
      if (exit.kind === "jump" && to > 0) list.push(to);
      const copies = exit.kind === "call" || exit.kind === "indirect-call" ? (it.callees ?? []) : [];
      for (const { node } of copies) list.push(node);
      if (exit.kind === "call" && copies.length > 0) continue;
      if (exit.kind === "return" && it.returnsTo !== undefined) list.push(plan.nodeAt.get(it.returnsTo)!);
      else if (exit.kind === "call" || exit.kind === "indirect-call") {
        const back = nodeFor(plan, i + 1, returnAddress(it));
        continuation[i + 1] = back;
        if (back > 0) list.push(back);
      }
      if (exit.kind !== "indirect") continue;
      for (const t of compared(plan, it)) list.push(nodeFor(plan, i + 1, t));
      if (plan.hub !== undefined) list.push(ENTRY_NODE);
    }
    successors.push(list);
  });
  return { successors, continuation };
}
