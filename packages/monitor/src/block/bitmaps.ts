import type { Action, DirtyBitmap } from "@mimus/block";
import { Bitmap, transact } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl } from "./context.ts";
import { command, nodeOf } from "./context.ts";

const named = { node: z.string(), name: z.string() };
const Named = z.strictObject(named);
const Add = z.strictObject({
  ...named,
  granularity: z.number().int().optional(),
  persistent: z.boolean().optional(),
  disabled: z.boolean().optional(),
});
const Merge = z.strictObject({
  node: z.string(),
  target: z.string(),
  bitmaps: z.array(z.union([z.string(), Named])),
});

function find(control: BlockControl, node: string, name: string): DirtyBitmap {
  return control.graph.bitmaps.get(nodeOf(control, node), name);
}

/** Steps of a transaction that are about bitmaps, by the command's name. */
export const BITMAP_ACTIONS: Readonly<Record<string, (control: BlockControl, data: unknown) => Action>> = {
  "block-dirty-bitmap-add"(control, data) {
    const args = Add.parse(data);
    const { bitmaps } = control.graph;
    let made: DirtyBitmap | undefined;
    return {
      async prepare() {
        made = await bitmaps.add(nodeOf(control, args.node), args.name, {
          ...(args.granularity === undefined ? {} : { granularity: args.granularity }),
          ...(args.persistent === undefined ? {} : { persistent: args.persistent }),
          ...(args.disabled === undefined ? {} : { disabled: args.disabled }),
        });
      },
      abort: () => made && bitmaps.forget(made),
    };
  },
  "block-dirty-bitmap-remove"(control, data) {
    const args = Named.parse(data);
    const { bitmaps } = control.graph;
    let gone: DirtyBitmap | undefined;
    return {
      prepare() {
        gone = find(control, args.node, args.name).check({ inconsistent: false });
        bitmaps.forget(gone);
      },
      abort: () => gone && bitmaps.restore(gone),
      async commit() {
        const stored = await gone?.node.image?.bitmaps?.list();
        if (gone?.persistent && stored?.some((b) => b.name === gone?.name))
          await gone.node.image?.bitmaps?.remove(gone.name);
      },
    };
  },
  "block-dirty-bitmap-clear"(control, data) {
    const args = Named.parse(data);
    let undo = (): void => undefined;
    return {
      prepare() {
        const bitmap = find(control, args.node, args.name).check();
        const old = bitmap.swap(new Bitmap(bitmap.bits.size, bitmap.granularity));
        undo = () => void bitmap.swap(old);
      },
      abort: () => undo(),
    };
  },
  "block-dirty-bitmap-enable": (control, data) => switched(control, data, true),
  "block-dirty-bitmap-disable": (control, data) => switched(control, data, false),
  "block-dirty-bitmap-merge"(control, data) {
    const args = Merge.parse(data);
    let undo = (): void => undefined;
    return {
      prepare() {
        const sources = args.bitmaps.map((b) =>
          typeof b === "string" ? find(control, args.node, b) : find(control, b.node, b.name),
        );
        undo = control.graph.bitmaps.merge(find(control, args.node, args.target), sources);
      },
      abort: () => undo(),
    };
  },
};

function switched(control: BlockControl, data: unknown, on: boolean): Action {
  const args = Named.parse(data);
  let undo = (): void => undefined;
  return {
    prepare() {
      const bitmap = find(control, args.node, args.name).check();
      const was = bitmap.enabled;
      bitmap.enabled = on;
      undo = () => void (bitmap.enabled = was);
    },
    abort: () => undo(),
  };
}

function alone<S extends z.ZodObject>(name: string, schema: S): BlockCommand {
  return command(name, schema, async (control, args) => {
    const action = BITMAP_ACTIONS[name]?.(control, args);
    if (action) await transact(control.graph, [action]);
  });
}

/** Commands about dirty bitmaps. */
export const BITMAP_COMMANDS: readonly BlockCommand[] = [
  alone("block-dirty-bitmap-add", Add),
  alone("block-dirty-bitmap-remove", Named),
  alone("block-dirty-bitmap-clear", Named),
  alone("block-dirty-bitmap-enable", Named),
  alone("block-dirty-bitmap-disable", Named),
  alone("block-dirty-bitmap-merge", Merge),
];
