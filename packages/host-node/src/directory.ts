import { type BigIntStats, constants, realpathSync, statSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";

import {
  BlockError,
  type HostChanges,
  type HostDirectory,
  type HostEntry,
  type HostHandle,
  type HostSpace,
  type HostStat,
  type HostTime,
  type OpenMode,
} from "@mimus/block";

import { fs, inFolder, onNoLink, onRegular, type Place, refusal } from "./beneath.ts";

/** What a guest may do with the folder. */
export interface NodeDirectoryOptions {
  /** Nothing in it can be changed. Default: false. */
  readonly readOnly?: boolean;
  /** "none": a guest that may not change owners is told that it did, and special permission bits are left out. */
  readonly security?: "none" | "passthrough";
}

const PERMISSIONS = 0o777;
const ALL_BITS = 0o7777;

/** A folder of this host for guests, confined to what lies in it. @throws BlockError not-found when there is no such folder */
export function nodeDirectory(path: string, options: NodeDirectoryOptions = {}): HostDirectory {
  let top: string;
  try {
    top = realpathSync(path);
  } catch (cause) {
    throw new BlockError("not-found", `cannot share '${path}': there is no such directory`, { cause });
  }
  if (!statSync(top).isDirectory()) throw new BlockError("not-found", `cannot share '${path}': it is not a directory`);
  return new NodeDirectory(top, options);
}

class NodeDirectory implements HostDirectory {
  readonly readOnly: boolean;
  readonly #top: string;
  readonly #passthrough: boolean;
  readonly #root: Place = { parent: undefined, name: "", children: new Map() };

  constructor(top: string, { readOnly = false, security = "none" }: NodeDirectoryOptions) {
    this.#top = top;
    this.readOnly = readOnly;
    this.#passthrough = security === "passthrough";
  }

  async root(): Promise<HostEntry> {
    return this.#root;
  }

  async lookup(dir: HostEntry, name: string): Promise<HostEntry> {
    await this.#in(dir, (folder) => fs().lstat(`${folder}/${checked(name)}`));
    return this.#place(dir as Place, name);
  }

  async stat(entry: HostEntry): Promise<HostStat> {
    return hostStat(
      await this.#on(
        entry,
        (path) => fs().lstat(path, { bigint: true }),
        (folder) => fs().stat(folder, { bigint: true }),
      ),
    );
  }

  list(dir: HostEntry): Promise<{ name: string; mode: number; inode: number }[]> {
    return this.#in(dir, async (folder) => {
      const found: { name: string; mode: number; inode: number }[] = [];
      for (const name of (await fs().readdir(folder)).toSorted()) {
        const info = await fs()
          .lstat(`${folder}/${name}`)
          .catch(() => undefined);
        if (info !== undefined) found.push({ name, mode: info.mode, inode: info.ino });
      }
      return found;
    });
  }

  readlink(entry: HostEntry): Promise<string> {
    return this.#on(entry, (path) => fs().readlink(path));
  }

  async open(entry: HostEntry, mode: OpenMode): Promise<HostHandle> {
    this.#writing(mode.write || mode.truncate);
    const { parent, name } = entry as Place;
    if (parent === undefined) throw refusal("EISDIR");
    return this.#in(parent, (folder) =>
      onRegular(folder, name, async (path) => handle(await fs().open(path, flagsOf(mode)), mode)),
    );
  }

  async create(
    dir: HostEntry,
    name: string,
    mode: OpenMode,
    permissions: number,
  ): Promise<{ entry: HostEntry; handle: HostHandle }> {
    this.#writing();
    const flags = flagsOf(mode) | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await this.#in(dir, (folder) => fs().open(`${folder}/${checked(name)}`, flags, 0o600));
    // The guest has applied its own umask.
    await file.chmod(this.#bits(permissions));
    return { entry: this.#place(dir as Place, name), handle: handle(file, mode) };
  }

  async mkdir(dir: HostEntry, name: string, permissions: number): Promise<void> {
    this.#writing();
    await this.#in(dir, async (folder) => {
      await fs().mkdir(`${folder}/${checked(name)}`, { mode: 0o700 });
      await onNoLink(folder, name, (path) => fs().chmod(path, this.#bits(permissions)));
    });
  }

  async symlink(dir: HostEntry, name: string, target: string): Promise<void> {
    this.#writing();
    await this.#in(dir, (folder) => fs().symlink(target, `${folder}/${checked(name)}`));
  }

  async link(entry: HostEntry, dir: HostEntry, name: string): Promise<void> {
    this.#writing();
    await this.#on(entry, (from) => this.#in(dir, (folder) => fs().link(from, `${folder}/${checked(name)}`)));
  }

  async remove(dir: HostEntry, name: string, folder: boolean): Promise<void> {
    this.#writing();
    await this.#in(dir, (path) => (folder ? fs().rmdir : fs().unlink)(`${path}/${checked(name)}`));
    (dir as Place).children.delete(name);
  }

  async rename(from: HostEntry, name: string, to: HostEntry, newName: string): Promise<void> {
    this.#writing();
    await this.#in(from, (source) =>
      this.#in(to, (target) => fs().rename(`${source}/${checked(name)}`, `${target}/${checked(newName)}`)),
    );
    const moved = this.#place(from as Place, name);
    (from as Place).children.delete(name);
    (to as Place).children.set(newName, new WeakRef(moved));
    moved.parent = to as Place;
    moved.name = newName;
  }

  async set(entry: HostEntry, changes: HostChanges): Promise<void> {
    this.#writing();
    const { mode, uid, gid, size, atime, mtime } = changes;
    const { parent, name } = entry as Place;
    const onSelf = (act: (path: string) => Promise<void>): Promise<void> =>
      parent === undefined ? this.#in(this.#root, act) : this.#in(parent, (folder) => onNoLink(folder, name, act));
    if (size !== undefined)
      await this.#on(entry, (_, folder) => onRegular(folder, name, (path) => fs().truncate(path, size)));
    if (mode !== undefined) await onSelf((path) => fs().chmod(path, this.#bits(mode)));
    if (uid !== undefined || gid !== undefined)
      await this.#on(entry, (path) => fs().lchown(path, uid ?? -1, gid ?? -1)).catch((error: unknown) => {
        if (this.#passthrough || (error as NodeJS.ErrnoException).code !== "EPERM") throw error;
      });
    if (atime === undefined && mtime === undefined) return;
    const now = Date.now() / 1000;
    const old = await this.stat(entry);
    const seconds = (time: HostTime | "now" | undefined, kept: HostTime): number =>
      time === "now" ? now : (time ?? kept).sec + (time ?? kept).nsec / 1e9;
    const times = [seconds(atime, old.atime), seconds(mtime, old.mtime)] as const;
    await this.#on(
      entry,
      (path) => fs().lutimes(path, ...times),
      (path) => fs().utimes(path, ...times),
    );
  }

  async space(): Promise<HostSpace> {
    const { bsize, blocks, bavail, files, ffree } = await fs().statfs(this.#top);
    return { blockSize: bsize, blocks, free: bavail, files, filesFree: ffree };
  }

  #in<T>(dir: HostEntry, act: (folder: string) => Promise<T>): Promise<T> {
    return inFolder(this.#top, dir as Place, act);
  }

  /** Runs `act` with a path that must not be followed when it is a link; `onTop` instead for the shared folder itself. */
  #on<T>(
    entry: HostEntry,
    act: (path: string, folder: string) => Promise<T>,
    onTop: (path: string) => Promise<T> = () => Promise.reject(refusal("EBUSY")),
  ): Promise<T> {
    const { parent, name } = entry as Place;
    if (parent === undefined) return this.#in(this.#root, onTop);
    return this.#in(parent, (folder) => act(`${folder}/${name}`, folder));
  }

  /** The one object for a place, so that what lies below a renamed folder moves with it. */
  #place(parent: Place, name: string): Place {
    const known = parent.children.get(name)?.deref();
    if (known !== undefined) return known;
    if (parent.children.size >= 1024)
      for (const [key, place] of parent.children) if (place.deref() === undefined) parent.children.delete(key);
    const place: Place = { parent, name, children: new Map() };
    parent.children.set(name, new WeakRef(place));
    return place;
  }

  #writing(writing = true): void {
    if (writing && this.readOnly) throw refusal("EROFS");
  }

  #bits(permissions: number): number {
    return permissions & (this.#passthrough ? ALL_BITS : PERMISSIONS);
  }
}

/** Refuses what is no single name. */
function checked(name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0"))
    throw refusal("EINVAL");
  return name;
}

function flagsOf({ read, write, append, truncate }: OpenMode): number {
  const access = write ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return access | (append ? constants.O_APPEND : 0) | (truncate ? constants.O_TRUNC : 0) | constants.O_NONBLOCK;
}

function handle(file: FileHandle, mode: OpenMode): HostHandle {
  return {
    read: async (at, into) => (await file.read(into, 0, into.length, at)).bytesRead,
    write: async (at, from) => (await file.write(from, 0, from.length, mode.append ? null : at)).bytesWritten,
    flush: () => file.sync(),
    close: () => file.close(),
  };
}

const time = (ns: bigint): HostTime => ({ sec: Number(ns / 1_000_000_000n), nsec: Number(ns % 1_000_000_000n) });

function hostStat(s: BigIntStats): HostStat {
  return {
    mode: Number(s.mode),
    uid: Number(s.uid),
    gid: Number(s.gid),
    size: Number(s.size),
    nlink: Number(s.nlink),
    rdev: Number(s.rdev),
    blockSize: Number(s.blksize),
    blocks: Number(s.blocks),
    inode: Number(s.ino),
    atime: time(s.atimeNs),
    mtime: time(s.mtimeNs),
    ctime: time(s.ctimeNs),
  };
}
