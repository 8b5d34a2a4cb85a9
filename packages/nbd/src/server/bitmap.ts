import { type BlockGraph, BlockError, type DirtyBitmap, GraphNode } from "@mimus/block";
import type { ExportedBitmap } from "./export.ts";

/** A dirty bitmap of a node, or of an image below it, for an export. Nobody may change it until `release`. */
export interface HeldBitmap extends ExportedBitmap {
  /** Lets go; others may change the bitmap again. */
  release(): void;
}

/** Finds and holds a bitmap. @throws BlockError */
export function holdBitmap(graph: BlockGraph, node: GraphNode, name: string, writable: boolean): HeldBitmap {
  const bitmap = find(graph, node, name).check();
  if (!writable && !bitmap.node.readOnly && bitmap.enabled)
    throw new BlockError("in-use", `Enabled bitmap '${name}' incompatible with readonly export`);
  bitmap.busy = true;
  return {
    name,
    run: (at, length) => runOf(bitmap, at, length),
    release: () => void (bitmap.busy = false),
  };
}

function find(graph: BlockGraph, node: GraphNode, name: string): DirtyBitmap {
  for (let here: GraphNode | undefined = node; here !== undefined;) {
    const found = graph.bitmaps.list(here).find((b) => b.name === name);
    if (found !== undefined) return found;
    const below: unknown = here.children["backing"] ?? (here.image === undefined ? here.children["file"] : undefined);
    here = below instanceof GraphNode ? below : undefined;
  }
  throw new BlockError("not-found", `Bitmap '${name}' is not found`);
}

function runOf({ bits }: DirtyBitmap, at: number, length: number): { length: number; dirty: boolean } {
  const next = bits.next(at, length);
  if (next === undefined || next.at >= at + length) return { length, dirty: false };
  if (next.at > at) return { length: next.at - at, dirty: false };
  return { length: Math.max(1, Math.min(length, next.length)), dirty: true };
}
