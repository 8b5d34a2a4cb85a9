/**
 * `mimus img` and `mimus io`, built into one file with the packages that every format imports, so that they start soon:
 * share-built.ts gives formats this module in place of those. The default export is the plugin of `@mimus/block`.
 */
export * from "@mimus/block";
export { default } from "@mimus/block";
export * from "@mimus/qom";

import { availableParallelism } from "node:os";

import { runTool } from "./commands/run-tool.ts";

// More threads than processors wait for each other at the file: a copy takes a sixth longer. Read at the pool's first use.
process.env["UV_THREADPOOL_SIZE"] ??= String(Math.min(4, Math.max(2, availableParallelism())));

const [, name = ""] = /^(?:qemu-|mimus-)?(img|io)$/.exec(process.argv[2] ?? "") ?? [];
const argv = process.argv.slice(3);
// Formats import this module: it must have ended before the first of them is looked for.
queueMicrotask(
  () =>
    void (name === "img"
      ? runTool(name, async (host) => (await import("./commands/img.ts")).imgCommand(argv, host))
      : runTool(name, async (host) => (await import("./commands/io.ts")).ioCommand(argv, host))),
);
