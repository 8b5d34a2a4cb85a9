import { skipFilters } from "./chain.ts";
import { Edge } from "./edge.ts";
import { BlockError } from "./errors.ts";
import type { BlockGraph } from "./graph.ts";
import type { GraphNode, NodeOptions } from "./graph-node.ts";
import { ownOptions, parseCommon } from "./node-options.ts";
import { nest } from "./options.ts";
import type { Action } from "./transaction.ts";
import { transact } from "./transaction.ts";

/** See {@link BlockGraph.reopen}. */
export async function reopenNodes(
  graph: BlockGraph,
  list: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const actions: Action[] = [];
  for (const flat of list) {
    const options = nest(flat);
    const name = options["node-name"];
    if (typeof name !== "string") throw new BlockError("bad-option", "node-name not specified");
    const node = graph.node(name);
    sameOwnOptions(node, options);
    actions.push(reopenAction(graph, node, options));
  }
  await transact(graph, actions);
}

function reopenAction(graph: BlockGraph, node: GraphNode, options: Record<string, unknown>): Action {
  const common = parseCommon(options, node.name);
  const old: NodeOptions = node.options;
  const undo: (() => Promise<void> | void)[] = [];
  const finish: (() => Promise<void>)[] = [];
  const back = async (): Promise<void> => {
    for (const step of undo.toReversed()) await step();
  };
  return {
    nodes: [node],
    async prepare() {
      try {
        if (common["read-only"] !== node.readOnly) {
          await node.reopen({ readOnly: common["read-only"] });
          undo.push(() => node.reopen({ readOnly: old.readOnly }));
        }
        const { direct } = common.cache;
        if (direct !== (old.direct ?? false)) {
          // Also when only some of the files below have changed.
          undo.push(() => node.setDirect(!direct).catch(() => undefined));
          await node.setDirect(direct);
        }
        node.options = {
          readOnly: node.readOnly,
          discard: common.discard,
          detectZeroes: common["detect-zeroes"],
          noFlush: common.cache["no-flush"],
          direct,
        };
        undo.push(() => void (node.options = old));
        for (const role of ["file", "backing"]) {
          const step = await child(graph, node, role, options[role]);
          if (!step) continue;
          undo.push(step.undo);
          finish.push(step.finish);
        }
      } catch (e) {
        await back();
        throw e;
      }
    },
    abort: back,
    async commit() {
      node.given = options;
      for (const step of finish) await step();
    },
  };
}

/** Another node in the place of a child; undefined = stays as it is. */
async function child(
  graph: BlockGraph,
  node: GraphNode,
  role: string,
  wanted: unknown,
): Promise<{ undo: () => Promise<void> | void; finish: () => Promise<void> } | undefined> {
  const edge = node.edges.get(role);
  const now = edge?.target;
  if (wanted === undefined || (typeof wanted === "object" && wanted !== null)) {
    if (role === "backing" && wanted === undefined && now && typeof node.given["backing"] === "string")
      throw new BlockError("bad-option", "backing is missing for '" + node.name + "'");
    return undefined;
  }
  const target = typeof wanted === "string" && wanted !== "" ? graph.node(wanted) : undefined;
  if (target === now) return undefined;
  if (target && reaches(target, node))
    throw new BlockError(
      "bad-option",
      `Making '${target.name}' a ${role} child of '${node.name}' would create a cycle`,
    );
  if (edge && target) {
    edge.retarget(target);
    return { undo: () => edge.retarget(now as GraphNode), finish: async () => now?.closeUnheld() };
  }
  if (role === "file") throw new BlockError("bad-option", `'${node.name}' needs 'file'`);
  const image = skipFilters(node);
  if (!image.setBacking)
    throw new BlockError(
      "unsupported-feature",
      `Driver '${node.driver}' of node '${node.name}' does not support backing files`,
    );
  if (target) {
    const made = new Edge("backing", target);
    made.parent = image;
    image.setBacking(made);
    return {
      undo: async () => {
        image.setBacking?.(undefined);
        await made.close();
      },
      finish: async () => undefined,
    };
  }
  image.setBacking(undefined);
  image.edges.delete("backing");
  return {
    undo: () => {
      if (!edge) return;
      edge.parent = image;
      image.setBacking?.(edge);
    },
    finish: async () => edge?.close(),
  };
}

function reaches(from: GraphNode, to: GraphNode): boolean {
  return from === to || [...from.edges.values()].some((e) => reaches(e.target, to));
}

/** Options of the driver itself cannot change while it is open. */
function sameOwnOptions(node: GraphNode, options: Record<string, unknown>): void {
  const [was, now] = [ownOptions(node.given), ownOptions(options)];
  if (options["driver"] !== undefined && options["driver"] !== node.driver)
    throw new BlockError("bad-option", "Cannot change the option 'driver'");
  for (const key of new Set([...Object.keys(was), ...Object.keys(now)])) {
    if (node.edges.has(key)) continue;
    if (String(was[key]) !== String(now[key])) throw new BlockError("bad-option", `Cannot change the option '${key}'`);
  }
}
