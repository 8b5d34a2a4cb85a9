import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder of a package for modules in `from`: in the nearest `node_modules` that has it. Where nearly every package manager
 * puts it, and to ask Node takes ten times as long. @returns undefined when it is somewhere else
 */
export function packageFolder(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(join(found, "package.json"))) return found;
    if (folder === dirname(folder)) return undefined;
  }
}
