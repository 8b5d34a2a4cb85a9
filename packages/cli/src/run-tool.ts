/** `mimus img` and `mimus io`: started without what machines need. */
import { availableParallelism } from "node:os";

import { config } from "zod";

// More threads than processors wait for each other at the file: a copy takes a sixth longer. Read at the pool's first use.
process.env["UV_THREADPOOL_SIZE"] ??= String(Math.min(4, Math.max(2, availableParallelism())));

// Schemas are used a few times each here: compiling them costs more than it pays back.
config({ jitless: true });
const [, name = ""] = /^(?:qemu-|mimus-)?(img|io)$/.exec(process.argv[2] ?? "") ?? [];
const argv = process.argv.slice(3);
const { runTool } = await import("./commands/run-tool.ts");
if (name === "img") await runTool(name, async (host) => (await import("./commands/img.ts")).imgCommand(argv, host));
else await runTool(name, async (host) => (await import("./commands/io.ts")).ioCommand(argv, host));
