import type { Reader, Writer } from "./codec.ts";
import { P9Error } from "./codec.ts";
import type { HostChanges, OpenMode } from "./host.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "./host.ts";
import type { Node } from "./node.ts";
import { checkName } from "./node.ts";
import type { P9Server } from "./server.ts";

type Op = (s: P9Server, r: Reader, w: Writer) => Promise<void>;

/** Bytes of a message before the data of read and readdir. */
const DATA_AT = 11;
/** Steps of one walk. Source: walk(5), MAXWELEM. */
const MAX_STEPS = 16;
/** Linux's open flags. */
const O = { WRONLY: 1, RDWR: 2, TRUNC: 0x200, APPEND: 0x400 } as const;
/** Bits of setattr. */
const ATTR = { MODE: 1, UID: 2, GID: 4, SIZE: 8, ATIME: 0x10, MTIME: 0x20, ATIME_SET: 0x80, MTIME_SET: 0x100 } as const;
/** What getattr answers: the basic fields. */
const GETATTR_BASIC = 0x7ff;
const P9_LOCK_SUCCESS = 0;
const P9_LOCK_TYPE_UNLCK = 2;

function modeOf(flags: number): OpenMode {
  const access = flags & 3;
  return {
    read: access !== O.WRONLY,
    write: access === O.WRONLY || access === O.RDWR,
    append: (flags & O.APPEND) !== 0,
    truncate: (flags & O.TRUNC) !== 0,
  };
}

async function qidOf(s: P9Server, node: Node, w: Writer): Promise<void> {
  const stat = await s.dir.stat(node.entry);
  w.qid(stat.mode, stat.inode);
}

/** Looks at a name that was just made, for its identity. */
async function qidOfNew(s: P9Server, parent: Node, name: string, w: Writer): Promise<void> {
  const node = await parent.step(s.dir, name);
  try {
    await qidOf(s, node, w);
  } finally {
    node.release();
  }
}

const walk: Op = async (s, r, w) => {
  const from = s.fid(r.u32());
  const to = r.u32();
  const count = r.u16();
  if (count > MAX_STEPS) throw new P9Error("EINVAL", `${count} steps in one walk`);
  const names = Array.from({ length: count }, () => r.text());
  let node = from.node.hold();
  const at = w.length;
  w.u16(0);
  let done = 0;
  try {
    for (const name of names) {
      const next = await node.step(s.dir, name);
      node.release();
      node = next;
      await qidOf(s, node, w);
      done++;
    }
  } catch (e) {
    node.release();
    if (done === 0) throw e;
    w.setU16(at, done); // a part of the way: the number is not taken
    return;
  }
  w.setU16(at, done);
  const fidIn = sameFid(s, from, to);
  if (fidIn) {
    fidIn.node.release();
    fidIn.node = node;
  } else s.add(to, node);
};

function sameFid(s: P9Server, from: unknown, to: number): ReturnType<P9Server["fid"]> | undefined {
  try {
    const fid = s.fid(to);
    return fid === from ? fid : undefined;
  } catch {
    return undefined;
  }
}

const lopen: Op = async (s, r, w) => {
  const fid = s.fid(r.u32());
  const mode = modeOf(r.u32());
  if (fid.handle || fid.folder) throw new P9Error("EINVAL", "already open");
  if (mode.write || mode.truncate) s.writable();
  const stat = await s.regularOrFolder(fid.node);
  if ((stat.mode & S_IFMT) === S_IFDIR) {
    if (mode.write) throw new P9Error("EISDIR");
    fid.folder = true;
  } else {
    s.checkOpen();
    fid.handle = await s.dir.open(fid.node.entry, mode);
  }
  w.qid(stat.mode, stat.inode).u32(0);
};

const lcreate: Op = async (s, r, w) => {
  const fid = s.fid(r.u32());
  const name = r.text();
  const mode = modeOf(r.u32());
  const permissions = r.u32();
  s.writable();
  checkName(name);
  if (fid.handle) throw new P9Error("EINVAL", "already open");
  s.checkOpen();
  const { handle } = await s.dir.create(fid.node.entry, name, mode, permissions & 0o7777);
  const node = await fid.node.step(s.dir, name).catch(async (e: unknown) => {
    await handle.close().catch(() => undefined);
    throw e;
  });
  fid.node.release();
  fid.node = node;
  fid.handle = handle;
  await qidOf(s, node, w);
  w.u32(0);
};

const read: Op = async (s, r, w) => {
  const fid = s.fid(r.u32());
  const at = r.u64();
  const count = Math.min(r.u32(), s.msize - DATA_AT);
  if (!fid.handle) throw new P9Error("EBADF", "not open for reading");
  const data = new Uint8Array(count);
  const n = await fid.handle.read(at, data);
  w.u32(n).put(data.subarray(0, n));
};

const write: Op = async (s, r, w) => {
  const fid = s.fid(r.u32());
  const at = r.u64();
  const data = r.bytes(r.u32());
  s.writable();
  if (!fid.handle) throw new P9Error("EBADF", "not open for writing");
  w.u32(await fid.handle.write(at, data));
};

const readdir: Op = async (s, r, w) => {
  const fid = s.fid(r.u32());
  const offset = r.u64();
  const most = Math.min(r.u32(), s.msize - DATA_AT);
  if (!fid.folder) throw new P9Error("EBADF", "not an open folder");
  if (offset === 0 || !fid.listing) {
    const self = await s.dir.stat(fid.node.entry);
    const up = await s.dir.stat((fid.node.parent ?? fid.node).entry);
    const dot = { name: ".", mode: self.mode, inode: self.inode };
    fid.listing = [dot, { ...dot, name: "..", inode: up.inode }, ...(await s.dir.list(fid.node.entry))];
  }
  const start = w.length;
  w.u32(0);
  for (let i = offset; i < fid.listing.length; i++) {
    const { name, mode, inode } = fid.listing[i]!;
    if (w.length - start - 4 + 24 + 3 * name.length > most) break;
    w.qid(mode, inode)
      .u64(i + 1)
      .u8((mode & S_IFMT) >> 12)
      .text(name);
  }
  w.setU32(start, w.length - start - 4);
};

const getattr: Op = async (s, r, w) => {
  const stat = await s.dir.stat(s.fid(r.u32()).node.entry);
  w.u64(GETATTR_BASIC).qid(stat.mode, stat.inode);
  w.u32(stat.mode).u32(stat.uid).u32(stat.gid);
  for (const v of [stat.nlink, stat.rdev, stat.size, stat.blockSize, stat.blocks]) w.u64(v);
  for (const t of [stat.atime, stat.mtime, stat.ctime]) w.u64(t.sec).u64(t.nsec);
  for (let i = 0; i < 4; i++) w.u64(0); // birth time, generation, data version
};

const setattr: Op = async (s, r) => {
  const fid = s.fid(r.u32());
  const valid = r.u32();
  const [mode, uid, gid, size] = [r.u32(), r.u32(), r.u32(), r.u64()];
  const atime = { sec: r.u64(), nsec: r.u64() };
  const mtime = { sec: r.u64(), nsec: r.u64() };
  s.writable();
  const changes: HostChanges = {};
  if (valid & ATTR.MODE) changes.mode = mode & 0o7777;
  if (valid & ATTR.UID) changes.uid = uid;
  if (valid & ATTR.GID) changes.gid = gid;
  if (valid & ATTR.SIZE) {
    const { mode: type } = await s.regularOrFolder(fid.node);
    if ((type & S_IFMT) !== S_IFREG) throw new P9Error("EISDIR");
    changes.size = size;
  }
  if (valid & ATTR.ATIME) changes.atime = valid & ATTR.ATIME_SET ? atime : "now";
  if (valid & ATTR.MTIME) changes.mtime = valid & ATTR.MTIME_SET ? mtime : "now";
  await s.dir.set(fid.node.entry, changes);
};

const mkdir: Op = async (s, r, w) => {
  const { node } = s.fid(r.u32());
  const name = r.text();
  s.writable();
  checkName(name);
  await s.dir.mkdir(node.entry, name, r.u32() & 0o7777);
  await qidOfNew(s, node, name, w);
};

const symlink: Op = async (s, r, w) => {
  const { node } = s.fid(r.u32());
  const [name, target] = [r.text(), r.text()];
  s.writable();
  checkName(name);
  await s.dir.symlink(node.entry, name, target);
  await qidOfNew(s, node, name, w);
};

const link: Op = async (s, r) => {
  const { node: dir } = s.fid(r.u32());
  const { node } = s.fid(r.u32());
  const name = r.text();
  s.writable();
  checkName(name);
  await s.dir.link(node.entry, dir.entry, name);
};

async function move(s: P9Server, from: Node, name: string, to: Node, newName: string): Promise<void> {
  s.writable();
  checkName(name);
  checkName(newName);
  for (let up: Node | undefined = to; up; up = up.parent)
    if (up.parent === from && up.name === name) throw new P9Error("EINVAL", "a folder cannot move into itself");
  await s.dir.rename(from.entry, name, to.entry, newName);
  const moved = from.children.get(name);
  if (!moved) return;
  moved.entry = await s.dir.lookup(to.entry, newName);
  moved.moveTo(to, newName);
}

const rename: Op = async (s, r) => {
  const { node } = s.fid(r.u32());
  const { node: to } = s.fid(r.u32());
  if (!node.parent) throw new P9Error("EBUSY", "the shared folder itself");
  await move(s, node.parent, node.name, to, r.text());
};

const renameat: Op = async (s, r) => {
  const from = s.fid(r.u32()).node;
  const name = r.text();
  const to = s.fid(r.u32()).node;
  await move(s, from, name, to, r.text());
};

const AT_REMOVEDIR = 0x200;
const unlinkat: Op = async (s, r) => {
  const { node } = s.fid(r.u32());
  const name = r.text();
  s.writable();
  checkName(name);
  await s.dir.remove(node.entry, name, (r.u32() & AT_REMOVEDIR) !== 0);
  node.children.delete(name); // a new file of this name is another one
};

/** Removes and lets go of the number, whether that worked or not. */
const remove: Op = async (s, r) => {
  const number = r.u32();
  const { node } = s.fid(number);
  try {
    s.writable();
    if (!node.parent) throw new P9Error("EBUSY", "the shared folder itself");
    const stat = await s.dir.stat(node.entry);
    await s.dir.remove(node.parent.entry, node.name, (stat.mode & S_IFMT) === S_IFDIR);
    node.parent.children.delete(node.name);
  } finally {
    await s.clunk(number);
  }
};

const statfs: Op = async (s, r, w) => {
  s.fid(r.u32());
  const f = await s.dir.space();
  w.u32(0x01021997).u32(f.blockSize);
  for (const v of [f.blocks, f.free, f.free, f.files, f.filesFree, 0]) w.u64(v);
  w.u32(255);
};

const lock: Op = async (s, r, w) => {
  s.fid(r.u32());
  w.u8(P9_LOCK_SUCCESS); // one guest, one kernel: it keeps its own locks
};

const getlock: Op = async (s, r, w) => {
  s.fid(r.u32());
  r.u8();
  const [start, length] = [r.bytes(8), r.bytes(8)];
  const process = r.u32();
  w.u8(P9_LOCK_TYPE_UNLCK).put(start).put(length).u32(process).text(r.text());
};

const unsupported: Op = async () => {
  throw new P9Error("EOPNOTSUPP");
};

/** Operations by the number of their request. */
export const OPS: Readonly<Record<number, Op>> = {
  8: statfs,
  12: lopen,
  14: lcreate,
  16: symlink,
  18: unsupported, // mknod: device files of the host are not for guests
  20: rename,
  22: async (s, r, w) => void w.text(await s.dir.readlink(s.fid(r.u32()).node.entry)),
  24: getattr,
  26: setattr,
  30: unsupported, // extended attributes
  32: unsupported,
  40: readdir,
  50: async (s, r) => s.fid(r.u32()).handle?.flush(),
  52: lock,
  54: getlock,
  70: link,
  72: mkdir,
  74: renameat,
  76: unlinkat,
  110: walk,
  116: read,
  118: write,
  120: (s, r) => s.clunk(r.u32()),
  122: remove,
};
