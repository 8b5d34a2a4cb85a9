/** Making processes and threads: not there yet. Here they belong. */
import { E } from "../../errno.ts";
import type { CallDef, Kind } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";

const missing = (name: string, args: readonly Kind[]): CallDef => ({
  name,
  args,
  run: (k: Kernel): number => {
    k.process.unimplemented(`${name}: programs can't start others yet`);
    return -E.NOSYS;
  },
});

export const childCalls: readonly CallDef[] = [
  missing("clone", ["hex", "ptr", "ptr", "ptr", "ptr"]),
  missing("clone3", ["ptr", "ulong"]),
  missing("execve", ["path", "ptr", "ptr"]),
  missing("execveat", ["atfd", "path", "ptr", "ptr", "hex"]),
];
