import type { BlockGraph, GraphNode, JobGroup, JobSettings, OnError } from "@mimus/block";
import { z } from "zod";
import type { BlockControl } from "./context.ts";

/** What to do after an error. */
export const policy: z.ZodOptional<z.ZodType<OnError>> = z
  .enum(["report", "ignore", "enospc", "stop", "auto"])
  .optional();
export const bytes: z.ZodOptional<z.ZodNumber> = z.number().int().nonnegative().optional();
export const text: z.ZodOptional<z.ZodString> = z.string().optional();
export const flag: z.ZodOptional<z.ZodBoolean> = z.boolean().optional();

/** Arguments that all commands have that start a job. */
export const jobShape: {
  readonly "job-id": z.ZodOptional<z.ZodString>;
  readonly speed: z.ZodOptional<z.ZodNumber>;
  readonly "auto-finalize": z.ZodOptional<z.ZodBoolean>;
  readonly "auto-dismiss": z.ZodOptional<z.ZodBoolean>;
} = { "job-id": text, speed: bytes, "auto-finalize": flag, "auto-dismiss": flag };

/** The same as values. */
export interface JobArguments {
  readonly "job-id"?: string | undefined;
  readonly speed?: number | undefined;
  readonly "auto-finalize"?: boolean | undefined;
  readonly "auto-dismiss"?: boolean | undefined;
  readonly "on-error"?: OnError | undefined;
  readonly "on-source-error"?: OnError | undefined;
  readonly "on-target-error"?: OnError | undefined;
}

/** Settings of a job from a command's arguments. `device`: what the job is called when it has no id. */
export function settings(args: JobArguments, device: string | undefined, group?: JobGroup): JobSettings {
  const source = args["on-source-error"] ?? args["on-error"];
  const target = args["on-target-error"] ?? args["on-error"];
  return {
    ...(args["job-id"] === undefined ? {} : { id: args["job-id"] }),
    ...(device === undefined ? {} : { device }),
    ...(args.speed === undefined ? {} : { speed: args.speed }),
    ...(args["auto-finalize"] === undefined ? {} : { autoFinalize: args["auto-finalize"] }),
    ...(args["auto-dismiss"] === undefined ? {} : { autoDismiss: args["auto-dismiss"] }),
    ...(source === undefined ? {} : { onSourceError: source }),
    ...(target === undefined ? {} : { onTargetError: target }),
    ...(group ? { group } : {}),
  };
}

/** The drive's id when `device` names a drive: jobs are called after drives, not after nodes. */
export function driveId({ graph }: BlockControl, device: string): string | undefined {
  for (const b of graph.backends()) if (b.id === device && !hasNode(graph, device)) return device;
  return undefined;
}
function hasNode(graph: BlockGraph, name: string): boolean {
  for (const n of graph.nodes()) if (n.name === name) return true;
  return false;
}

/** Opens (and makes, unless it exists) the target of a drive-* command; it is held until {@link release}. */
export async function driveTarget(
  control: BlockControl,
  source: GraphNode,
  args: {
    readonly target: string;
    readonly format?: string | undefined;
    readonly mode?: string | undefined;
    readonly "node-name"?: string | undefined;
  },
): Promise<GraphNode> {
  const { graph } = control;
  const existing = args.mode === "existing";
  const format = args.format ?? (existing ? undefined : source.driver);
  if (!existing) await graph.create(format ?? "raw", args.target, source.size);
  const node = await graph.openFile(args.target, {
    ...(format === undefined ? {} : { driver: format }),
    ...(args["node-name"] === undefined ? {} : { "node-name": args["node-name"] }),
    discard: "unmap",
  });
  node.monitor = false;
  node.holds.add(NEW);
  return node;
}

const NEW = "a new job";

/** Lets go of a target that a job has taken over; one that no job has (`taken` false) closes. */
export async function release(target: GraphNode, taken: boolean): Promise<void> {
  if (target.holds.delete(NEW) && !taken) await target.closeUnheld();
}
