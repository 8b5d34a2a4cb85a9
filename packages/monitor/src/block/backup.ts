import type { Action, GraphNode, JobGroup } from "@mimus/block";
import { BlockError, transact } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl } from "./context.ts";
import { command, nodeOf } from "./context.ts";
import { driveId, driveTarget, flag, jobShape, policy, release, settings, text } from "./job-settings.ts";

const backupShape = {
  ...jobShape,
  device: z.string(),
  sync: z.enum(["full", "top", "none", "incremental", "bitmap"]),
  bitmap: text,
  "bitmap-mode": z.enum(["on-success", "never", "always"]).optional(),
  compress: flag,
  "on-source-error": policy,
  "on-target-error": policy,
  "filter-node-name": text,
  "x-perf": z.looseObject({}).optional(),
};
const BlockdevBackup = z.strictObject({ ...backupShape, target: z.string() });
const DriveBackup = z.strictObject({
  ...backupShape,
  target: z.string(),
  format: text,
  mode: z.enum(["existing", "absolute-paths"]).optional(),
});

/** Makes a backup job that has not started. */
function makeBackup(
  control: BlockControl,
  args: z.output<typeof BlockdevBackup>,
  target: GraphNode,
  releaseTarget: boolean,
  group?: JobGroup,
): ReturnType<BlockControl["jobs"]["backup"]> {
  const source = nodeOf(control, args.device);
  const { sync } = args;
  const wants = sync === "bitmap" || sync === "incremental";
  if (wants && args.bitmap === undefined)
    throw new BlockError("bad-option", `must provide a valid bitmap name for '${sync}' sync mode`);
  if (sync === "bitmap" && args["bitmap-mode"] === undefined)
    throw new BlockError("bad-option", "Bitmap sync mode must be given when providing a bitmap");
  if (sync === "incremental" && (args["bitmap-mode"] ?? "on-success") !== "on-success")
    throw new BlockError("bad-option", "Bitmap sync mode must be 'on-success' when using sync mode 'incremental'");
  const bitmap = args.bitmap === undefined ? undefined : control.graph.bitmaps.get(source, args.bitmap);
  return control.jobs.backup(
    source,
    target,
    {
      sync: wants ? "bitmap" : sync,
      ...(bitmap ? { bitmap } : {}),
      ...(args["bitmap-mode"] === undefined ? {} : { bitmapMode: args["bitmap-mode"] }),
      ...(args.compress ? { compress: true } : {}),
      releaseTarget,
    },
    settings(args, driveId(control, args.device), group),
  );
}

/** A backup as a step of a transaction: its moment is the transaction's. `drive`: the target is a file. */
export function backupAction(
  control: BlockControl,
  data: unknown,
  group: JobGroup | undefined,
  drive: boolean,
): Action {
  const { format, mode, ...args } = drive
    ? DriveBackup.parse(data)
    : { ...BlockdevBackup.parse(data), format: undefined, mode: undefined };
  const source = nodeOf(control, args.device);
  let made: ReturnType<typeof makeBackup> | undefined;
  return {
    nodes: [source],
    async prepare() {
      const target = drive
        ? await driveTarget(control, source, { target: args.target, format, mode })
        : nodeOf(control, undefined, args.target);
      try {
        made = makeBackup(control, args, target, drive, group);
      } finally {
        if (!made) await release(target, false);
      }
    },
    async abort() {
      await made?.job.drop();
    },
    async commit() {
      if (!made) return;
      made.body.freeze();
      made.job.start();
      await release(made.body.target, true);
    },
  };
}

/** Commands that start backups. */
export const BACKUP_COMMANDS: readonly BlockCommand[] = [
  command("blockdev-backup", BlockdevBackup, (c, args) => transact(c.graph, [backupAction(c, args, undefined, false)])),
  command("drive-backup", DriveBackup, (c, args) => transact(c.graph, [backupAction(c, args, undefined, true)])),
];
