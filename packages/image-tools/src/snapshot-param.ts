import type { BlockNode } from "@mimus/block";
import { messageOf, ToolError } from "./errors.ts";
import { keyValues } from "./key-values.ts";

/** Opens a snapshot inside an image: `-l NAME`, `-l ID` or `-l snapshot.id=ID,snapshot.name=NAME`. @throws ToolError */
export async function openSnapshot(node: BlockNode, param: string): Promise<BlockNode> {
  const ops = node.image?.snapshots;
  const named = param.startsWith("snapshot.") ? keyValues(param) : undefined;
  const { "snapshot.id": id, "snapshot.name": name } = named ?? {};
  if (ops === undefined)
    throw new ToolError(
      `Failed to load snapshot: Device '${node.filename ?? node.name}' does not support internal snapshots`,
    );
  const found = (await ops.list()).find((s) =>
    named === undefined
      ? s.id === param || s.name === param
      : (id === undefined || s.id === id) && (name === undefined || s.name === name),
  );
  if (found === undefined) throw new ToolError("Failed to load snapshot: Can't find snapshot");
  return ops.open(found.id, `${node.name}-snapshot`).catch((e: unknown) => {
    throw new ToolError(`Failed to load snapshot: ${messageOf(e)}`, { cause: e });
  });
}
