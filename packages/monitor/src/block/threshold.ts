import type { GraphNode, WriteHook } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl } from "./context.ts";
import { command, nodeOf } from "./context.ts";

const thresholds: WeakMap<GraphNode, Threshold> = new WeakMap();

/** Tells once that a node is written beyond an offset. */
class Threshold implements WriteHook {
  readonly bytes: number;
  readonly #node: GraphNode;
  readonly #emit: BlockControl["emit"];

  constructor(node: GraphNode, bytes: number, emit: BlockControl["emit"]) {
    this.#node = node;
    this.bytes = bytes;
    this.#emit = emit;
    node.hooks.add(this);
    thresholds.set(node, this);
  }
  after(at: number, length: number): void {
    if (at + length <= this.bytes) return;
    this.stop();
    this.#emit?.("BLOCK_WRITE_THRESHOLD", {
      "node-name": this.#node.name,
      "amount-exceeded": at + length - this.bytes,
      "write-threshold": this.bytes,
    });
  }
  stop(): void {
    this.#node.hooks.delete(this);
    thresholds.delete(this.#node);
  }
}

/** The offset that is watched; 0 = none. */
export function writeThreshold(node: GraphNode): number {
  return thresholds.get(node)?.bytes ?? 0;
}

/** Commands about thresholds. */
export const THRESHOLD_COMMANDS: readonly BlockCommand[] = [
  command(
    "block-set-write-threshold",
    z.strictObject({ "node-name": z.string(), "write-threshold": z.number().int().nonnegative() }),
    (control, args) => {
      const node = nodeOf(control, undefined, args["node-name"]);
      thresholds.get(node)?.stop();
      if (args["write-threshold"] > 0)
        new Threshold(node, args["write-threshold"], (name, data) => control.emit?.(name, data));
    },
  ),
];
