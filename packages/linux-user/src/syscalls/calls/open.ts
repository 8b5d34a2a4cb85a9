/** Opening and closing. Source: Linux man-pages, open(2), openat2(2), close(2), close_range(2), memfd_create(2). */
import { E, Errno, fail } from "../../errno.ts";
import { O, S } from "../../fs/constants.ts";
import { MemoryFile } from "../../fs/memory-file.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { OpenFile } from "../open-file.ts";
import { OPEN_HOW } from "../structs.ts";

/** Opens a path that is absolute. */
function openPath(k: Kernel, path: string, flags: number, mode: number): number {
  if ((flags & O.TMPFILE) === O.TMPFILE && (flags & O.ACCMODE) === O.RDONLY) return -E.INVAL;
  const own = k.descriptorOf(path);
  if (own !== undefined && (flags & O.NOFOLLOW) === 0) return reopen(k, own, flags);
  const file = k.files.open(path, flags & ~O.CLOEXEC, mode & ~k.umask & 0o7777);
  const name = file.type === S.IFDIR ? realOr(k, path) : path;
  return k.install(file, flags, name);
}

/** Directories are kept without links in their path, when that can be told. */
function realOr(k: Kernel, path: string): string {
  try {
    return k.files.realpath(path);
  } catch (error) {
    if (error instanceof Errno) return path;
    throw error;
  }
}

/** Opens what a descriptor of the program has open: /proc/self/fd/N. */
function reopen(k: Kernel, fd: number, flags: number): number {
  const open = k.fds.peek(fd) ?? fail(E.NOENT);
  const { type } = open.file;
  if ((type === S.IFREG || type === S.IFDIR) && open.path.startsWith("/")) {
    const file = k.files.open(open.path, flags & ~(O.CLOEXEC | O.CREAT | O.EXCL), 0);
    return k.install(file, flags, open.path);
  }
  const kept = flags & ~(O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC | O.CLOEXEC);
  return k.fds.add(new OpenFile(open.file, kept, open.path, open.retain()), (flags & O.CLOEXEC) !== 0);
}

function openat(k: Kernel, dirfd: number, path: number, flags: number, mode: number): number {
  return openPath(k, k.pathAt(dirfd, path), flags, mode);
}

const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 16, CACHED: 32 } as const;

function openat2(k: Kernel, dirfd: number, path: number, how: number, size: number): number {
  const least = OPEN_HOW.on(k.abi).size;
  if (size < least) return -E.INVAL;
  if (size > 4096) return -E.TOOBIG;
  if (k.memory.bytes(how + least, size - least, "r").some((byte) => byte !== 0)) return -E.TOOBIG;
  const { flags, mode, resolve } = k.memory.get(OPEN_HOW, how);
  if (flags >= 2 ** 31 || resolve >= 64 || mode > 0o7777) return -E.INVAL;
  if (mode !== 0 && (flags & (O.CREAT | 0o20000000)) === 0) return -E.INVAL;
  if ((resolve & RESOLVE.CACHED) !== 0) return -E.AGAIN;
  const name = k.memory.string(path);
  if ((resolve & (RESOLVE.BENEATH | RESOLVE.IN_ROOT)) !== 0) {
    if ((resolve & RESOLVE.IN_ROOT) !== 0 || name.startsWith("/")) return -E.XDEV;
    let depth = 0;
    for (const part of name.split("/")) {
      if (part === "..") depth--;
      else if (part !== "" && part !== ".") depth++;
      if (depth < 0) return -E.XDEV;
    }
  }
  const full = k.at(dirfd, name);
  if ((resolve & (RESOLVE.NO_SYMLINKS | RESOLVE.BENEATH)) !== 0 && hasLinks(k, full, name)) return -E.LOOP;
  return openPath(k, full, flags, mode);
}

/** Whether one of the names that a program gave is a link. */
function hasLinks(k: Kernel, full: string, name: string): boolean {
  let path = full.slice(0, full.length - name.length);
  for (const part of name.split("/")) {
    path += part;
    try {
      if ((k.files.stat(path, false).mode & S.IFMT) === S.IFLNK) return true;
    } catch {
      return false;
    }
    path += "/";
  }
  return false;
}

function close(k: Kernel, fd: number): number {
  k.fds.close(fd);
  return 0;
}

function closeRange(k: Kernel, first: number, last: number, flags: number): number {
  if (first > last || (flags & ~6) !== 0) return -E.INVAL;
  for (const fd of k.fds.list()) {
    if (fd < first || fd > last) continue;
    if ((flags & 4) !== 0) k.fds.setCloexec(fd, true);
    else k.fds.close(fd);
  }
  return 0;
}

function memfdCreate(k: Kernel, name: number, flags: number): number {
  if ((flags & ~3) !== 0) return -E.INVAL;
  const text = k.memory.string(name, 250);
  const file = new MemoryFile(k.anonymous, k.process.host);
  return k.install(file, O.RDWR | (flags & 1 ? O.CLOEXEC : 0), `/memfd:${text} (deleted)`);
}

export const openCalls: readonly CallDef[] = [
  { name: "openat", args: ["atfd", "path", "open-flags", "octal"], run: openat },
  { name: "openat2", args: ["atfd", "path", { structIn: OPEN_HOW }, "ulong"], run: openat2 },
  { name: "close", args: ["fd"], run: close },
  { name: "close_range", args: ["uint", "uint", "hex"], run: closeRange },
  { name: "memfd_create", args: ["path", "hex"], run: memfdCreate },
];
