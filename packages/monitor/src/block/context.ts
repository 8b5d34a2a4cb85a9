import type { BlockBackend, BlockGraph, GraphNode, Jobs, SnapshotInfo } from "@mimus/block";
import { BlockError } from "@mimus/block";
import { complaint } from "@mimus/qom";
import type { z } from "zod";

/** What the block commands work on. A machine and a storage daemon give one each. */
export interface BlockControl {
  readonly graph: BlockGraph;
  readonly jobs: Jobs;
  /** Bytes that a file of the host takes on its disk; absent = replies leave it out. */
  allocated?(path: string): Promise<number | undefined>;
  /** Tells clients of an event. */
  emit?(name: string, data: Readonly<Record<string, unknown>>): void;
  /** Commands that the process has besides: exports. */
  readonly commands?: ReadonlyMap<string, BlockCommand>;
  /** How images are told to people; loaded when it is asked for. Absent = `info block -v` and `info snapshots` say less. */
  texts?(): Promise<ImageTexts>;
  /** Devices that hold drives, by the drive's id: trays and what QMP calls `qdev`. */
  device?(id: string): BlockDevice | undefined;
}

/** Images as `mimus img info` and `snapshot -l` show them. */
export interface ImageTexts {
  /** From `ImageInfo` as QMP has it. */
  image(about: Readonly<Record<string, unknown>>): string;
  snapshots(list: readonly SnapshotInfo[]): string;
}

/** A device with a drive, as the block commands see it. */
export interface BlockDevice {
  /** QOM path or id. */
  readonly qdev: string;
  /** Its medium can be changed. */
  readonly removable: boolean;
  /** The guest has locked the tray. */
  readonly locked?: boolean;
  readonly trayOpen?: boolean;
  /** Opens or closes the tray; the guest is told. */
  setTray?(open: boolean): void;
  /** Asks the guest to let the medium go. */
  requestEject?(): void;
  /** The medium has changed. */
  changed?(): void;
}

/** One QMP command about disks. Replies as in QEMU 7.2's schema; the empty object when it has nothing to say. */
export interface BlockCommand {
  /** As QMP has it. */
  readonly name: string;
  /** Its arguments. */
  readonly schema: z.ZodObject;
  run(control: BlockControl, args: unknown): Promise<unknown>;
}

/** Arguments of a command as `schema` has them. @throws BlockError "bad-option" in QMP's words */
export function checkArguments<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === "unrecognized_keys")
    throw new BlockError("bad-option", `Parameter '${issue.keys[0] ?? ""}' is unexpected`);
  const where = issue?.path.join(".") ?? "";
  const missing = issue?.code === "invalid_type" && /undefined/.test(issue.message);
  throw new BlockError(
    "bad-option",
    missing
      ? `Parameter '${where}' is missing`
      : `Invalid parameter '${where}': ${issue === undefined ? "invalid" : complaint(issue)}`,
  );
}

/** Declares a command whose arguments `schema` checks. */
export function command<S extends z.ZodObject>(
  name: string,
  schema: S,
  run: (control: BlockControl, args: z.output<S>) => Promise<unknown> | unknown,
): BlockCommand {
  return {
    name,
    schema,
    async run(control, args) {
      return (await run(control, checkArguments(schema, args ?? {}))) ?? {};
    },
  };
}

/** The drive of this id. @throws BlockError "not-found" as QMP words it */
export function driveOf({ graph }: BlockControl, id: string): BlockBackend {
  for (const b of graph.backends()) if (b.id === id) return b;
  throw new BlockError("not-found", `Device '${id}' not found`);
}

/** Where the devices are that have an id. */
const PERIPHERAL = "/machine/peripheral/";

/**
 * The drive that `device` (a drive) or `id` (a device: its id, its QOM path or that of the part of it that has the drive) means, and
 * its device. @throws BlockError "not-found"
 */
export function placeOf(
  control: BlockControl,
  args: { device?: string | undefined; id?: string | undefined },
): [BlockBackend, BlockDevice | undefined] {
  const { id } = args;
  if (id === undefined) {
    const backend = driveOf(control, args.device ?? "");
    return [backend, control.device?.(backend.id)];
  }
  const path = PERIPHERAL + id;
  for (const b of control.graph.backends()) {
    const device = control.device?.(b.id);
    const names = [b.id, b.owner, device?.qdev];
    if (names.includes(id) || names.includes(path) || names.includes(`${path}/virtio-backend`)) return [b, device];
  }
  throw new BlockError("not-found", `Device '${id}' not found`);
}

/** The node that `device` (a drive's id or a node-name) means. @throws BlockError "not-found" */
export function nodeOf({ graph }: BlockControl, device: string | undefined, nodeName?: string): GraphNode {
  if (nodeName !== undefined) {
    if (device !== undefined) throw new BlockError("bad-option", "Need exactly one of 'device' and 'node-name'");
    for (const node of graph.nodes()) if (node.name === nodeName) return node;
  }
  if (device !== undefined) {
    for (const b of graph.backends()) {
      if (b.id !== device) continue;
      if (!b.node) throw new BlockError("not-found", `Device '${device}' has no medium`);
      return graph.node(b.node.name);
    }
    for (const node of graph.nodes()) if (node.name === device) return node;
  }
  throw new BlockError("not-found", `Cannot find device='${device ?? ""}' nor node-name='${nodeName ?? ""}'`);
}

/** The drive that holds a node, when there is one. */
export function backendOf({ graph }: BlockControl, node: GraphNode): BlockBackend | undefined {
  for (const b of graph.backends()) if (b.node === node) return b;
  return undefined;
}
