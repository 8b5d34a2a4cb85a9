import {
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";

import { type Apt, unpackWithout } from "./apt.ts";
import type { GuestTree } from "./packages.ts";

/** The tree is there, made by this recipe. */
export async function treeIsComplete(cache: string, tree: GuestTree): Promise<boolean> {
  const record = await readFile(recordPath(cache, tree), "utf8").catch(() => "");
  const made = await stat(join(cache, tree.id)).catch(() => undefined);
  return made !== undefined && record.startsWith(`${recipe(tree)}\n`);
}

/** Downloads the packages and unpacks them into `cache/id`. @throws AptError where packages cannot be had. */
export async function fetchTree(
  cache: string,
  tree: GuestTree,
  apt: Apt,
  progress: (line: string) => void,
): Promise<void> {
  const work = join(cache, `work-${tree.id}-${process.pid}`);
  try {
    const debs = await apt.download(tree.packages, join(work, "deb"), progress);
    let bytes = 0;
    for (const deb of debs) bytes += (await stat(deb)).size;
    progress(`unpacking ${debs.length} packages of ${(bytes / 1e6).toFixed(0)} MB`);
    const root = join(work, "tree");
    // base-files makes /bin, /lib and /sbin links, which must be there before anything is unpacked into them.
    const links = debs.filter((deb) => basename(deb).startsWith("base-files_"));
    for (const deb of [...links, ...debs.filter((d) => !links.includes(d))])
      await unpackWithout(deb, root, tree.without);
    await makeLinksRelative(root, root);
    const target = join(cache, tree.id);
    await rm(target, { recursive: true, force: true });
    await rename(root, target);
    await mkdir(join(cache, "versions"), { recursive: true });
    await writeFile(recordPath(cache, tree), [recipe(tree), ...debs.map((deb) => basename(deb)), ""].join("\n"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const recordPath = (cache: string, tree: GuestTree): string => join(cache, "versions", tree.id);
const recipe = (tree: GuestTree): string => JSON.stringify([tree.suite, tree.packages, tree.without]);

/** Absolute links would leave the tree: they get the same target inside it. */
async function makeLinksRelative(root: string, directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const info = await lstat(path);
    if (info.isDirectory()) await makeLinksRelative(root, path);
    if (!info.isSymbolicLink()) continue;
    const target = await readlink(path);
    if (!target.startsWith("/")) continue;
    await unlink(path);
    await symlink(relative(dirname(path), join(root, target)), path);
  }
}
