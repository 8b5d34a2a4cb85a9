/** `mimus img` and `mimus io`: started without what machines need. */
import { config } from "zod";

// Schemas are used a few times each here: compiling them costs more than it pays back.
config({ jitless: true });
const [, name = ""] = /^(?:qemu-|mimus-)?(img|io)$/.exec(process.argv[2] ?? "") ?? [];
const argv = process.argv.slice(3);
const { runTool } = await import("./commands/run-tool.ts");
if (name === "img") await runTool(name, async (host) => (await import("./commands/img.ts")).imgCommand(argv, host));
else await runTool(name, async (host) => (await import("./commands/io.ts")).ioCommand(argv, host));
