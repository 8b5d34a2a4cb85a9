/** A file system in memory, for browsers and tests. It grows no further than its quota. */
import { E, fail } from "../errno.ts";
import { BaseFile } from "./base-file.ts";
import { NAME_MAX, O, PATH_MAX, RENAME, S } from "./constants.ts";
import { type FileClock, MemoryFile, MemoryInode, memoryStatFs, type Quota } from "./memory-file.ts";
import { openPipe, PipeBuffer } from "./pipe.ts";
import type { DirEntry, File, FileSystem, SetTime, Stat, StatFs } from "./types.ts";
import { encodeUtf8 } from "../memory/address-space.ts";

/** What a name costs of the quota, so that empty files are not free. */
const ENTRY_COST = 256;
const LINKS_MOST = 40;

interface Directory {
  readonly inode: MemoryInode;
  readonly names: Map<string, Entry>;
  parent: Directory;
}
type Entry =
  | { readonly kind: "dir"; readonly dir: Directory }
  | { readonly kind: "file"; readonly inode: MemoryInode; readonly pipe?: PipeBuffer }
  | { readonly kind: "link"; readonly inode: MemoryInode; readonly target: string };

/** Where a path leads: a directory and a name in it, and what is there. */
interface Place {
  readonly dir: Directory;
  readonly name: string;
  readonly entry: Entry | undefined;
  /** The path ends with a slash: only a directory will do. */
  readonly folder: boolean;
}

/** Who uses the file system, for permissions: user 0 may do everything. */
export interface MemoryUser {
  readonly uid: number;
  readonly gid: number;
}

/** What a file system in memory starts from. */
export interface MemoryFsOptions {
  readonly clock: FileClock;
  /** Bytes that files and names may take; default 256 MiB. */
  readonly quota?: number;
  readonly user?: MemoryUser;
}

/** A file system in memory, for browsers and tests. It grows no further than its quota. */
export class MemoryFs implements FileSystem {
  readonly #quota: Quota;
  readonly #clock: FileClock;
  readonly #user: MemoryUser;
  readonly #root: Directory;

  constructor({ clock, quota = 256 * 2 ** 20, user = { uid: 0, gid: 0 } }: MemoryFsOptions) {
    this.#quota = { used: 0, limit: quota };
    this.#clock = clock;
    this.#user = user;
    const inode = new MemoryInode(S.IFDIR, 0o755, this.#quota, clock);
    inode.nlink = 2;
    inode.uid = user.uid;
    inode.gid = user.gid;
    const root = { inode, names: new Map() } as unknown as Directory;
    root.parent = root;
    this.#root = root;
  }

  /** Puts a file there, with the directories on the way to it: for filling the file system. */
  addFile(path: string, contents: string | Uint8Array, mode: number = 0o644): void {
    const names = path.split("/").filter(Boolean);
    for (let i = 1; i < names.length; i++) {
      const dir = `/${names.slice(0, i).join("/")}`;
      if (this.#walk(dir, true).entry === undefined) this.mkdir(dir, 0o755);
    }
    const file = this.open(path, O.WRONLY | O.CREAT | O.TRUNC, mode);
    const bytes = typeof contents === "string" ? encodeUtf8(contents) : contents;
    if (file.write(bytes, 0) !== bytes.length) fail(E.NOSPC);
    file.close();
  }

  #walk(path: string, follow: boolean): Place {
    if (path.length >= PATH_MAX * 2) fail(E.NAMETOOLONG);
    let names = path.split("/").filter(Boolean);
    let folder = path.endsWith("/") || /(^|\/)\.\.?$/.test(path);
    let dir = this.#root;
    for (let links = 0; ;) {
      const name = names.shift();
      if (name === undefined) return { dir, name: ".", entry: { kind: "dir", dir }, folder };
      if (name.length > NAME_MAX) fail(E.NAMETOOLONG);
      this.#check(dir.inode, 1);
      if (name === ".") continue;
      if (name === "..") {
        dir = dir.parent;
        continue;
      }
      const entry = dir.names.get(name);
      const last = names.length === 0;
      if (entry?.kind === "link" && (!last || follow || folder)) {
        if (++links > LINKS_MOST) fail(E.LOOP);
        if (entry.target.startsWith("/")) dir = this.#root;
        if (last) folder ||= entry.target.endsWith("/");
        names = [...entry.target.split("/").filter(Boolean), ...names];
        continue;
      }
      if (last) {
        if (entry?.kind === "dir") return { dir, name, entry, folder };
        if (entry !== undefined && folder) fail(E.NOTDIR);
        return { dir, name, entry, folder };
      }
      if (entry === undefined) fail(E.NOENT);
      if (entry.kind !== "dir") fail(E.NOTDIR);
      dir = entry.dir;
    }
  }

  #find(path: string, follow: boolean): Entry {
    return this.#walk(path, follow).entry ?? fail(E.NOENT);
  }

  /** @param wanted 4 read, 2 write, 1 execute */
  #check(inode: MemoryInode, wanted: number): void {
    const { uid, gid } = this.#user;
    const { mode } = inode;
    if (uid === 0) {
      if ((wanted & 1) !== 0 && inode.type === S.IFREG && (mode & 0o111) === 0) fail(E.ACCES);
      return;
    }
    const bits = inode.uid === uid ? mode >> 6 : inode.gid === gid ? mode >> 3 : mode;
    if ((bits & wanted) !== wanted) fail(E.ACCES);
  }
  #owned(inode: MemoryInode): void {
    if (this.#user.uid !== 0 && this.#user.uid !== inode.uid) fail(E.PERM);
  }

  #inode(entry: Entry): MemoryInode {
    return entry.kind === "dir" ? entry.dir.inode : entry.inode;
  }

  #create(type: number, mode: number): MemoryInode {
    if (this.#quota.used + ENTRY_COST > this.#quota.limit) fail(E.NOSPC);
    const inode = new MemoryInode(type, mode, this.#quota, this.#clock);
    inode.uid = this.#user.uid;
    inode.gid = this.#user.gid;
    return inode;
  }

  /** Adds a name to a directory. */
  #add({ dir, name }: Place, entry: Entry): void {
    if (encodeUtf8(name).length > NAME_MAX) fail(E.NAMETOOLONG);
    this.#check(dir.inode, 3);
    if (dir.inode.nlink === 0) fail(E.NOENT);
    if (this.#quota.used + ENTRY_COST > this.#quota.limit) fail(E.NOSPC);
    this.#quota.used += ENTRY_COST;
    dir.names.set(name, entry);
    dir.inode.touched(true);
  }

  /** Takes a name away, and what it stood for if that was the last. */
  #drop(dir: Directory, name: string, entry: Entry): void {
    dir.names.delete(name);
    this.#quota.used -= ENTRY_COST;
    dir.inode.touched(true);
    const inode = this.#inode(entry);
    inode.nlink = entry.kind === "dir" ? 0 : inode.nlink - 1;
    inode.touched(false);
    if (entry.kind !== "dir") inode.release();
  }

  /** In a directory with the sticky bit only owners remove names. */
  #removable(dir: Directory, entry: Entry): void {
    this.#check(dir.inode, 3);
    const { uid } = this.#user;
    if (uid !== 0 && (dir.inode.mode & S.ISVTX) !== 0 && uid !== dir.inode.uid && uid !== this.#inode(entry).uid)
      fail(E.PERM);
  }

  /** A place where a new name may be. */
  #vacant(path: string, folder: boolean): Place {
    const place = this.#walk(path, false);
    if (place.entry !== undefined) fail(E.EXIST);
    if (place.folder && !folder) fail(E.NOENT);
    return place;
  }

  open(path: string, flags: number, mode: number): File {
    const exclusive = (flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL);
    if ((flags & O.TMPFILE) === O.TMPFILE) {
      if (this.#find(path, true).kind !== "dir") fail(E.NOTDIR);
      const inode = this.#create(S.IFREG, mode);
      inode.nlink = 0;
      return new MemoryFile(this.#quota, this.#clock, inode, flags);
    }
    const place = this.#walk(path, (flags & O.NOFOLLOW) === 0 && !exclusive);
    let { entry } = place;
    if (entry === undefined) {
      if ((flags & O.CREAT) === 0) fail(E.NOENT);
      if (place.folder) fail(E.ISDIR);
      entry = { kind: "file", inode: this.#create(S.IFREG, mode) };
      this.#add(place, entry);
      return this.#opened(entry, flags);
    }
    if (exclusive) fail(E.EXIST);
    if ((flags & O.DIRECTORY) !== 0 && entry.kind !== "dir") fail(E.NOTDIR);
    if ((flags & O.PATH) !== 0) return new PathFile(entry, this.#inode(entry), this.#quota);
    if (entry.kind === "link") fail(E.LOOP);
    const access = flags & O.ACCMODE;
    const writes = access !== O.RDONLY || (flags & O.TRUNC) !== 0;
    if (entry.kind === "dir" && (writes || (flags & O.CREAT) !== 0)) fail(E.ISDIR);
    this.#check(this.#inode(entry), (access !== O.WRONLY ? 4 : 0) | (writes ? 2 : 0));
    return this.#opened(entry, flags);
  }

  #opened(entry: Entry, flags: number): File {
    if (entry.kind === "dir") return new PathFile(entry, entry.dir.inode, this.#quota);
    const { inode } = entry;
    if (inode.type === S.IFIFO) return openPipe((entry as { pipe: PipeBuffer }).pipe, flags & O.ACCMODE);
    if ((flags & O.TRUNC) !== 0) {
      inode.bytes.truncate(0);
      inode.touched(true);
    }
    return new MemoryFile(this.#quota, this.#clock, inode, flags);
  }

  stat(path: string, follow: boolean): Stat {
    return statEntry(this.#find(path, follow));
  }
  statfs(path: string): StatFs {
    this.#find(path, true);
    return memoryStatFs(this.#quota);
  }
  access(path: string, mode: number, follow: boolean): void {
    const inode = this.#inode(this.#find(path, follow));
    if (mode !== 0) this.#check(inode, mode);
  }
  readlink(path: string): string {
    const entry = this.#find(path, false);
    return entry.kind === "link" ? entry.target : fail(E.INVAL);
  }
  realpath(path: string): string {
    const place = this.#walk(path, true);
    if (place.entry === undefined) fail(E.NOENT);
    const names = place.entry.kind === "dir" ? [] : [place.name];
    for (let at = place.entry.kind === "dir" ? place.entry.dir : place.dir; at !== this.#root; at = at.parent) {
      const found = [...at.parent.names].find(([, entry]) => entry.kind === "dir" && entry.dir === at);
      names.unshift(found?.[0] ?? fail(E.NOENT));
    }
    return `/${names.join("/")}`;
  }

  mkdir(path: string, mode: number): void {
    const place = this.#vacant(path, true);
    const inode = this.#create(S.IFDIR, mode);
    inode.nlink = 2;
    this.#add(place, { kind: "dir", dir: { inode, names: new Map(), parent: place.dir } });
    place.dir.inode.nlink++;
  }
  rmdir(path: string): void {
    if (/(^|\/)\.\/*$/.test(path)) fail(E.INVAL);
    const { dir, name, entry } = this.#walk(path, false);
    if (entry === undefined) fail(E.NOENT);
    if (entry.kind !== "dir") fail(E.NOTDIR);
    if (name === ".") fail(entry.dir === this.#root ? E.BUSY : E.NOTEMPTY);
    if (entry.dir.names.size > 0) fail(E.NOTEMPTY);
    this.#removable(dir, entry);
    this.#drop(dir, name, entry);
    dir.inode.nlink--;
  }
  unlink(path: string): void {
    const { dir, name, entry } = this.#walk(path, false);
    if (entry === undefined) fail(E.NOENT);
    if (entry.kind === "dir") fail(E.ISDIR);
    this.#removable(dir, entry);
    this.#drop(dir, name, entry);
  }

  rename(from: string, to: string, flags: number): void {
    const source = this.#walk(from, false);
    const target = this.#walk(to, false);
    const { entry } = source;
    if (entry === undefined) fail(E.NOENT);
    if (source.name === "." || target.name === ".") fail(E.BUSY);
    if (target.entry !== undefined && (flags & RENAME.NOREPLACE) !== 0) fail(E.EXIST);
    this.#removable(source.dir, entry);
    if ((flags & RENAME.EXCHANGE) !== 0) return this.#exchange(source, target);
    if (entry.kind === "dir")
      for (let at = target.dir; at !== at.parent; at = at.parent) if (at === entry.dir) fail(E.INVAL);
    if (entry.kind !== "dir" && target.folder) fail(E.NOTDIR);
    const old = target.entry;
    if (old !== undefined) {
      if (this.#inode(old) === this.#inode(entry)) return;
      this.#removable(target.dir, old);
      if (old.kind === "dir") {
        if (entry.kind !== "dir") fail(E.ISDIR);
        if (old.dir.names.size > 0) fail(E.NOTEMPTY);
        target.dir.inode.nlink--;
      } else if (entry.kind === "dir") fail(E.NOTDIR);
      this.#drop(target.dir, target.name, old);
    }
    this.#add(target, entry);
    source.dir.names.delete(source.name);
    this.#quota.used -= ENTRY_COST;
    source.dir.inode.touched(true);
    this.#inode(entry).touched(false);
    this.#moved(entry, source.dir, target.dir);
  }

  #exchange(source: Place, target: Place): void {
    if (target.entry === undefined) fail(E.NOENT);
    this.#removable(target.dir, target.entry);
    const [a, b] = [source.entry!, target.entry];
    const within = (entry: Entry, dir: Directory): boolean => {
      if (entry.kind !== "dir") return false;
      for (let at = dir; at !== at.parent; at = at.parent) if (at === entry.dir) return true;
      return false;
    };
    if (within(a, target.dir) || within(b, source.dir)) fail(E.INVAL);
    source.dir.names.set(source.name, b);
    target.dir.names.set(target.name, a);
    this.#moved(a, source.dir, target.dir);
    this.#moved(b, target.dir, source.dir);
  }

  #moved(entry: Entry, from: Directory, to: Directory): void {
    if (entry.kind !== "dir" || from === to) return;
    entry.dir.parent = to;
    from.inode.nlink--;
    to.inode.nlink++;
  }

  link(from: string, to: string, follow: boolean): void {
    const entry = this.#find(from, follow);
    if (entry.kind === "dir") fail(E.PERM);
    const place = this.#vacant(to, false);
    this.#add(place, entry);
    entry.inode.nlink++;
    entry.inode.touched(false);
  }
  symlink(target: string, path: string): void {
    const place = this.#vacant(path, false);
    const inode = this.#create(S.IFLNK, 0o777);
    const bytes = encodeUtf8(target);
    if (inode.bytes.write(bytes, 0) !== bytes.length) fail(E.NOSPC);
    this.#add(place, { kind: "link", inode, target });
  }
  mknod(path: string, mode: number): void {
    const type = mode & S.IFMT;
    if (type !== S.IFREG && type !== S.IFIFO) fail(E.PERM);
    const place = this.#vacant(path, false);
    const inode = this.#create(type, mode);
    this.#add(place, { kind: "file", inode, ...(type === S.IFIFO ? { pipe: new PipeBuffer() } : {}) });
  }
  chmod(path: string, mode: number, follow: boolean): void {
    const entry = this.#find(path, follow);
    if (entry.kind === "link") fail(E.OPNOTSUPP);
    const inode = this.#inode(entry);
    this.#owned(inode);
    inode.mode = mode & 0o7777;
    inode.touched(false);
  }
  chown(path: string, uid: number, gid: number, follow: boolean): void {
    const inode = this.#inode(this.#find(path, follow));
    if (this.#user.uid !== 0 && ((uid !== 0xffffffff && uid !== inode.uid) || this.#user.uid !== inode.uid))
      fail(E.PERM);
    inode.setOwner(uid, gid);
  }
  utimes(path: string, atime: SetTime, mtime: SetTime, follow: boolean): void {
    const inode = this.#inode(this.#find(path, follow));
    if (atime === "now" && mtime === "now") {
      if (this.#user.uid !== inode.uid) this.#check(inode, 2);
    } else this.#owned(inode);
    inode.setTimes(atime, mtime);
  }
  truncate(path: string, size: number): void {
    const entry = this.#find(path, true);
    if (entry.kind === "dir") fail(E.ISDIR);
    const inode = this.#inode(entry);
    if (inode.type !== S.IFREG) fail(E.INVAL);
    this.#check(inode, 2);
    inode.bytes.truncate(size);
    inode.touched(true);
  }
  sync(): void {}

  /** Bytes of the quota in use. */
  get used(): number {
    return this.#quota.used;
  }
}

function statEntry(entry: Entry): Stat {
  return entry.kind === "dir" ? entry.dir.inode.stat() : entry.inode.stat();
}

/** A directory, or anything that was opened with O_PATH. */
class PathFile extends BaseFile {
  override readonly type: number;
  readonly #entry: Entry;
  readonly #inode: MemoryInode;
  readonly #quota: Quota;

  constructor(entry: Entry, inode: MemoryInode, quota: Quota) {
    super();
    this.type = inode.type;
    this.#entry = entry;
    this.#inode = inode;
    this.#quota = quota;
  }
  override list(): readonly DirEntry[] {
    if (this.#entry.kind !== "dir") return fail(E.NOTDIR);
    return [...this.#entry.dir.names].map(([name, entry]) => {
      const { ino, mode } = statEntry(entry);
      return { name, ino, mode: mode & S.IFMT };
    });
  }
  override stat(): Stat {
    return this.#inode.stat();
  }
  override statfs(): StatFs {
    return memoryStatFs(this.#quota);
  }
  override chmod(mode: number): void {
    this.#inode.mode = mode;
    this.#inode.touched(false);
  }
  override chown(uid: number, gid: number): void {
    this.#inode.setOwner(uid, gid);
  }
  override utimes(atime: SetTime, mtime: SetTime): void {
    this.#inode.setTimes(atime, mtime);
  }
  override sync(): void {}
}
