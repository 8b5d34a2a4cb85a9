import type { BlockNode } from "@mimus/block";
import { chainStatus } from "@mimus/block";
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
  const { length: run, depth, present, data, zero } = await chainStatus(node, at, length);
  // 1 is the image itself, 2 the one below it; 0: none has the range.
  if (kind === "depth") return { length: run, flags: present ? depth + 1 : 0 };
  return { length: run, flags: (data ? 0 : ALLOCATION.HOLE) | (zero ? ALLOCATION.ZERO : 0) };
}
