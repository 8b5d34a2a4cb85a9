import type { BlockNode, HostDirectory, HostEntry, HostHandle } from "@mimus/block";
import { asBlockError, BlockError, Mutex } from "@mimus/block";
import type { Placed } from "./build.ts";
import { fatTime } from "./fat-time.ts";
import { SECTOR } from "./geometry.ts";
import type { Known } from "./match.ts";
import { applyFiles } from "./sync.ts";
import type { Volume } from "./volume.ts";
import type { Found } from "./walk.ts";
import { readFiles, Unfinished } from "./walk.ts";

/** Most that the guest may have written before its directories make sense: bytes in memory. */
const MAX_UNSYNCED = 256 << 20;
const MAX_HANDLES = 16;

/**
 * A folder of the host as a FAT disk. FATs and directories are in memory; clusters of files are read from the host's. What the
 * guest writes stays in memory until a flush finds its directories whole: then the host's files follow.
 */
export class VvfatNode implements BlockNode {
  readonly name: string;
  readonly driver = "vvfat";
  readonly sectorSize: number = SECTOR;
  readonly size: number;
  readonly readOnly: boolean;
  readonly filename: string;
  readonly #host: HostDirectory;
  readonly #volume: Volume;
  readonly #gate: Mutex = new Mutex();
  readonly #handles: Map<HostEntry, HostHandle> = new Map();
  /** File (index in `#files`, from 1) that holds each cluster, and which of the file's clusters it is. */
  #owner: Int32Array;
  #part: Uint32Array;
  #files: { readonly entry: HostEntry; readonly size: number }[] = [];
  #known: Known;
  /** Clusters that the guest wrote since the host's files were made to follow. */
  readonly #fresh: Set<number> = new Set();
  #changed = false;
  #failed: BlockError | undefined;

  constructor(
    volume: Volume,
    root: Placed,
    host: HostDirectory,
    opts: { name: string; readOnly: boolean; filename: string },
  ) {
    this.name = opts.name;
    this.readOnly = opts.readOnly;
    this.filename = opts.filename;
    this.size = volume.geometry.sectors * SECTOR;
    this.#volume = volume;
    this.#host = host;
    this.#known = knownOf(root);
    this.#owner = new Int32Array(volume.geometry.clusters + 2);
    this.#part = new Uint32Array(volume.geometry.clusters + 2);
    this.#map(this.#known);
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#gate.run(() =>
      this.#pieces(at, into.length, async (cluster, start, length, done) => {
        const to = into.subarray(done, done + length);
        if (cluster === 0) to.set(this.#volume.head.subarray(start, start + length));
        else await this.#readCluster(cluster, start, to);
      }),
    );
  }

  write(at: number, from: Uint8Array): Promise<void> {
    return this.#gate.run(async () => {
      if (this.#failed) throw this.#failed;
      const { clusterBytes } = this.#volume.geometry;
      if (this.#fresh.size * clusterBytes + from.length > MAX_UNSYNCED && !(await this.#sync()))
        throw new BlockError(
          "no-space",
          `'${this.filename}': ${MAX_UNSYNCED} bytes written, and the directories make no sense yet`,
        );
      this.#changed = true;
      await this.#pieces(at, from.length, async (cluster, start, length, done) => {
        const bytes = from.subarray(done, done + length);
        if (cluster === 0) this.#volume.head.set(bytes, start);
        else (await this.#ownCluster(cluster, length === clusterBytes)).set(bytes, start);
      });
    });
  }

  flush(): Promise<void> {
    return this.#gate.run(async () => {
      if (this.#failed) throw this.#failed;
      await this.#sync();
    });
  }

  async close(): Promise<void> {
    try {
      if (!this.#failed) await this.flush();
    } finally {
      await this.#closeFiles();
    }
  }

  /** Calls with each part of a range: cluster 0 = before the clusters, `start` from there or from the cluster's own start. */
  async #pieces(
    at: number,
    length: number,
    each: (cluster: number, start: number, length: number, done: number) => Promise<void>,
  ): Promise<void> {
    const { dataAt, clusterBytes, clusters } = this.#volume.geometry;
    const data = dataAt * SECTOR;
    for (let done = 0; done < length;) {
      const here = at + done;
      if (here < data) {
        const part = Math.min(length - done, data - here);
        await each(0, here, part, done);
        done += part;
        continue;
      }
      const cluster = Math.floor((here - data) / clusterBytes) + 2;
      const start = (here - data) % clusterBytes;
      const part = Math.min(length - done, clusterBytes - start);
      if (cluster < clusters + 2) await each(cluster, start, part, done);
      done += part;
    }
  }

  async #readCluster(cluster: number, start: number, to: Uint8Array): Promise<void> {
    const own = this.#volume.own.get(cluster);
    if (own) {
      to.set(own.subarray(start, start + to.length));
      return;
    }
    to.fill(0);
    const file = this.#files[this.#owner[cluster]! - 1];
    if (!file) return;
    const at = this.#part[cluster]! * this.#volume.geometry.clusterBytes + start;
    const end = Math.min(to.length, file.size - at);
    const handle = await this.#open(file.entry);
    for (let done = 0; done < end;) {
      const n = await handle.read(at + done, to.subarray(done, end));
      if (n === 0) break;
      done += n;
    }
  }

  async #ownCluster(cluster: number, whole: boolean): Promise<Uint8Array> {
    this.#fresh.add(cluster);
    const own = this.#volume.own.get(cluster);
    if (own) return own;
    const bytes = new Uint8Array(this.#volume.geometry.clusterBytes);
    if (!whole) await this.#readCluster(cluster, 0, bytes);
    this.#volume.own.set(cluster, bytes);
    return bytes;
  }

  /** Makes the host's files follow; false when the guest is in the middle of a change. */
  async #sync(): Promise<boolean> {
    if (!this.#changed) return true;
    let found: Found;
    try {
      found = readFiles(this.#volume);
    } catch (e) {
      if (e instanceof Unfinished) return false;
      throw e;
    }
    try {
      const clusterBytes = this.#volume.geometry.clusterBytes;
      const kept = new Set<number>();
      const known = await applyFiles(this.#host, this.#known, found, {
        clusterBytes,
        isNew: (cluster) => this.#fresh.has(cluster) || kept.has(cluster),
        read: async (cluster) => {
          const bytes = new Uint8Array(clusterBytes);
          await this.#readCluster(cluster, 0, bytes);
          return bytes;
        },
        keep: async (cluster) => {
          if (!this.#volume.own.has(cluster)) await this.#ownCluster(cluster, false);
          kept.add(cluster);
        },
      });
      await this.#closeFiles();
      this.#known = known;
      this.#owner.fill(0);
      this.#files = [];
      this.#map(known);
      for (const cluster of this.#fresh) if (this.#owner[cluster] !== 0) this.#volume.own.delete(cluster);
      this.#fresh.clear();
      this.#changed = false;
      return true;
    } catch (e) {
      this.#failed = asBlockError(e, `'${this.filename}': cannot write the guest's files`);
      throw this.#failed;
    }
  }

  #map(folder: Known): void {
    for (const child of folder.children) {
      if (child.isFolder) {
        this.#map(child);
        continue;
      }
      this.#files.push({ entry: child.entry, size: child.size });
      for (const [i, cluster] of child.clusters.entries()) {
        this.#owner[cluster] = this.#files.length;
        this.#part[cluster] = i;
      }
    }
  }

  async #open(entry: HostEntry): Promise<HostHandle> {
    const held = this.#handles.get(entry);
    if (held) return held;
    for (const [old, handle] of this.#handles) {
      if (this.#handles.size < MAX_HANDLES) break;
      this.#handles.delete(old);
      await handle.close();
    }
    const handle = await this.#host.open(entry, { read: true, write: false, append: false, truncate: false });
    this.#handles.set(entry, handle);
    return handle;
  }

  async #closeFiles(): Promise<void> {
    const all = [...this.#handles.values()];
    this.#handles.clear();
    for (const handle of all) await handle.close();
  }
}

function knownOf(placed: Placed): Known {
  const { name, entry, isFolder, size, time } = placed.node;
  const written = fatTime(time.sec);
  return { name, entry, isFolder, size, written, clusters: placed.clusters, children: placed.children.map(knownOf) };
}
