import type { HostDirectory, HostEntry, HostTime } from "@mimus/block";
import { BlockError } from "@mimus/block";
import type { FatName } from "./names.ts";
import { fatName } from "./names.ts";

const TYPE = 0o170000;
const FOLDER = 0o040000;
const REGULAR = 0o100000;
const MAX_FILE = 0xffffffff;
const MAX_ENTRIES = 200_000;
const MAX_DEPTH = 100;

/** A file or folder of the host that the disk shows. */
export interface TreeNode {
  name: string;
  readonly fat: FatName;
  readonly entry: HostEntry;
  readonly isFolder: boolean;
  /** Bytes; 0 for folders. */
  readonly size: number;
  readonly time: HostTime;
  readonly children: TreeNode[];
}

/** Reads a folder and all below it. Symbolic links, devices and names that FAT cannot have are left out. */
export async function readTree(host: HostDirectory): Promise<TreeNode> {
  const root = await host.root();
  const { mtime } = await host.stat(root);
  const node: TreeNode = {
    name: "",
    fat: { short: "" },
    entry: root,
    isFolder: true,
    size: 0,
    time: mtime,
    children: [],
  };
  const count = { entries: 0 };
  await fill(host, node, 0, count);
  return node;
}

async function fill(host: HostDirectory, folder: TreeNode, depth: number, count: { entries: number }): Promise<void> {
  if (depth > MAX_DEPTH) throw new BlockError("bad-option", `folders must be at most ${MAX_DEPTH} deep`);
  const shorts = new Set<string>();
  const seen = new Set<string>();
  const list = await host.list(folder.entry);
  for (const { name, mode } of list.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const type = mode & TYPE;
    if ((type !== FOLDER && type !== REGULAR) || name === "." || name === "..") continue;
    if (seen.has(name.toLowerCase())) continue; // differs from another one in case alone
    const fat = fatName(name, shorts);
    if (!fat) continue;
    seen.add(name.toLowerCase());
    if (++count.entries > MAX_ENTRIES) throw new BlockError("bad-option", `more than ${MAX_ENTRIES} files`);
    const entry = await host.lookup(folder.entry, name);
    const stat = await host.stat(entry);
    const isFolder = type === FOLDER;
    if (!isFolder && stat.size > MAX_FILE)
      throw new BlockError(
        "bad-option",
        `'${name}' of ${stat.size} bytes must be at most ${MAX_FILE} bytes on a FAT disk`,
      );
    const node: TreeNode = {
      name,
      fat,
      entry,
      isFolder,
      size: isFolder ? 0 : stat.size,
      time: stat.mtime,
      children: [],
    };
    folder.children.push(node);
    if (isFolder) await fill(host, node, depth + 1, count);
  }
}
