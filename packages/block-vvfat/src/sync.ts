import type { HostDirectory, HostEntry, HostHandle } from "@mimus/block";
import { hostTime, sameTime } from "./fat-time.ts";
import type { Known } from "./match.ts";
import { Match } from "./match.ts";
import type { Found } from "./walk.ts";

/** What a change needs of the disk. */
export interface Content {
  readonly clusterBytes: number;
  /** The guest wrote this cluster since the last time. */
  isNew(cluster: number): boolean;
  /** Bytes of a cluster as the guest sees it. */
  read(cluster: number): Promise<Uint8Array>;
  /** Keeps a cluster's bytes in memory, because the file that holds them is about to change. */
  keep(cluster: number): Promise<void>;
}

const MODE = { read: true, write: true, append: false, truncate: false } as const;
const FILE_PERMISSIONS = 0o644;
const FOLDER_PERMISSIONS = 0o755;

/** Makes the host's folder what the guest's directories say. Returns the tree as it is then. */
export async function applyFiles(host: HostDirectory, known: Known, found: Found, content: Content): Promise<Known> {
  return new Sync(host, content, new Match(known, found)).run(known, found);
}

class Sync {
  readonly #host: HostDirectory;
  readonly #content: Content;
  readonly #match: Match;
  /** Names in the top folder under which moved nodes wait for their new place. */
  readonly #waiting: Map<Known, string> = new Map();

  constructor(host: HostDirectory, content: Content, match: Match) {
    this.#host = host;
    this.#content = content;
    this.#match = match;
  }

  async run(known: Known, found: Found): Promise<Known> {
    await this.#keepMoved(found);
    const root = await this.#host.root();
    await this.#clear(known, root);
    return this.#fill(root, found, root);
  }

  /** Clusters that a file takes over from another place are kept before any file changes. */
  async #keepMoved(folder: Found): Promise<void> {
    for (const child of folder.children) {
      if (child.isFolder) {
        await this.#keepMoved(child);
        continue;
      }
      const before = this.#match.known.get(child);
      for (const [i, cluster] of child.clusters.entries())
        if (before?.clusters[i] !== cluster && !this.#content.isNew(cluster)) await this.#content.keep(cluster);
    }
  }

  /** From the leaves up: what is gone is removed, what has moved waits in the top folder. */
  async #clear(folder: Known, root: HostEntry): Promise<void> {
    for (const child of folder.children) {
      await this.#clear(child, root);
      if (!this.#match.found.has(child)) await this.#host.remove(folder.entry, child.name, child.isFolder);
      else if (this.#match.moved(child)) {
        const name = `.mimus-moving-${this.#waiting.size + 1}`;
        await this.#host.rename(folder.entry, child.name, root, name);
        this.#waiting.set(child, name);
      }
    }
  }

  /** From the top down: moves into place, makes and writes. */
  async #fill(entry: HostEntry, folder: Found, root: HostEntry): Promise<Known> {
    const children: Known[] = [];
    for (const child of folder.children) {
      const known = this.#match.known.get(child);
      const waiting = known && this.#waiting.get(known);
      if (waiting !== undefined) await this.#host.rename(root, waiting, entry, child.name);
      if (child.isFolder) {
        if (!known) await this.#host.mkdir(entry, child.name, FOLDER_PERMISSIONS);
        children.push(await this.#fill(await this.#host.lookup(entry, child.name), child, root));
      } else children.push(await this.#file(entry, known, child));
    }
    // Only now: what was made in it has changed its time.
    await this.#date(entry, this.#match.known.get(folder), folder, false);
    const { name, clusters, written } = folder;
    return { name, entry, isFolder: true, size: 0, clusters, written, children };
  }

  /** The guest's time of the last write, where it has set one or the host has: `touched`. */
  async #date(entry: HostEntry, known: Known | undefined, { written }: Found, touched: boolean): Promise<void> {
    if (known !== undefined && !touched && sameTime(known.written, written)) return;
    const mtime = hostTime(written);
    if (mtime !== undefined) await this.#host.set(entry, { mtime });
  }

  async #file(parent: HostEntry, known: Known | undefined, found: Found): Promise<Known> {
    const { clusterBytes } = this.#content;
    const used = found.clusters.slice(0, Math.ceil(found.size / clusterBytes));
    const changed = [...used.keys()].filter((i) => known?.clusters[i] !== used[i] || this.#content.isNew(used[i]!));
    const same = known !== undefined && changed.length === 0 && known.size === found.size;
    let entry: HostEntry;
    if (same) entry = await this.#host.lookup(parent, found.name);
    else {
      let handle: HostHandle;
      if (known) {
        entry = await this.#host.lookup(parent, found.name);
        handle = await this.#host.open(entry, MODE);
      } else ({ entry, handle } = await this.#host.create(parent, found.name, MODE, FILE_PERMISSIONS));
      try {
        for (const i of changed) {
          const bytes = await this.#content.read(used[i]!);
          await writeAll(handle, i * clusterBytes, bytes.subarray(0, found.size - i * clusterBytes));
        }
        await this.#host.set(entry, { size: found.size });
        await handle.flush();
      } finally {
        await handle.close();
      }
    }
    await this.#date(entry, known, found, !same);
    const { name, size, clusters, written } = found;
    return { name, entry, isFolder: false, size, clusters, written, children: [] };
  }
}

async function writeAll(handle: HostHandle, at: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await handle.write(at + done, bytes.subarray(done));
}
