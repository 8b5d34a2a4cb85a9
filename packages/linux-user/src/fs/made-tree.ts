/** A tree of files that are made up: /proc and /dev. It lies over another file system, which has everything else. */
import { E, fail } from "../errno.ts";
import { emptyStatFs, statOf } from "./base-file.ts";
import { O, RENAME, S } from "./constants.ts";
import type { Quota } from "./memory-file.ts";
import { dirName, joinPath, normalisePath } from "./path.ts";
import { ListFile, TextFile } from "./special-files.ts";
import type { DirEntry, File, FileSystem, SetTime, Stat, StatFs } from "./types.ts";

/** A made-up file. */
export type MadeNode =
  | {
      readonly kind: "dir";
      readonly names: () => readonly string[];
      readonly find: (name: string) => MadeNode | undefined;
      /** Whether the file system below has names in this directory too. */
      readonly merge?: boolean;
    }
  | { readonly kind: "text"; readonly make: () => string | Uint8Array }
  | { readonly kind: "link"; readonly target: () => string }
  | { readonly kind: "device"; readonly open: (flags: number) => File };

/** A directory with fixed names. @param merge whether the file system below has names in it too */
export function madeDir(entries: Readonly<Record<string, MadeNode>>, merge: boolean = false): MadeNode {
  return {
    kind: "dir",
    merge,
    names: () => Object.keys(entries),
    find: (name) => (Object.hasOwn(entries, name) ? entries[name] : undefined),
  };
}

/** A made-up tree at a place. */
export interface Mount {
  /** Absolute, without a slash at the end. */
  readonly at: string;
  readonly root: MadeNode;
  readonly magic: number;
}

const LINKS = 40;
const MODES = { dir: S.IFDIR | 0o555, text: S.IFREG | 0o444, link: S.IFLNK | 0o777, device: S.IFCHR | 0o666 } as const;

/** A stable number for a path. */
function inodeOf(path: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) h = Math.imul(h ^ path.charCodeAt(i), 0x01000193);
  return 0x1_0000_0000 + (h >>> 0);
}

type Found = { readonly node: MadeNode; readonly path: string; readonly mount: Mount };

export class MadeTrees implements FileSystem {
  readonly #below: FileSystem;
  readonly #mounts: readonly Mount[];
  readonly #texts: Quota = { used: 0, limit: 64 << 20 };

  constructor(below: FileSystem, mounts: readonly Mount[]) {
    this.#below = below;
    this.#mounts = mounts;
  }

  /** The made-up node of a path, a path to go on with in the file system below, or that there is neither. */
  #find(path: string, follow: boolean): Found | string {
    let at = path;
    for (let links = 0; ; links++) {
      const second = at.charCodeAt(1);
      // /proc and /dev: everything else passes at once.
      if (second !== 0x70 && second !== 0x64 && !at.includes("..") && !at.startsWith("//") && !at.startsWith("/."))
        return at;
      const name = normalisePath(at);
      const mount = this.#mounts.find((m) => name === m.at || name.startsWith(`${m.at}/`));
      if (mount === undefined) return at;
      if (links > LINKS) fail(E.LOOP);
      const found = this.#walk(mount, name, follow, at);
      if (found === undefined) return at;
      if (typeof found !== "string") return found;
      at = found;
    }
  }

  /** Walks through made-up directories. @returns a path to start again with, when there was a link on the way */
  #walk(mount: Mount, name: string, follow: boolean, given: string): Found | string | undefined {
    const parts = name.slice(mount.at.length).split("/").filter(Boolean);
    let node = mount.root;
    let path = mount.at;
    for (let i = 0; ; i++) {
      const last = i === parts.length;
      if (node.kind === "link" && (!last || follow || given.endsWith("/")))
        return joinPath(dirName(path), [node.target(), ...parts.slice(i)].join("/"));
      if (last) return { node, path, mount };
      if (node.kind !== "dir") fail(E.NOTDIR);
      const next: MadeNode | undefined = node.find(parts[i]!);
      path = `${path}/${parts[i]}`;
      if (next === undefined) return node.merge ? undefined : fail(E.NOENT);
      node = next;
    }
  }

  /** Runs something on the file system below, or refuses it for made-up files. */
  #pass<T>(path: string, follow: boolean, why: number, act: (path: string) => T): T {
    const found = this.#find(path, follow);
    return typeof found === "string" ? act(found) : fail(why);
  }
  /** For calls that make a name: the directory has to be one of the file system below. */
  #make<T>(path: string, act: (path: string) => T): T {
    const found = this.#find(path, false);
    return typeof found === "string" ? act(found) : fail(E.EXIST);
  }

  #stat({ node, path }: Found): Stat {
    if (node.kind === "device") return node.open(O.PATH).stat();
    return statOf({ ino: inodeOf(path), dev: 0x15, mode: MODES[node.kind], nlink: node.kind === "dir" ? 2 : 1 });
  }

  #list({ node, path }: Found): DirEntry[] {
    if (node.kind !== "dir") return [];
    const own = node.names().map((name) => {
      const kind = node.find(name)?.kind ?? "text";
      return { name, ino: inodeOf(`${path}/${name}`), mode: MODES[kind] };
    });
    if (!node.merge) return own;
    const names = new Set(own.map(({ name }) => name));
    try {
      const dir = this.#below.open(path, O.RDONLY | O.DIRECTORY, 0);
      try {
        own.push(...dir.list().filter(({ name }) => !names.has(name)));
      } finally {
        dir.close();
      }
    } catch {
      // There is no such directory below: then there is nothing to add.
    }
    return own;
  }

  open(path: string, flags: number, mode: number): File {
    const found = this.#find(path, (flags & O.NOFOLLOW) === 0);
    if (typeof found === "string") return this.#below.open(found, flags, mode);
    const { node } = found;
    if ((flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL)) fail(E.EXIST);
    const stat = this.#stat(found);
    if ((flags & O.DIRECTORY) !== 0 && node.kind !== "dir") fail(E.NOTDIR);
    if ((flags & O.PATH) !== 0 && node.kind !== "dir") return new ListFile(() => [], stat, found.mount.magic);
    if (node.kind === "link") return fail(E.LOOP);
    if (node.kind === "device") return node.open(flags);
    if ((flags & O.ACCMODE) !== O.RDONLY) return fail(node.kind === "dir" ? E.ISDIR : E.ACCES);
    return node.kind === "dir"
      ? new ListFile(() => this.#list(found), stat, found.mount.magic)
      : new TextFile(node.make(), stat, found.mount.magic, this.#texts);
  }
  stat(path: string, follow: boolean): Stat {
    const found = this.#find(path, follow);
    return typeof found === "string" ? this.#below.stat(found, follow) : this.#stat(found);
  }
  statfs(path: string): StatFs {
    const found = this.#find(path, true);
    return typeof found === "string" ? this.#below.statfs(found) : emptyStatFs(found.mount.magic);
  }
  access(path: string, mode: number, follow: boolean): void {
    const found = this.#find(path, follow);
    if (typeof found === "string") return this.#below.access(found, mode, follow);
    const bits = this.#stat(found).mode & 7;
    if ((mode & bits) !== mode && found.node.kind !== "link") fail(E.ACCES);
  }
  readlink(path: string): string {
    const found = this.#find(path, false);
    if (typeof found === "string") return this.#below.readlink(found);
    return found.node.kind === "link" ? found.node.target() : fail(E.INVAL);
  }
  realpath(path: string): string {
    const found = this.#find(path, true);
    return typeof found === "string" ? this.#below.realpath(found) : found.path;
  }
  mkdir(path: string, mode: number): void {
    this.#make(path, (to) => this.#below.mkdir(to, mode));
  }
  rmdir(path: string): void {
    this.#pass(path, false, E.PERM, (to) => this.#below.rmdir(to));
  }
  unlink(path: string): void {
    this.#pass(path, false, E.PERM, (to) => this.#below.unlink(to));
  }
  rename(from: string, to: string, flags: number): void {
    const swap = (flags & RENAME.EXCHANGE) !== 0;
    this.#pass(from, false, E.PERM, (a) =>
      this.#pass(to, false, swap ? E.PERM : E.EXIST, (b) => this.#below.rename(a, b, flags)),
    );
  }
  link(from: string, to: string, follow: boolean): void {
    this.#pass(from, follow, E.XDEV, (a) => this.#make(to, (b) => this.#below.link(a, b, follow)));
  }
  symlink(target: string, path: string): void {
    this.#make(path, (to) => this.#below.symlink(target, to));
  }
  mknod(path: string, mode: number, dev: number): void {
    this.#make(path, (to) => this.#below.mknod(to, mode, dev));
  }
  chmod(path: string, mode: number, follow: boolean): void {
    this.#pass(path, follow, E.PERM, (to) => this.#below.chmod(to, mode, follow));
  }
  chown(path: string, uid: number, gid: number, follow: boolean): void {
    this.#pass(path, follow, E.PERM, (to) => this.#below.chown(to, uid, gid, follow));
  }
  utimes(path: string, atime: SetTime, mtime: SetTime, follow: boolean): void {
    this.#pass(path, follow, E.PERM, (to) => this.#below.utimes(to, atime, mtime, follow));
  }
  truncate(path: string, size: number): void {
    this.#pass(path, true, E.ACCES, (to) => this.#below.truncate(to, size));
  }
  sync(): void {
    this.#below.sync();
  }
}
