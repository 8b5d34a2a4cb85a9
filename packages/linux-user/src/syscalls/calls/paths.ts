/** Making, removing and changing names. Source: Linux man-pages, the calls' pages of section 2; path_resolution(7). */
import { E, fail } from "../../errno.ts";
import { AT, O, S } from "../../fs/constants.ts";
import type { SetTime } from "../../fs/types.ts";
import { AT_FLAGS } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { TIMESPEC, TIMESPEC64 } from "../structs.ts";

function mkdirat(k: Kernel, dirfd: number, path: number, mode: number): number {
  k.files.mkdir(k.pathAt(dirfd, path), mode & ~k.umask & 0o1777);
  return 0;
}

function mknodat(k: Kernel, dirfd: number, path: number, mode: number, dev: number): number {
  const type = mode & S.IFMT;
  if (type === S.IFDIR) return -E.PERM;
  if (type !== 0 && ![S.IFREG, S.IFIFO, S.IFCHR, S.IFBLK, S.IFSOCK].includes(type as never)) return -E.INVAL;
  if (type === S.IFCHR || type === S.IFBLK) return -E.PERM;
  k.files.mknod(k.pathAt(dirfd, path), (type || S.IFREG) | (mode & ~k.umask & 0o7777), dev);
  return 0;
}

function unlinkat(k: Kernel, dirfd: number, path: number, flags: number): number {
  if ((flags & ~AT.REMOVEDIR) !== 0) return -E.INVAL;
  const full = k.pathAt(dirfd, path);
  if (flags !== 0) k.files.rmdir(full);
  else k.files.unlink(full);
  return 0;
}

function renameat2(k: Kernel, fromDir: number, from: number, toDir: number, to: number, flags: number): number {
  if ((flags & ~3) !== 0 || flags === 3) return -E.INVAL;
  k.files.rename(k.pathAt(fromDir, from), k.pathAt(toDir, to), flags);
  return 0;
}

function linkat(k: Kernel, fromDir: number, from: number, toDir: number, to: number, flags: number): number {
  if ((flags & ~(AT.SYMLINK_FOLLOW | AT.EMPTY_PATH)) !== 0) return -E.INVAL;
  let source = k.memory.string(from);
  if (source === "" && (flags & AT.EMPTY_PATH) !== 0) source = k.fds.get(fromDir).path;
  k.files.link(k.at(fromDir, source), k.pathAt(toDir, to), (flags & AT.SYMLINK_FOLLOW) !== 0);
  return 0;
}

function symlinkat(k: Kernel, target: number, dirfd: number, path: number): number {
  const text = k.memory.string(target);
  if (text === "") return -E.NOENT;
  k.files.symlink(text, k.pathAt(dirfd, path));
  return 0;
}

function fchmod(k: Kernel, fd: number, mode: number): number {
  const open = k.fds.get(fd);
  if ((open.flags & O.PATH) !== 0) return -E.BADF;
  open.file.chmod(mode & 0o7777);
  return 0;
}

const fchmodat = (k: Kernel, dirfd: number, path: number, mode: number): number => fchmodat2(k, dirfd, path, mode, 0);

function fchmodat2(k: Kernel, dirfd: number, path: number, mode: number, flags: number): number {
  if ((flags & ~(AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) !== 0) return -E.INVAL;
  const name = k.memory.string(path);
  if (name === "" && (flags & AT.EMPTY_PATH) !== 0) return fchmod(k, dirfd, mode);
  k.files.chmod(k.at(dirfd, name), mode & 0o7777, (flags & AT.SYMLINK_NOFOLLOW) === 0);
  return 0;
}

function fchown(k: Kernel, fd: number, uid: number, gid: number): number {
  const open = k.fds.get(fd);
  if ((open.flags & O.PATH) !== 0) return -E.BADF;
  open.file.chown(uid, gid);
  return 0;
}

function fchownat(k: Kernel, dirfd: number, path: number, uid: number, gid: number, flags: number): number {
  if ((flags & ~(AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) !== 0) return -E.INVAL;
  const name = k.memory.string(path);
  if (name === "" && (flags & AT.EMPTY_PATH) !== 0 && dirfd !== AT.FDCWD) return fchown(k, dirfd, uid, gid);
  k.files.chown(name === "" ? k.cwd : k.at(dirfd, name), uid, gid, (flags & AT.SYMLINK_NOFOLLOW) === 0);
  return 0;
}

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

function setTime({ sec, nsec }: { sec: number; nsec: number }): SetTime {
  if (nsec === UTIME_NOW) return "now";
  if (nsec === UTIME_OMIT) return "keep";
  return nsec >= 0 && nsec < 1e9 ? { sec, nsec } : fail(E.INVAL);
}

const utimensatOf =
  (layout: typeof TIMESPEC | typeof TIMESPEC64) =>
  (k: Kernel, dirfd: number, path: number, times: number, flags: number): number => {
    if ((flags & ~(AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) !== 0) return -E.INVAL;
    const size = layout.on(k.abi).size;
    const atime = times === 0 ? "now" : setTime(k.memory.get(layout as typeof TIMESPEC, times));
    const mtime = times === 0 ? "now" : setTime(k.memory.get(layout as typeof TIMESPEC, times + size));
    if (atime === "keep" && mtime === "keep") return 0;
    const name = path === 0 ? "" : k.memory.string(path);
    if (path === 0 || (name === "" && (flags & AT.EMPTY_PATH) !== 0)) {
      if (dirfd === AT.FDCWD) return path === 0 ? -E.FAULT : -E.NOENT;
      k.fds.get(dirfd).file.utimes(atime, mtime);
      return 0;
    }
    k.files.utimes(k.at(dirfd, name), atime, mtime, (flags & AT.SYMLINK_NOFOLLOW) === 0);
    return 0;
  };

function truncate(k: Kernel, path: number, size: number): number {
  if (size < 0) return -E.INVAL;
  if (size > Number.MAX_SAFE_INTEGER) return -E.FBIG;
  k.files.truncate(k.pathAt(AT.FDCWD, path), size);
  return 0;
}

function ftruncate(k: Kernel, fd: number, size: number): number {
  const open = k.fds.get(fd);
  if ((open.flags & O.PATH) !== 0) return -E.BADF;
  if (size < 0 || !open.writable || open.file.type !== S.IFREG) return -E.INVAL;
  const most = k.process.limits[1]?.[0] ?? Infinity;
  if (size > Math.min(most, Number.MAX_SAFE_INTEGER)) return -E.FBIG;
  open.file.truncate(size);
  const key = k.sharedKey(open);
  if (key !== undefined) k.memory.syncFile(key, "from-file");
  return 0;
}

function fallocate(k: Kernel, fd: number, mode: number, offset: number, length: number): number {
  const open = k.fds.get(fd);
  if (!open.writable) return -E.BADF;
  if (offset < 0 || length <= 0) return -E.INVAL;
  if (offset + length > (k.process.limits[1]?.[0] ?? Infinity)) return -E.FBIG;
  open.file.allocate(mode, offset, length);
  return 0;
}

function fsync(k: Kernel, fd: number): number {
  k.fds.get(fd).file.sync(false);
  return 0;
}

function fdatasync(k: Kernel, fd: number): number {
  k.fds.get(fd).file.sync(true);
  return 0;
}

function sync(k: Kernel): number {
  k.files.sync();
  return 0;
}

function umask(k: Kernel, mask: number): number {
  const before = k.umask;
  k.umask = mask & 0o777;
  return before;
}

const isOpen = (k: Kernel, fd: number): number => (k.fds.get(fd) === undefined ? -E.BADF : 0);
const noAttributes = (): number => -E.OPNOTSUPP;
const noAttribute = (): number => -E.OPNOTSUPP;

export const pathCalls: readonly CallDef[] = [
  { name: "mkdirat", args: ["atfd", "path", "octal"], run: mkdirat },
  { name: "mknodat", args: ["atfd", "path", "octal", "hex"], run: mknodat },
  { name: "unlinkat", args: ["atfd", "path", "hex"], run: unlinkat },
  { name: "renameat2", args: ["atfd", "path", "atfd", "path", "hex"], run: renameat2 },
  { name: "linkat", args: ["atfd", "path", "atfd", "path", { flags: AT_FLAGS }], run: linkat },
  { name: "symlinkat", args: ["path", "atfd", "path"], run: symlinkat },
  { name: "fchmod", args: ["fd", "octal"], run: fchmod },
  { name: "fchmodat", args: ["atfd", "path", "octal"], run: fchmodat },
  { name: "fchmodat2", args: ["atfd", "path", "octal", { flags: AT_FLAGS }], run: fchmodat2 },
  { name: "fchown", args: ["fd", "uint", "uint"], run: fchown },
  { name: "fchownat", args: ["atfd", "path", "uint", "uint", { flags: AT_FLAGS }], run: fchownat },
  { name: "utimensat", args: ["atfd", "path", "ptr", { flags: AT_FLAGS }], run: utimensatOf(TIMESPEC) },
  { name: "utimensat_time64", args: ["atfd", "path", "ptr", { flags: AT_FLAGS }], run: utimensatOf(TIMESPEC64) },
  { name: "truncate", args: ["path", "long"], run: truncate },
  { name: "ftruncate", args: ["fd", "long"], run: ftruncate },
  { name: "truncate64", args: ["path", "loff"], run: truncate },
  { name: "ftruncate64", args: ["fd", "loff"], run: ftruncate },
  { name: "fallocate", args: ["fd", "hex", "loff", "loff"], run: fallocate },
  { name: "fsync", args: ["fd"], run: fsync },
  { name: "fdatasync", args: ["fd"], run: fdatasync },
  { name: "sync", args: [], run: sync },
  { name: "syncfs", args: ["fd"], run: isOpen },
  { name: "sync_file_range", args: ["fd", "loff", "loff", "hex"], run: isOpen },
  { name: "fadvise64", args: ["fd", "loff", "loff", "int"], run: isOpen },
  { name: "fadvise64_64", args: ["fd", "loff", "loff", "int"], run: isOpen },
  { name: "readahead", args: ["fd", "loff", "ulong"], run: isOpen },
  { name: "umask", args: ["octal"], run: umask },
  ...["setxattr", "lsetxattr", "getxattr", "lgetxattr"].map((name) => ({
    name,
    args: ["path", "path", "ptr", "ulong", "hex"] as const,
    run: noAttribute,
  })),
  ...["fsetxattr", "fgetxattr"].map((name) => ({
    name,
    args: ["fd", "path", "ptr", "ulong"] as const,
    run: noAttribute,
  })),
  ...["listxattr", "llistxattr"].map((name) => ({ name, args: ["path", "ptr", "ulong"] as const, run: noAttributes })),
  { name: "flistxattr", args: ["fd", "ptr", "ulong"], run: noAttributes },
  ...["removexattr", "lremovexattr"].map((name) => ({ name, args: ["path", "path"] as const, run: noAttribute })),
  { name: "fremovexattr", args: ["fd", "path"], run: noAttribute },
];
