import { statSync } from "node:fs";

/** What tells this content of a file from others: a change of a file changes its ctime, which nobody can set. Empty: no such file. */
export function stateOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? "" : `${found.ino} ${found.size} ${found.ctimeMs}`;
  } catch {
    return "";
  }
}
