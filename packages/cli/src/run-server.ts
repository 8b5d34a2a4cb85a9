/** `mimus nbd` and `mimus storage-daemon`: started without what machines need. */
import { config } from "zod";

/** Runs a server to its end, and ends the process. */
export async function runServer(command: "nbd" | "storage-daemon", argv: readonly string[]): Promise<never> {
  // Schemas are used a few times each here: compiling them costs more than it pays back.
  config({ jitless: true });
  try {
    process.exitCode =
      command === "nbd"
        ? await (await import("./commands/nbd.ts")).nbdCommand(argv)
        : await (await import("./commands/storage-daemon.ts")).storageDaemonCommand(argv);
  } catch (error) {
    process.stderr.write(`mimus: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
  process.exit();
}
