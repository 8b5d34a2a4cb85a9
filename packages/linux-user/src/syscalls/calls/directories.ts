/** Directories. Source: Linux man-pages, getdents(2), getcwd(2), chdir(2). */
import { E, fail } from "../../errno.ts";
import { AT, S } from "../../fs/constants.ts";
import { encodeUtf8 } from "../../memory/address-space.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { DIRENT64_HEAD } from "../structs.ts";

const HEAD = 19;

function getdents64(k: Kernel, fd: number, out: number, size: number): number {
  const open = k.fds.get(fd);
  if (open.file.type !== S.IFDIR) return -E.NOTDIR;
  if (!open.readable) return -E.BADF;
  if (open.entries === undefined) {
    const own = open.file.stat().ino;
    const dot = (name: string): { name: string; ino: number; mode: number } => ({ name, ino: own, mode: S.IFDIR });
    open.entries = [dot("."), dot(".."), ...open.file.list()];
  }
  const { entries } = open;
  const bound = DIRENT64_HEAD.on(k.abi);
  const bytes = k.memory.bytes(out, k.usable(out, Math.min(size, 1 << 20), "w"), "w");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (open.position < entries.length) {
    const { name, ino, mode } = entries[open.position]!;
    const text = encodeUtf8(name);
    const reclen = Math.ceil((HEAD + text.length + 1) / 8) * 8;
    if (at + reclen > bytes.length) {
      if (at === 0) return -E.INVAL;
      break;
    }
    bytes.fill(0, at + HEAD, at + reclen);
    bound.write(view, at, { ino, off: open.position + 1, reclen, type: (mode & S.IFMT) >>> 12 });
    bytes.set(text, at + HEAD);
    at += reclen;
    open.position++;
  }
  return at;
}

function getcwd(k: Kernel, out: number, size: number): number {
  const text = encodeUtf8(k.cwd);
  if (size <= text.length) return -E.RANGE;
  const bytes = k.memory.bytes(out, text.length + 1, "w");
  bytes.set(text);
  bytes[text.length] = 0;
  return text.length + 1;
}

function enter(k: Kernel, path: string): number {
  if ((k.files.stat(path, true).mode & S.IFMT) !== S.IFDIR) fail(E.NOTDIR);
  k.files.access(path, 1, true);
  k.cwd = k.files.realpath(path);
  return 0;
}

const chdir = (k: Kernel, path: number): number => enter(k, k.pathAt(AT.FDCWD, path));

function fchdir(k: Kernel, fd: number): number {
  const open = k.fds.get(fd);
  if (open.file.type !== S.IFDIR) return -E.NOTDIR;
  return enter(k, open.path);
}

export const directoryCalls: readonly CallDef[] = [
  { name: "getdents64", args: ["fd", "ptr", "uint"], run: getdents64 },
  { name: "getcwd", args: [{ textOut: true }, "ulong"], run: getcwd },
  { name: "chdir", args: ["path"], run: chdir },
  { name: "fchdir", args: ["fd"], run: fchdir },
];
