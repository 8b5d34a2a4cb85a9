import type { BlockNode } from "@mimus/block";
import { statusOf } from "@mimus/block";
import { ALLOCATION } from "../constants.ts";
import type { MetaContext } from "./contexts.ts";

/** A run of bytes with the same status. */
export interface Extent {
  readonly length: number;
  /** Meaning is the context's. */
  readonly flags: number;
}

/** Runs that one reply carries: a client asks on from there. */
const MAX_EXTENTS = 4096;

/** The runs from `at` on: at least one, and no more than cover `length`. Source: NBD_CMD_BLOCK_STATUS. */
export async function extents(
  node: BlockNode,
  context: MetaContext,
  at: number,
  length: number,
  one: boolean,
): Promise<Extent[]> {
  const out: { length: number; flags: number }[] = [];
  for (let done = 0; done < length;) {
    const { length: run, flags } = await runAt(node, context, at + done, length - done);
    const last = out.at(-1);
    if (last !== undefined && last.flags === flags) last.length += run;
    else if (out.length === (one ? 1 : MAX_EXTENTS)) break;
    else out.push({ length: run, flags });
    done += run;
  }
  return out;
}

async function runAt(node: BlockNode, { kind, bitmap }: MetaContext, at: number, length: number): Promise<Extent> {
  if (kind === "bitmap" && bitmap !== undefined) {
    const run = bitmap.run(at, length);
    return { length: run.length, flags: run.dirty ? 1 : 0 };
  }
  const { length: run, depth, data, zero } = await chainStatus(node, at, length);
  if (kind === "depth") return { length: run, flags: depth };
  return { length: run, flags: (data ? 0 : ALLOCATION.HOLE) | (zero ? ALLOCATION.ZERO : 0) };
}

/** Status of a range through the whole backing chain. */
export interface ChainStatus {
  readonly length: number;
  /** 1 = the node itself, 2 = its backing node, ...; 0 = no node of the chain. */
  readonly depth: number;
  readonly data: boolean;
  readonly zero: boolean;
}

export async function chainStatus(node: BlockNode, at: number, length: number): Promise<ChainStatus> {
  let here: BlockNode | undefined = node;
  let run = length;
  for (let depth = 1; here !== undefined; depth++) {
    if (at >= here.size) return { length: run, depth: 0, data: false, zero: true };
    const status = await statusOf(here, at, Math.min(run, here.size - at));
    run = Math.max(1, Math.min(run, status.length));
    if (status.allocated) return { length: run, depth, data: status.data, zero: status.zero };
    here = here.children?.["backing"];
  }
  return { length: run, depth: 0, data: false, zero: true };
}
