/** Making processes and threads: not there yet. Here they belong. Source: Linux man-pages, execve(2), clone(2). */
import { E } from "../../errno.ts";
import { AT, O, S } from "../../fs/constants.ts";
import type { CallDef, Kind } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";

function missing(k: Kernel, name: string): number {
  k.process.unimplemented(`${name}: programs can't start others yet`);
  return -E.NOSYS;
}

const absent = (name: string, args: readonly Kind[]): CallDef => ({ name, args, run: (k: Kernel) => missing(k, name) });

/** Whether a file begins as a program does: ELF, or a script's `#!`. */
function isProgram(k: Kernel, path: string): boolean {
  const file = k.files.open(path, O.RDONLY, 0);
  try {
    const head = new Uint8Array(4);
    const count = file.read(head, 0);
    const [a, b, c, d] = head;
    return (
      (count >= 2 && a === 0x23 && b === 0x21) || (count === 4 && a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46)
    );
  } finally {
    file.close();
  }
}

/** What can't be run in any case fails as it would; programs that look along PATH need that. */
function execveat(k: Kernel, dirfd: number, path: number): number {
  const full = k.pathAt(dirfd, path);
  if ((k.files.stat(full, true).mode & S.IFMT) !== S.IFREG) return -E.ACCES;
  k.files.access(full, 1, true);
  return isProgram(k, full) ? missing(k, "execve") : -E.NOEXEC;
}

const execve = (k: Kernel, path: number): number => execveat(k, AT.FDCWD, path);

export const childCalls: readonly CallDef[] = [
  absent("clone", ["hex", "ptr", "ptr", "ptr", "ptr"]),
  absent("clone3", ["ptr", "ulong"]),
  { name: "execve", args: ["path", "ptr", "ptr"], run: execve },
  { name: "execveat", args: ["atfd", "path", "ptr", "ptr", "hex"], run: execveat },
];
