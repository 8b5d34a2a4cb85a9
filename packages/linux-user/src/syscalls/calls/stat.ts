/** What is known of files. Source: Linux man-pages, stat(2), statx(2), statfs(2), access(2), readlink(2). */
import { E, fail } from "../../errno.ts";
import { AT, O, S } from "../../fs/constants.ts";
import type { Stat, StatFs } from "../../fs/types.ts";
import { encodeUtf8 } from "../../memory/address-space.ts";
import { AT_FLAGS } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { putStat, putStatx, STAT, STAT64, STATFS, STATX } from "../structs.ts";

function fstat(k: Kernel, fd: number, out: number): number {
  putStat(k.memory, out, k.fds.get(fd).file.stat());
  return 0;
}

const STAT_FLAGS = AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT | AT.EMPTY_PATH | AT.STATX_SYNC_TYPE;

/** What a directory, a path and flags name. */
function statAt(k: Kernel, dirfd: number, path: number, flags: number): Stat {
  if ((flags & ~STAT_FLAGS) !== 0) fail(E.INVAL);
  const name = path === 0 && (flags & AT.EMPTY_PATH) !== 0 ? "" : k.memory.string(path);
  if (name === "" && (flags & AT.EMPTY_PATH) !== 0) {
    if (dirfd === AT.FDCWD) return k.files.stat(k.cwd, true);
    return k.fds.get(dirfd).file.stat();
  }
  const full = k.at(dirfd, name);
  const follow = (flags & AT.SYMLINK_NOFOLLOW) === 0;
  const own = follow ? k.descriptorOf(full) : undefined;
  return own === undefined ? k.files.stat(full, follow) : (k.fds.peek(own) ?? fail(E.NOENT)).file.stat();
}

function fstatat(k: Kernel, dirfd: number, path: number, out: number, flags: number): number {
  putStat(k.memory, out, statAt(k, dirfd, path, flags));
  return 0;
}

function statx(k: Kernel, dirfd: number, path: number, flags: number, mask: number, out: number): number {
  if ((flags & AT.STATX_SYNC_TYPE) === AT.STATX_SYNC_TYPE || mask >= 2 ** 31) return -E.INVAL;
  putStatx(k.memory, out, statAt(k, dirfd, path, flags));
  return 0;
}

function putStatFs(k: Kernel, out: number, s: StatFs): number {
  k.memory.put(STATFS, out, { ...s, frsize: s.bsize, fsid: [0, 0], flags: 0x20 });
  return 0;
}

const statfs = (k: Kernel, path: number, out: number): number =>
  putStatFs(k, out, k.files.statfs(k.pathAt(AT.FDCWD, path)));
const fstatfs = (k: Kernel, fd: number, out: number): number => putStatFs(k, out, k.fds.get(fd).file.statfs());
/** The 64-bit forms of 32-bit ABIs pass the size of the structure. */
const statfs64 = (k: Kernel, path: number, size: number, out: number): number =>
  size === STATFS.on(k.abi).size ? statfs(k, path, out) : -E.INVAL;
const fstatfs64 = (k: Kernel, fd: number, size: number, out: number): number =>
  size === STATFS.on(k.abi).size ? fstatfs(k, fd, out) : -E.INVAL;

function faccessat(k: Kernel, dirfd: number, path: number, mode: number): number {
  return faccessat2(k, dirfd, path, mode, 0);
}

function faccessat2(k: Kernel, dirfd: number, path: number, mode: number, flags: number): number {
  if ((mode & ~7) !== 0 || (flags & ~(AT.EACCESS | AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) !== 0) return -E.INVAL;
  const name = k.memory.string(path);
  if (name === "" && (flags & AT.EMPTY_PATH) !== 0) {
    if (dirfd !== AT.FDCWD) return k.fds.get(dirfd) === undefined ? -E.BADF : 0;
    k.files.access(k.cwd, mode, true);
    return 0;
  }
  const full = k.at(dirfd, name);
  const own = k.descriptorOf(full);
  if (own !== undefined) return k.fds.peek(own) === undefined ? -E.NOENT : 0;
  k.files.access(full, mode, (flags & AT.SYMLINK_NOFOLLOW) === 0);
  return 0;
}

function readlinkat(k: Kernel, dirfd: number, path: number, out: number, size: number): number {
  if (size <= 0) return -E.INVAL;
  const name = k.memory.string(path);
  let target: string;
  if (name === "" && dirfd !== AT.FDCWD) {
    const open = k.fds.get(dirfd);
    if (open.file.type !== S.IFLNK || (open.flags & O.PATH) === 0) return -E.NOENT;
    target = k.files.readlink(open.path);
  } else target = k.files.readlink(k.at(dirfd, name));
  const bytes = encodeUtf8(target);
  const count = Math.min(bytes.length, size);
  k.memory.bytes(out, count, "w").set(bytes.subarray(0, count));
  return count;
}

export const statCalls: readonly CallDef[] = [
  { name: "fstat", args: ["fd", { structOut: STAT }], run: fstat },
  { name: "newfstatat", args: ["atfd", "path", { structOut: STAT }, { flags: AT_FLAGS }], run: fstatat },
  { name: "fstat64", args: ["fd", { structOut: STAT64 }], run: fstat },
  { name: "fstatat64", args: ["atfd", "path", { structOut: STAT64 }, { flags: AT_FLAGS }], run: fstatat },
  { name: "statx", args: ["atfd", "path", { flags: AT_FLAGS }, "hex", { structOut: STATX }], run: statx },
  { name: "statfs", args: ["path", { structOut: STATFS }], run: statfs },
  { name: "fstatfs", args: ["fd", { structOut: STATFS }], run: fstatfs },
  { name: "statfs64", args: ["path", "ulong", { structOut: STATFS }], run: statfs64 },
  { name: "fstatfs64", args: ["fd", "ulong", { structOut: STATFS }], run: fstatfs64 },
  { name: "faccessat", args: ["atfd", "path", "int"], run: faccessat },
  { name: "faccessat2", args: ["atfd", "path", "int", "hex"], run: faccessat2 },
  { name: "readlinkat", args: ["atfd", "path", { textOut: true }, "int"], run: readlinkat },
];
