import type { Action } from "@mimus/block";
import { BlockError, nameOf, snapshotAction, snapshotJson, transact } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl } from "./context.ts";
import { command, nodeOf } from "./context.ts";

const Snapshot = z.strictObject({ node: z.string(), overlay: z.string() });
const SnapshotSync = z.strictObject({
  device: z.string().optional(),
  "node-name": z.string().optional(),
  "snapshot-file": z.string(),
  "snapshot-node-name": z.string().optional(),
  format: z.string().optional(),
  mode: z.enum(["existing", "absolute-paths"]).optional(),
});
const InternalSnapshot = z.strictObject({ device: z.string(), name: z.string() });
const DeleteInternal = z.strictObject({
  device: z.string(),
  id: z.string().optional(),
  name: z.string().optional(),
});

/** Puts an open node over another. */
export function snapshot(control: BlockControl, data: unknown): Action {
  const args = Snapshot.parse(data);
  const node = nodeOf(control, args.node);
  return snapshotAction(control.graph, node, async () => nodeOf(control, undefined, args.overlay));
}

/** Puts a new image over a node. */
export function snapshotSync(control: BlockControl, data: unknown): Action {
  const args = SnapshotSync.parse(data);
  const { graph } = control;
  const node = nodeOf(control, args.device, args["node-name"]);
  const format = args.format ?? "qcow2";
  const name = args["snapshot-node-name"];
  if (args["node-name"] !== undefined && name === undefined)
    throw new BlockError("bad-option", "New overlay node-name missing");
  const action = snapshotAction(graph, node, async () => {
    if (args.mode !== "existing") {
      const below = { backing_file: nameOf(node), backing_fmt: node.driver };
      await graph.create(format, args["snapshot-file"], node.size, below, { unsafeBacking: true });
    }
    const overlay = await graph.openFile(args["snapshot-file"], {
      driver: format,
      backing: null,
      ...(name === undefined ? {} : { "node-name": name }),
      discard: node.options.discard,
      "detect-zeroes": node.options.detectZeroes,
    });
    overlay.monitor = false;
    opened.push(overlay);
    return overlay;
  });
  const opened: Awaited<ReturnType<typeof graph.openFile>>[] = [];
  const close = async (): Promise<void> => {
    for (const overlay of opened) await overlay.closeUnheld();
  };
  return {
    ...action,
    async prepare() {
      try {
        await action.prepare();
      } catch (e) {
        await close();
        throw e;
      }
    },
    async abort() {
      await action.abort?.();
      await close();
    },
  };
}

/** A snapshot inside the image, of the disk alone. */
export function internalSnapshot(control: BlockControl, data: unknown): Action {
  const args = InternalSnapshot.parse(data);
  const node = nodeOf(control, args.device);
  const { snapshots } = node.image ?? {};
  let made: string | undefined;
  return {
    nodes: [node],
    async prepare() {
      if (args.name === "") throw new BlockError("bad-option", "Name is empty");
      if (!snapshots)
        throw new BlockError(
          "unsupported-feature",
          `Block format '${node.driver}' used by device '${args.device}' does not support internal snapshots`,
        );
      if ((await snapshots.list()).some((s) => s.name === args.name))
        throw new BlockError("in-use", `Snapshot with name '${args.name}' already exists on device '${args.device}'`);
      const now = control.graph.host.format?.now?.() ?? 0;
      const dateSec = Math.floor(now / 1000);
      const dateNsec = (now % 1000) * 1e6;
      const info = await snapshots.create({ name: args.name, vmStateSize: 0, dateSec, dateNsec, vmClockNs: 0 });
      made = info.id;
    },
    async abort() {
      if (made !== undefined) await snapshots?.delete(made);
    },
  };
}

/** Deletes a snapshot inside the image. @returns its `SnapshotInfo` */
async function deleteInternal(control: BlockControl, args: z.output<typeof DeleteInternal>): Promise<unknown> {
  const node = nodeOf(control, args.device);
  const list = (await node.image?.snapshots?.list()) ?? [];
  if (args.id === undefined && args.name === undefined)
    throw new BlockError("bad-option", "Name or id must be provided");
  const found = list.find(
    (s) => (args.id === undefined || s.id === args.id) && (args.name === undefined || s.name === args.name),
  );
  if (!found)
    throw new BlockError(
      "not-found",
      `Snapshot with id '${args.id ?? "(null)"}' and name '${args.name ?? "(null)"}' does not exist on device '${args.device}'`,
    );
  await node.image?.snapshots?.delete(found.id);
  return snapshotJson(found);
}

/** Commands about snapshots. */
export const SNAPSHOT_COMMANDS: readonly BlockCommand[] = [
  command("blockdev-snapshot", Snapshot, (c, args) => transact(c.graph, [snapshot(c, args)])),
  command("blockdev-snapshot-sync", SnapshotSync, (c, args) => transact(c.graph, [snapshotSync(c, args)])),
  command("blockdev-snapshot-internal-sync", InternalSnapshot, (c, args) =>
    transact(c.graph, [internalSnapshot(c, args)]),
  ),
  command("blockdev-snapshot-delete-internal-sync", DeleteInternal, deleteInternal),
];
