import type { BlockNode, SnapshotOps } from "@mimus/block";
import type { Arguments } from "../arguments.ts";
import { snapshotList } from "../describe-image.ts";
import { messageOf, ToolError, usage } from "../errors.ts";
import type { Tools } from "../tools.ts";
import { oneName, openGiven } from "./given.ts";

const ACTIONS = ["l", "a", "c", "d"];

/** `snapshot`: lists, makes, applies and deletes snapshots inside an image. */
export async function snapshot(args: Arguments, tools: Tools): Promise<number> {
  const wanted = args.given.filter(([name]) => ACTIONS.includes(name));
  if (wanted.length > 1) throw usage("Cannot mix '-l', '-a', '-c', '-d'");
  const name = oneName(args);
  const [action = "", which = ""] = wanted[0] ?? [];
  const list = action === "l" || action === "";
  const node = await openGiven(args, tools, name, { writable: !list });
  const { snapshots } = node.image ?? {};
  if (action === "l") await show(snapshots, tools);
  else if (action === "c") await make(node, snapshots, which, tools);
  else if (action === "a") await apply(snapshots, which);
  else if (action === "d") await remove(snapshots, which);
  return 0;
}

async function show(snapshots: SnapshotOps | undefined, tools: Tools): Promise<void> {
  const list = (await snapshots?.list()) ?? [];
  if (list.length > 0) tools.host.out(`Snapshot list:\n${snapshotList(list)}`);
}

async function make(node: BlockNode, snapshots: SnapshotOps | undefined, name: string, tools: Tools): Promise<void> {
  if (snapshots === undefined)
    throw new ToolError(`Could not create snapshot '${name}': -95 (Operation not supported)`);
  const ms = tools.host.format.now();
  const info = {
    name,
    vmStateSize: 0,
    dateSec: Math.floor(ms / 1000),
    dateNsec: (ms % 1000) * 1e6,
    vmClockNs: 0,
    icount: 0,
    diskSize: node.size,
  };
  await snapshots.create({ ...info, dateNsec: Math.floor(info.dateNsec) }).catch((e: unknown) => {
    throw new ToolError(`Could not create snapshot '${name}': ${messageOf(e)}`, { cause: e });
  });
}

async function apply(snapshots: SnapshotOps | undefined, which: string): Promise<void> {
  if (snapshots === undefined)
    throw new ToolError(`Could not apply snapshot '${which}': Block driver does not support snapshots`);
  if (!(await knows(snapshots, which)))
    throw new ToolError(`Could not apply snapshot '${which}': Failed to load snapshot: No such file or directory`);
  await snapshots.apply(which).catch((e: unknown) => {
    throw new ToolError(`Could not apply snapshot '${which}': ${messageOf(e)}`, { cause: e });
  });
}

async function remove(snapshots: SnapshotOps | undefined, which: string): Promise<void> {
  if (snapshots === undefined || !(await knows(snapshots, which)))
    throw new ToolError(`Could not delete snapshot '${which}': snapshot not found`);
  await snapshots.delete(which).catch((e: unknown) => {
    throw new ToolError(`Could not delete snapshot '${which}': ${messageOf(e)}`, { cause: e });
  });
}

async function knows(snapshots: SnapshotOps, which: string): Promise<boolean> {
  return (await snapshots.list()).some((s) => s.id === which || s.name === which);
}
