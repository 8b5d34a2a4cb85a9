import { spawnSync, type SpawnSyncReturns } from "node:child_process";

/** qemu-img measures how fast it derives keys, and gives up where a busy machine makes that too uneven: it is asked again. */
const UNEVEN = "Unable to get accurate CPU usage";
const MOST_TRIES = 20;

/** Runs an image tool, of QEMU's or ours, to its end in a folder. `timeout`: milliseconds. */
export function imageCommand(
  program: string,
  args: readonly string[],
  { cwd, timeout }: { readonly cwd: string; readonly timeout: number },
): SpawnSyncReturns<string> {
  for (let tries = 1; ; tries++) {
    const ended = spawnSync(program, args, { cwd, encoding: "utf8", timeout });
    if (tries === MOST_TRIES || !ended.stderr.includes(UNEVEN)) return ended;
  }
}
