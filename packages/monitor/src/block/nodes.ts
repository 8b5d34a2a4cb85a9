import type { GraphNode } from "@mimus/block";
import { backingOf, BlockError, chainOf, parseLimits } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand } from "./context.ts";
import { command, nodeOf, placeOf } from "./context.ts";

const number = z.number().int().nonnegative();
const throttleKeys: Record<string, z.ZodType<number | undefined>> = {};
for (const unit of ["bps", "iops"])
  for (const way of ["", "_rd", "_wr"])
    for (const tail of ["", "_max", "_max_length"]) throttleKeys[`${unit}${way}${tail}`] = number.optional();

/** "iops_rd_max" = "iops-read-max". */
function modern(key: string): string {
  const [unit = "", ...rest] = key.split("_");
  const way = rest[0] === "rd" ? "read" : rest[0] === "wr" ? "write" : "total";
  return [unit, way, ...(way === "total" ? rest : rest.slice(1))].join("-");
}

/** Options of a create job: `file` and the format's own; QMP writes "-" where `-o` writes "_". */
function createOptions(options: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    const name =
      key === "backing-file" ? "backing_file" : key === "backing-fmt" ? "backing_fmt" : key.replaceAll("-", "_");
    out[name] = typeof value === "boolean" ? (value ? "on" : "off") : value;
  }
  return out;
}

/** Commands about nodes and drives. */
export const NODE_COMMANDS: readonly BlockCommand[] = [
  command("blockdev-add", z.looseObject({ driver: z.string() }), async ({ graph }, options) => {
    if (options["node-name"] === undefined)
      throw new BlockError("bad-option", "'node-name' must be specified for the root node");
    const node = await graph.open(options, { use: "device" });
    await graph.bitmaps.load(node);
  }),
  command("blockdev-del", z.strictObject({ "node-name": z.string() }), async (control, args) => {
    const { graph } = control;
    let node: GraphNode;
    try {
      node = graph.node(args["node-name"]);
    } catch {
      throw new BlockError("not-found", `Failed to find node with node-name='${args["node-name"]}'`);
    }
    for (const b of graph.backends())
      if (b.node === node && b.owner !== undefined) throw new BlockError("in-use", `Node ${node.name} is in use`);
    if (!node.monitor) throw new BlockError("bad-option", `Node ${node.name} is not owned by the monitor`);
    if (node.parents.size > 0 || node.holds.size > 0)
      throw new BlockError("in-use", `Block device ${node.name} is in use`);
    await graph.close(node.name);
  }),
  command(
    "blockdev-reopen",
    z.strictObject({ options: z.array(z.looseObject({})) }),
    async ({ graph }, { options }) => {
      await graph.reopen(options);
    },
  ),
  command(
    "blockdev-create",
    z.strictObject({ "job-id": z.string(), options: z.looseObject({ driver: z.string() }) }),
    ({ graph, jobs }, args) => {
      const { driver, file, filename, size, ...options } = args.options;
      const work = async (): Promise<void> => {
        const bytes = typeof size === "number" ? size : undefined;
        if (typeof filename === "string" && driver === "file")
          return graph.create("raw", filename, bytes, createOptions(options));
        if (typeof file !== "string") throw new BlockError("bad-option", "Parameter 'file' is missing");
        return graph.createOn(driver, graph.node(file), bytes, createOptions(options));
      };
      jobs.create(work, { id: args["job-id"], autoDismiss: false }).start();
    },
  ),
  command(
    "x-blockdev-amend",
    z.strictObject({
      "job-id": z.string(),
      "node-name": z.string(),
      options: z.looseObject({ driver: z.string() }),
      force: z.boolean().optional(),
    }),
    ({ graph, jobs }, args) => {
      const node = graph.node(args["node-name"]);
      const { driver, ...options } = args.options;
      const { amend } = node.image ?? {};
      if (driver !== node.driver)
        throw new BlockError("bad-option", "x-blockdev-amend doesn't support changing the block driver");
      if (!amend) throw new BlockError("unsupported-feature", `Driver '${driver}' does not support x-blockdev-amend`);
      const work = (): Promise<void> => amend.call(node.image, createOptions(options));
      jobs.create(work, { id: args["job-id"], autoDismiss: false, nodes: [node], type: "amend" }).start();
    },
  ),
  command(
    "change-backing-file",
    z.strictObject({ device: z.string(), "image-node-name": z.string(), "backing-file": z.string() }),
    async (control, args) => {
      const top = nodeOf(control, args.device);
      const node = nodeOf(control, undefined, args["image-node-name"]);
      if (!chainOf(top).includes(node))
        throw new BlockError("bad-option", `'${node.name}' is not in the chain of '${args.device}'`);
      const below = backingOf(node);
      const { changeBacking } = node.image ?? {};
      if (!changeBacking || !below)
        throw new BlockError("unsupported-feature", `'${node.name}' has no backing file that can be changed`);
      const was = node.readOnly;
      if (was) await node.reopen({ readOnly: false });
      try {
        await changeBacking.call(node.image, args["backing-file"], below.driver);
      } finally {
        if (was) await node.reopen({ readOnly: true });
      }
    },
  ),
  command(
    "block_resize",
    z.strictObject({ device: z.string().optional(), "node-name": z.string().optional(), size: z.number().int() }),
    async (control, args) => {
      if (args.size < 0) throw new BlockError("bad-option", "Parameter 'size' expects a >0 size");
      const node = nodeOf(control, args.device, args["node-name"]);
      const backend = [...control.graph.backends()].find((b) => b.node === node);
      if (backend) return backend.resize(args.size);
      return node.resize ? node.resize(args.size) : node.refuse("resize");
    },
  ),
  command(
    "block_set_io_throttle",
    z.strictObject({
      device: z.string().optional(),
      id: z.string().optional(),
      iops_size: number.optional(),
      group: z.string().optional(),
      ...throttleKeys,
    }),
    (control, args) => {
      const { device, id, group, ...limits } = args as Record<string, unknown>;
      const [backend] = placeOf(control, { device: device as string | undefined, id: id as string | undefined });
      if (!backend.node) throw new BlockError("not-found", `Device '${backend.id}' has no medium`);
      const given: Record<string, unknown> = {};
      for (const [key, value] of Object.entries(limits))
        given[key === "iops_size" ? "iops-size" : modern(key)] =
          value === 0 && key.endsWith("_length") ? undefined : value;
      const parsed = parseLimits(given, (key) => key);
      control.graph.setThrottle(
        backend,
        parsed,
        typeof group === "string" ? group : (backend.throttle?.name ?? backend.id),
      );
    },
  ),
];
