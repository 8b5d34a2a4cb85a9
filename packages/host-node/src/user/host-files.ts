import {
  accessSync, chmodSync, chownSync, closeSync, constants, fstatSync, lchownSync, linkSync, lstatSync, lutimesSync, mkdirSync,
  openSync, readlinkSync, realpathSync, renameSync, rmdirSync, statSync, symlinkSync, truncateSync, unlinkSync, utimesSync,
} from "node:fs"; // prettier-ignore
import { isatty } from "node:tty";

import { decodeUtf8, E, fail, O, RENAME, S } from "@mimus/linux-user";
import type { File, FileSystem, SetTime, Stat, StatFs } from "@mimus/linux-user";

import { libc } from "../libc.ts";
import { check, guard } from "./errors.ts";
import { HostFile, statfsOf, timespecs, toSeconds, toStat } from "./host-file.ts";
import { cString, hostName } from "./names.ts";
import { openStream } from "./streams.ts";
import { samePaths, type PathMap } from "./sysroot.ts";

/** Flags in the numbers of this host. O_DIRECT is left out: it asks for aligned memory. */
const FLAGS: readonly (readonly [number, number])[] = [
  [O.CREAT, constants.O_CREAT],
  [O.EXCL, constants.O_EXCL],
  [O.NOCTTY, constants.O_NOCTTY],
  [O.TRUNC, constants.O_TRUNC],
  [O.APPEND, constants.O_APPEND],
  [O.DSYNC, constants.O_DSYNC ?? 0],
  [O.SYNC, constants.O_SYNC],
  [O.DIRECTORY, constants.O_DIRECTORY],
  [O.NOFOLLOW, constants.O_NOFOLLOW],
  [O.NOATIME, constants.O_NOATIME ?? 0],
];
/** Linux's own; Node has no names for them. */
const ON_LINUX = process.platform === "linux" ? O.PATH | 0o20000000 : 0;

function hostFlags(flags: number): number {
  let out = flags & O.ACCMODE;
  for (const [bit, host] of FLAGS) if ((flags & bit) === bit) out |= host;
  return out | (flags & ON_LINUX);
}

/** The files of this host, or of a folder of it and then of the host. */
export class HostFiles implements FileSystem {
  readonly #paths: PathMap;

  constructor(paths: PathMap = samePaths) {
    this.#paths = paths;
  }

  #at(path: string, follow: boolean): string | Buffer {
    return hostName(this.#paths.host(path, follow));
  }

  open(path: string, flags: number, mode: number): File {
    const at = this.#at(path, (flags & O.NOFOLLOW) === 0 && (flags & (O.CREAT | O.EXCL)) !== (O.CREAT | O.EXCL));
    // Opening a named pipe or a device must not block this process: files do not mind the flag.
    const fd = guard(() => openSync(at, hostFlags(flags) | ((flags & O.PATH) === 0 ? constants.O_NONBLOCK : 0), mode));
    const type = fstatSync(fd).mode & S.IFMT;
    if ((flags & O.PATH) !== 0 || type === S.IFREG || type === S.IFDIR) return new HostFile(fd, type, true);
    return openStream(fd, type, true, isatty(fd));
  }

  stat(path: string, follow: boolean): Stat {
    const at = this.#at(path, follow);
    const s = guard(() =>
      (follow || path.endsWith("/") ? statSync : lstatSync)(at, { bigint: true, throwIfNoEntry: false }),
    );
    return s === undefined ? fail(this.#missing(path)) : toStat(s);
  }

  /** Node does not tell a missing file from a file on the way that is no directory. */
  #missing(path: string): number {
    const cut = path.replace(/\/+$/, "").lastIndexOf("/");
    if (cut <= 0) return E.NOENT;
    const dir = path.slice(0, cut);
    try {
      const s = statSync(this.#at(dir, true), { throwIfNoEntry: false });
      if (s === undefined) return this.#missing(dir);
      return s.isDirectory() ? E.NOENT : E.NOTDIR;
    } catch {
      return E.NOENT;
    }
  }

  statfs(path: string): StatFs {
    return statfsOf(this.#at(path, true) as string);
  }

  access(path: string, mode: number, follow: boolean): void {
    if (!follow && (this.stat(path, false).mode & S.IFMT) === S.IFLNK) return;
    // Asking for existence first spares an exception in the usual case.
    if (mode === 0) return void this.stat(path, follow);
    const at = this.#at(path, true);
    const bits = (mode & 4 ? constants.R_OK : 0) | (mode & 2 ? constants.W_OK : 0) | (mode & 1 ? constants.X_OK : 0);
    guard(() => accessSync(at, bits));
  }

  readlink(path: string): string {
    const at = this.#at(path, false);
    return decodeUtf8(guard(() => readlinkSync(at, { encoding: "buffer" })));
  }

  realpath(path: string): string {
    const at = this.#at(path, true);
    return this.#paths.guest(decodeUtf8(guard(() => realpathSync.native(at, { encoding: "buffer" }))));
  }

  mkdir(path: string, mode: number): void {
    const at = this.#at(path, false);
    guard(() => mkdirSync(at, { mode }));
    if ((mode & 0o7000) !== 0) guard(() => chmodSync(at, mode));
  }
  rmdir(path: string): void {
    if (/(^|\/)\.\/*$/.test(path)) fail(E.INVAL);
    const at = this.#at(path, false);
    guard(() => rmdirSync(at));
  }
  unlink(path: string): void {
    const at = this.#at(path, false);
    try {
      unlinkSync(at);
    } catch (error) {
      // POSIX lets a system say EPERM for a directory; Linux says EISDIR.
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPERM" && lstatSync(at).isDirectory()) fail(E.ISDIR);
      guard(() => {
        throw error;
      });
    }
  }
  rename(from: string, to: string, flags: number): void {
    const [a, b] = [this.#at(from, false), this.#at(to, false)];
    const native = flags === 0 ? undefined : libc();
    if (native !== undefined) return check(native.rename(cString(a), cString(b), flags));
    // Node has no renameat2; without exchange it can be told apart what is there before.
    if ((flags & RENAME.EXCHANGE) !== 0) fail(E.INVAL);
    if ((flags & RENAME.NOREPLACE) !== 0 && guard(() => lstatSync(b, { throwIfNoEntry: false }))) fail(E.EXIST);
    guard(() => renameSync(a, b));
  }
  link(from: string, to: string, follow: boolean): void {
    const source = follow ? hostName(realpathSync.native(this.#at(from, true))) : this.#at(from, false);
    guard(() => linkSync(source, this.#at(to, false)));
  }
  symlink(target: string, path: string): void {
    const at = this.#at(path, false);
    guard(() => symlinkSync(hostName(target), at));
  }
  mknod(path: string, mode: number, _dev: number): void {
    const at = this.#at(path, false);
    const native = (mode & S.IFMT) === S.IFIFO ? libc() : undefined;
    if (native !== undefined) {
      // The host's own mask would be applied once more.
      check(native.mkfifo(cString(at), mode & 0o7777));
      return guard(() => chmodSync(at, mode & 0o7777));
    }
    // Node makes regular files only.
    if ((mode & S.IFMT) !== S.IFREG) fail(E.OPNOTSUPP);
    closeSync(guard(() => openSync(at, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, mode & 0o7777)));
  }
  chmod(path: string, mode: number, follow: boolean): void {
    if (!follow && (this.stat(path, false).mode & S.IFMT) === S.IFLNK) fail(E.OPNOTSUPP);
    const at = this.#at(path, true);
    guard(() => chmodSync(at, mode));
  }
  chown(path: string, uid: number, gid: number, follow: boolean): void {
    const at = this.#at(path, follow);
    guard(() => (follow ? chownSync : lchownSync)(at, uid, gid));
  }
  utimes(path: string, atime: SetTime, mtime: SetTime, follow: boolean): void {
    const at = this.#at(path, follow);
    const native = libc();
    if (native !== undefined) return check(native.utimens(cString(at), timespecs(atime, mtime), follow));
    const now = (): Stat => this.stat(path, follow);
    const [a, m] = [toSeconds(atime, () => now().atime), toSeconds(mtime, () => now().mtime)];
    guard(() => (follow ? utimesSync : lutimesSync)(at, a, m));
  }
  truncate(path: string, size: number): void {
    const at = this.#at(path, true);
    guard(() => truncateSync(at, size));
  }
  sync(): void {}
}
