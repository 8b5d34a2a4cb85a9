import type { BlockGraph } from "./graph.ts";
import type { GraphNode } from "./graph-node.ts";

/** One step of a transaction. `prepare` may fail; what the others do may not. */
export interface Action {
  /** Nodes that must be quiet while the transaction is made. */
  readonly nodes?: readonly GraphNode[];
  /** Does what may fail; what it throws ends the transaction. */
  prepare(): Promise<void> | void;
  /** Makes it last, after every `prepare` has succeeded. */
  commit?(): Promise<void> | void;
  /** Takes back what `prepare` did; called only when that has succeeded. */
  abort?(): Promise<void> | void;
}

/** Does all actions at one moment, or none. @throws what the first failing `prepare` threw */
export async function transact(graph: BlockGraph, actions: readonly Action[]): Promise<void> {
  const nodes = [...new Set(actions.flatMap((a) => a.nodes ?? []))];
  await graph.drained(nodes, async () => {
    const done: Action[] = [];
    try {
      for (const action of actions) {
        await action.prepare();
        done.push(action);
      }
    } catch (e) {
      for (const action of done.toReversed()) await action.abort?.();
      throw e;
    }
    for (const action of actions) await action.commit?.();
  });
}
