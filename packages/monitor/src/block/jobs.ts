import type { GraphNode, Job } from "@mimus/block";
import { BlockError } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl } from "./context.ts";
import { BACKUP_COMMANDS } from "./backup.ts";
import { command, nodeOf } from "./context.ts";
import { bytes, driveId, driveTarget, flag, jobShape, policy, release, settings, text } from "./job-settings.ts";

/** A node of the chain by node-name or by the file's name. */
function inChain(
  control: BlockControl,
  top: GraphNode,
  node: string | undefined,
  file: string | undefined,
): GraphNode | undefined {
  if (node !== undefined && file !== undefined)
    throw new BlockError(
      "bad-option",
      "'base' and 'base-node' (or 'top' and 'top-node') cannot be specified at the same time",
    );
  if (node !== undefined) return nodeOf(control, undefined, node);
  if (file === undefined) return undefined;
  for (let here: GraphNode | undefined = top; here; here = here.edges.get("backing")?.target ?? here.filtered)
    if (here.filename === file) return here;
  throw new BlockError("not-found", `Can't find '${file}' in the backing chain`);
}

const mirrorShape = {
  ...jobShape,
  device: z.string(),
  target: z.string(),
  replaces: text,
  sync: z.enum(["full", "top", "none", "incremental", "bitmap"]),
  granularity: bytes,
  "buf-size": bytes,
  "on-source-error": policy,
  "on-target-error": policy,
  "copy-mode": z.enum(["background", "write-blocking"]).optional(),
};
const BlockdevMirror = z.strictObject({ ...mirrorShape, "filter-node-name": text });
const DriveMirror = z.strictObject({
  ...mirrorShape,
  format: text,
  "node-name": text,
  mode: z.enum(["existing", "absolute-paths"]).optional(),
  unmap: flag,
});

function makeMirror(
  control: BlockControl,
  args: z.output<typeof BlockdevMirror> & { unmap?: boolean | undefined },
  target: GraphNode,
  releaseTarget: boolean,
): Job {
  const { sync } = args;
  if (sync === "incremental" || sync === "bitmap")
    throw new BlockError("unsupported-feature", `Sync mode '${sync}' not supported`);
  const replaces = args.replaces === undefined ? undefined : nodeOf(control, undefined, args.replaces);
  return control.jobs.mirror(
    nodeOf(control, args.device),
    target,
    {
      sync,
      ...(args.granularity === undefined ? {} : { granularity: args.granularity }),
      ...(args["copy-mode"] === undefined ? {} : { copyMode: args["copy-mode"] }),
      ...(args.unmap === undefined ? {} : { unmap: args.unmap }),
      ...(replaces ? { replaces } : {}),
      releaseTarget,
    },
    settings(args, driveId(control, args.device)),
  );
}

function blockJob(control: BlockControl, device: string): Job {
  const found = control.jobs.list().find((j) => j.id === device && j.options.blockJob !== false);
  if (!found) throw new BlockError("not-found", `Block job '${device}' not found`);
  return found;
}

const byDevice = z.strictObject({ device: z.string() });
const byId = z.strictObject({ id: z.string() });

/** Commands that start jobs. */
const STARTS: readonly BlockCommand[] = [
  command(
    "block-stream",
    z.strictObject({
      ...jobShape,
      device: z.string(),
      base: text,
      "base-node": text,
      "backing-file": text,
      bottom: text,
      "on-error": policy,
      "filter-node-name": text,
    }),
    (control, args) => {
      const top = nodeOf(control, args.device);
      const bottom = args.bottom === undefined ? undefined : nodeOf(control, undefined, args.bottom);
      const base = bottom ? bottom.edges.get("backing")?.target : inChain(control, top, args["base-node"], args.base);
      const options = {
        ...(base ? { base } : {}),
        ...(args["backing-file"] === undefined ? {} : { backingFile: args["backing-file"] }),
      };
      control.jobs.stream(top, options, settings(args, driveId(control, args.device))).start();
    },
  ),
  command(
    "block-commit",
    z.strictObject({
      ...jobShape,
      device: z.string(),
      base: text,
      "base-node": text,
      top: text,
      "top-node": text,
      "backing-file": text,
      "on-error": policy,
      "filter-node-name": text,
    }),
    (control, args) => {
      const active = nodeOf(control, args.device);
      const top = inChain(control, active, args["top-node"], args.top);
      const base = inChain(control, top ?? active, args["base-node"], args.base);
      const how = {
        ...(top ? { top } : {}),
        ...(base ? { base } : {}),
        ...(args["backing-file"] === undefined ? {} : { backingFile: args["backing-file"] }),
      };
      control.jobs.commit(active, how, settings(args, driveId(control, args.device))).start();
    },
  ),
  command("blockdev-mirror", BlockdevMirror, (control, args) => {
    makeMirror(control, args, nodeOf(control, undefined, args.target), false).start();
  }),
  command("drive-mirror", DriveMirror, async (control, args) => {
    const target = await driveTarget(control, nodeOf(control, args.device), args);
    let job: Job | undefined;
    try {
      job = makeMirror(control, args, target, true);
      job.start();
    } finally {
      await release(target, job !== undefined);
    }
  }),
];

/** Commands that steer jobs. */
const VERBS: readonly BlockCommand[] = [
  command("block-job-set-speed", z.strictObject({ device: z.string(), speed: z.number().int() }), (c, args) => {
    blockJob(c, args.device).setSpeed(args.speed);
  }),
  command("block-job-cancel", z.strictObject({ device: z.string(), force: flag }), (c, args) => {
    const job = blockJob(c, args.device);
    if (job.userPaused && !args.force)
      throw new BlockError("bad-option", `The block job for device '${args.device}' is currently paused`);
    job.cancel(args.force ?? false);
  }),
  command("block-job-pause", byDevice, (c, args) => blockJob(c, args.device).pause()),
  command("block-job-resume", byDevice, (c, args) => blockJob(c, args.device).resume()),
  command("block-job-complete", byDevice, (c, args) => blockJob(c, args.device).complete()),
  command("block-job-dismiss", byId, (c, args) => blockJob(c, args.id).dismiss()),
  command("block-job-finalize", byId, async (c, args) => blockJob(c, args.id).finalize()),
  command("job-pause", byId, (c, args) => c.jobs.get(args.id).pause()),
  command("job-resume", byId, (c, args) => c.jobs.get(args.id).resume()),
  command("job-cancel", byId, (c, args) => c.jobs.get(args.id).cancel(true)),
  command("job-complete", byId, (c, args) => c.jobs.get(args.id).complete()),
  command("job-dismiss", byId, (c, args) => c.jobs.get(args.id).dismiss()),
  command("job-finalize", byId, async (c, args) => c.jobs.get(args.id).finalize()),
  command("query-jobs", z.strictObject({}), (c) =>
    c.jobs.list().map((j) => ({
      "current-progress": j.current,
      status: j.status,
      "total-progress": j.total,
      type: j.type,
      id: j.id,
      ...(j.error ? { error: j.error.message } : {}),
    })),
  ),
  command("query-block-jobs", z.strictObject({}), (c) =>
    c.jobs
      .list()
      .filter((j) => j.options.blockJob !== false)
      .map((j) => ({
        "auto-finalize": j.options.autoFinalize ?? true,
        "io-status": j.ioStatus,
        device: j.id,
        "auto-dismiss": j.options.autoDismiss ?? true,
        busy: j.busy,
        len: j.total,
        offset: j.current,
        status: j.status,
        paused: j.paused,
        speed: j.speed,
        ready: j.isReady,
        type: j.type,
        ...(j.error ? { error: j.error.message } : {}),
      })),
  ),
];

/** Commands about jobs. */
export const JOB_COMMANDS: readonly BlockCommand[] = [...STARTS, ...BACKUP_COMMANDS, ...VERBS];
