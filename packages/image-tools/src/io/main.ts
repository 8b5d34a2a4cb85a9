import type { ToolHost } from "../host.ts";

/** `mimus io`. @returns the exit status */
export async function io(argv: readonly string[], host: ToolHost): Promise<number> {
  host.err(`${host.program}: ${argv.length} arguments: not there yet\n`);
  return 1;
}
