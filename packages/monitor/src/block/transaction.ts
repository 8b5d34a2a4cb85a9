import type { Action } from "@mimus/block";
import { BlockError, JobGroup, transact } from "@mimus/block";
import { z } from "zod";
import { backupAction } from "./backup.ts";
import { BITMAP_ACTIONS } from "./bitmaps.ts";
import type { BlockCommand, BlockControl } from "./context.ts";
import { command } from "./context.ts";
import { internalSnapshot, snapshot, snapshotSync } from "./snapshots.ts";

type Maker = (control: BlockControl, data: unknown, group: JobGroup | undefined) => Action;

const ACTIONS: Readonly<Record<string, Maker>> = {
  ...BITMAP_ACTIONS,
  abort: () => ({
    prepare() {
      throw new BlockError("bad-option", "Transaction aborted using Abort action");
    },
  }),
  "blockdev-snapshot": snapshot,
  "blockdev-snapshot-sync": snapshotSync,
  "blockdev-snapshot-internal-sync": internalSnapshot,
  "blockdev-backup": (control, data, group) => backupAction(control, data, group, false),
  "drive-backup": (control, data, group) => backupAction(control, data, group, true),
};

/** An action that is made only when it is its turn: nodes that an earlier one makes are found then. */
function late(control: BlockControl, type: string, data: unknown, group: JobGroup | undefined): Action {
  const make = ACTIONS[type];
  if (!make) throw new BlockError("bad-option", `Parameter 'type' does not accept value '${type}'`);
  try {
    return make(control, data, group);
  } catch (e) {
    if (e instanceof BlockError) {
      return {
        prepare() {
          throw e;
        },
      };
    }
    if (e instanceof z.ZodError)
      throw new BlockError("bad-option", `Invalid parameter '${e.issues[0]?.path.join(".") ?? ""}' of '${type}'`);
    throw e;
  }
}

/** Commands that change the graph at one moment. */
export const TRANSACTION_COMMANDS: readonly BlockCommand[] = [
  command(
    "transaction",
    z.strictObject({
      actions: z.array(z.strictObject({ type: z.string(), data: z.looseObject({}).default({}) })),
      properties: z.strictObject({ "completion-mode": z.enum(["individual", "grouped"]).optional() }).optional(),
    }),
    async (control, { actions, properties }) => {
      const group = properties?.["completion-mode"] === "grouped" ? new JobGroup() : undefined;
      await transact(
        control.graph,
        actions.map((a) => late(control, a.type, a.data, group)),
      );
    },
  ),
];
