/** `mimus img` and `mimus io`. */
import { availableParallelism } from "node:os";

import { runTool as toEnd } from "./commands/run-tool.ts";
import type { Facts } from "./scripts/facts.ts";

/** Runs a tool, and ends the process. */
export async function runTool(name: "img" | "io", argv: readonly string[], facts: Facts): Promise<never> {
  // More threads than processors wait for each other at the file: a copy takes a sixth longer. Read at the pool's first use.
  process.env["UV_THREADPOOL_SIZE"] ??= String(Math.min(4, Math.max(2, availableParallelism())));
  return name === "img"
    ? toEnd(name, facts, async (host) => (await import("./commands/img.ts")).imgCommand(argv, host))
    : toEnd(name, facts, async (host) => (await import("./commands/io.ts")).ioCommand(argv, host));
}
