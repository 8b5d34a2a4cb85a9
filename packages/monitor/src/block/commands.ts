import { BlockError } from "@mimus/block";
import { BITMAP_COMMANDS } from "./bitmaps.ts";
import type { BlockCommand, BlockControl } from "./context.ts";
import { INFO_COMMANDS } from "./info.ts";
import { JOB_COMMANDS } from "./jobs.ts";
import { MEDIA_COMMANDS } from "./media.ts";
import { NODE_COMMANDS } from "./nodes.ts";
import { SNAPSHOT_COMMANDS } from "./snapshots.ts";
import { THRESHOLD_COMMANDS } from "./threshold.ts";
import { TRANSACTION_COMMANDS } from "./transaction.ts";

/** QMP's commands about disks, by name. Source: QEMU 7.2, qapi/block-core.json, transaction.json, job.json, block.json. */
export const BLOCK_COMMANDS: ReadonlyMap<string, BlockCommand> = new Map(
  [
    ...INFO_COMMANDS,
    ...NODE_COMMANDS,
    ...JOB_COMMANDS,
    ...BITMAP_COMMANDS,
    ...SNAPSHOT_COMMANDS,
    ...TRANSACTION_COMMANDS,
    ...MEDIA_COMMANDS,
    ...THRESHOLD_COMMANDS,
  ].map((c) => [c.name, c]),
);

/** Runs one command. @throws BlockError "not-found" for a command that is not about disks */
export async function runBlockCommand(control: BlockControl, name: string, args: unknown): Promise<unknown> {
  const found = BLOCK_COMMANDS.get(name) ?? control.commands?.get(name);
  if (!found) throw new BlockError("not-found", `The command ${name} has not been found`);
  return found.run(control, args);
}
