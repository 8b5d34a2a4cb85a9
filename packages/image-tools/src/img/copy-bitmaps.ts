import type { BlockNode } from "@mimus/block";
import { messageOf, ToolError } from "../errors.ts";
import type { Tools } from "../tools.ts";

/** Whether the bitmaps of a source can be copied. @throws ToolError */
export function checkBitmaps(sources: readonly BlockNode[]): void {
  if (sources.length > 1) throw new ToolError("Copying bitmaps only possible with single source");
  if (sources[0]?.image?.bitmaps === undefined) throw new ToolError("Source lacks bitmap support");
}

/** Copies all bitmaps of an image. @throws ToolError for one that cannot be relied on, unless `skip` */
export async function copyBitmaps(
  source: BlockNode | undefined,
  target: BlockNode,
  skip: boolean,
  tools: Tools,
): Promise<void> {
  const from = source?.image?.bitmaps;
  const to = target.image?.bitmaps;
  if (from === undefined) return;
  if (to === undefined) throw new ToolError("This file format does not support bitmaps");
  for (const bitmap of await from.list()) {
    if (bitmap.inUse) {
      if (!skip)
        throw new ToolError(
          `Cannot copy inconsistent bitmap '${bitmap.name}'\nTry --skip-broken-bitmaps, or remove it with '${tools.host.program} bitmap --remove'`,
        );
      tools.error(`warning: Skipping inconsistent bitmap '${bitmap.name}'`);
      continue;
    }
    try {
      await to.add(bitmap.name, bitmap.granularity, bitmap.auto);
      await to.store(bitmap.name, await from.load(bitmap.name));
    } catch (error) {
      throw new ToolError(`Failed to populate bitmap ${bitmap.name}: ${messageOf(error)}`, { cause: error });
    }
  }
}
