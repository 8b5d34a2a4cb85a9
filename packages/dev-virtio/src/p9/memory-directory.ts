import { P9Error } from "./codec.ts";
import type {
  HostChanges,
  HostDirectory,
  HostEntry,
  HostHandle,
  HostSpace,
  HostStat,
  HostTime,
  OpenMode,
} from "./host.ts";
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from "./host.ts";

interface File {
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  readonly inode: number;
  atime: HostTime;
  mtime: HostTime;
  bytes: Uint8Array;
  target: string;
  readonly children: Map<string, File>;
}

/** A folder in memory: for tests and browsers. */
export class MemoryDirectory implements HostDirectory {
  readonly readOnly: boolean;
  readonly #root: File;
  readonly #now: () => HostTime;
  #inodes = 1;

  constructor(opts: { readOnly?: boolean; now?: () => HostTime } = {}) {
    this.readOnly = opts.readOnly ?? false;
    this.#now = opts.now ?? (() => ({ sec: 0, nsec: 0 }));
    this.#root = this.#make(S_IFDIR | 0o755);
  }

  /** Puts a file at a path from the top, making folders on the way. A string is the target of a symbolic link. */
  add(path: string, content: Uint8Array | string | { mode: number }): this {
    const parts = path.split("/").filter((p) => p !== "");
    let dir = this.#root;
    for (const part of parts.slice(0, -1)) {
      let next = dir.children.get(part);
      if (!next) dir.children.set(part, (next = this.#make(S_IFDIR | 0o755)));
      dir = next;
    }
    const file = this.#make(
      typeof content === "string" ? S_IFLNK | 0o777 : content instanceof Uint8Array ? S_IFREG | 0o644 : content.mode,
    );
    if (typeof content === "string") file.target = content;
    else if (content instanceof Uint8Array) file.bytes = content;
    dir.children.set(parts.at(-1)!, file);
    return this;
  }

  async root(): Promise<HostEntry> {
    return this.#root;
  }
  async lookup(dir: HostEntry, name: string): Promise<HostEntry> {
    return this.#find(dir, name);
  }
  async stat(entry: HostEntry): Promise<HostStat> {
    const f = entry as File;
    const size = f.target.length || f.bytes.length;
    const { mode, uid, gid, nlink, inode, atime, mtime } = f;
    return {
      mode,
      uid,
      gid,
      nlink,
      inode,
      atime,
      mtime,
      ctime: mtime,
      size,
      rdev: 0,
      blockSize: 4096,
      blocks: Math.ceil(size / 512),
    };
  }
  async list(dir: HostEntry): Promise<{ name: string; mode: number; inode: number }[]> {
    return [...this.#folder(dir).children].map(([name, { mode, inode }]) => ({ name, mode, inode }));
  }
  async readlink(entry: HostEntry): Promise<string> {
    if (((entry as File).mode & S_IFMT) !== S_IFLNK) throw new P9Error("EINVAL");
    return (entry as File).target;
  }
  async open(entry: HostEntry, mode: OpenMode): Promise<HostHandle> {
    const f = entry as File;
    if ((f.mode & S_IFMT) !== S_IFREG) throw new P9Error("ENXIO");
    if (mode.truncate) f.bytes = new Uint8Array(0);
    return this.#handle(f, mode);
  }
  async create(
    dir: HostEntry,
    name: string,
    mode: OpenMode,
    permissions: number,
  ): Promise<{ entry: HostEntry; handle: HostHandle }> {
    const entry = this.#put(dir, name, S_IFREG | permissions);
    return { entry, handle: this.#handle(entry, mode) };
  }
  async mkdir(dir: HostEntry, name: string, permissions: number): Promise<void> {
    this.#put(dir, name, S_IFDIR | permissions);
  }
  async symlink(dir: HostEntry, name: string, target: string): Promise<void> {
    this.#put(dir, name, S_IFLNK | 0o777).target = target;
  }
  async link(entry: HostEntry, dir: HostEntry, name: string): Promise<void> {
    const f = entry as File;
    if ((f.mode & S_IFMT) === S_IFDIR) throw new P9Error("EPERM");
    if (this.#folder(dir).children.has(name)) throw new P9Error("EEXIST");
    this.#folder(dir).children.set(name, f);
    f.nlink++;
  }
  async remove(dir: HostEntry, name: string, folder: boolean): Promise<void> {
    const f = this.#find(dir, name);
    const isFolder = (f.mode & S_IFMT) === S_IFDIR;
    if (folder !== isFolder) throw new P9Error(isFolder ? "EISDIR" : "ENOTDIR");
    if (f.children.size > 0) throw new P9Error("ENOTEMPTY");
    this.#folder(dir).children.delete(name);
    f.nlink--;
  }
  async rename(from: HostEntry, name: string, to: HostEntry, newName: string): Promise<void> {
    const f = this.#find(from, name);
    const there = this.#folder(to).children.get(newName);
    if (there && there.children.size > 0) throw new P9Error("ENOTEMPTY");
    this.#folder(from).children.delete(name);
    this.#folder(to).children.set(newName, f);
  }
  async set(entry: HostEntry, c: HostChanges): Promise<void> {
    const f = entry as File;
    if (c.mode !== undefined) f.mode = (f.mode & S_IFMT) | c.mode;
    if (c.uid !== undefined) f.uid = c.uid;
    if (c.gid !== undefined) f.gid = c.gid;
    if (c.size !== undefined) resize(f, c.size);
    if (c.atime !== undefined) f.atime = c.atime === "now" ? this.#now() : c.atime;
    if (c.mtime !== undefined) f.mtime = c.mtime === "now" ? this.#now() : c.mtime;
  }
  async space(): Promise<HostSpace> {
    return { blockSize: 4096, blocks: 1 << 20, free: 1 << 19, files: 1 << 20, filesFree: 1 << 19 };
  }

  #make(mode: number): File {
    const time = this.#now();
    return {
      mode,
      uid: 0,
      gid: 0,
      nlink: 1,
      inode: this.#inodes++,
      atime: time,
      mtime: time,
      bytes: new Uint8Array(0),
      target: "",
      children: new Map(),
    };
  }
  #folder(entry: HostEntry): File {
    const f = entry as File;
    if ((f.mode & S_IFMT) !== S_IFDIR) throw new P9Error("ENOTDIR");
    return f;
  }
  #find(dir: HostEntry, name: string): File {
    const f = this.#folder(dir).children.get(name);
    if (!f) throw new P9Error("ENOENT");
    return f;
  }
  #put(dir: HostEntry, name: string, mode: number): File {
    if (this.#folder(dir).children.has(name)) throw new P9Error("EEXIST");
    const f = this.#make(mode);
    this.#folder(dir).children.set(name, f);
    return f;
  }
  #handle(f: File, mode: OpenMode): HostHandle {
    return {
      read: async (at, into) => {
        if (!mode.read) throw new P9Error("EBADF");
        const part = f.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: async (at, from) => {
        if (!mode.write) throw new P9Error("EBADF");
        const start = mode.append ? f.bytes.length : at;
        if (start + from.length > f.bytes.length) resize(f, start + from.length);
        f.bytes.set(from, start);
        return from.length;
      },
      flush: async () => undefined,
      close: async () => undefined,
    };
  }
}

function resize(f: File, size: number): void {
  if (size > 2 ** 30) throw new P9Error("EFBIG");
  const bytes = new Uint8Array(size);
  bytes.set(f.bytes.subarray(0, size));
  f.bytes = bytes;
}
