/** Calls that make processes and threads: a program has one of each, and they tell it so. */
import { E, fail } from "../../errno.ts";
import { AT, S } from "../../fs/constants.ts";
import type { CallDef, Kind } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";

const missing = (k: Kernel, name: string): number => {
  k.process.unimplemented(`${name}: programs can't start others`);
  return -E.NOSYS;
};

/** Whether there is such a program is told in any case: shells print it. */
function execve(k: Kernel, path: number): number {
  return execveat(k, AT.FDCWD, path);
}

function execveat(k: Kernel, dirfd: number, path: number): number {
  const full = k.pathAt(dirfd, path);
  if ((k.files.stat(full, true).mode & S.IFMT) !== S.IFREG) fail(E.ACCES);
  k.files.access(full, 1, true);
  return missing(k, "execve");
}

const refuse = (name: string, args: readonly Kind[]): CallDef => ({
  name,
  args,
  run: (k: Kernel): number => missing(k, name),
});

export const childCalls: readonly CallDef[] = [
  refuse("clone", ["hex", "ptr", "ptr", "ptr", "ptr"]),
  refuse("clone3", ["ptr", "ulong"]),
  { name: "execve", args: ["path", "ptr", "ptr"], run: execve },
  { name: "execveat", args: ["atfd", "path", "ptr", "ptr", "hex"], run: execveat },
];
