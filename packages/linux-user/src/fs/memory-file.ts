import { E, fail } from "../errno.ts";
import { BaseFile, statOf } from "./base-file.ts";
import { O, S } from "./constants.ts";
import type { File, FileTime, SetTime, Stat, StatFs } from "./types.ts";

/** Bytes that files may have together. */
export interface Quota {
  used: number;
  readonly limit: number;
}

/** Where the present time comes from. */
export interface FileClock {
  realtime(): { readonly sec: number; readonly nsec: number };
}

/** Contents grow by pages, so that a hole at the end of a file costs nothing. */
const PAGE = 4096;
const TMPFS_MAGIC = 0x01021994;

/** Bytes in memory, page by page; pages that were never written are holes. */
export class MemoryBytes {
  size = 0;
  readonly #pages: Map<number, Uint8Array> = new Map();
  readonly #quota: Quota;

  constructor(quota: Quota) {
    this.#quota = quota;
  }

  get blocks(): number {
    return (this.#pages.size * PAGE) / 512;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(Math.min(into.length, this.size - at), 0);
    for (let done = 0; done < count;) {
      const offset = (at + done) % PAGE;
      const length = Math.min(PAGE - offset, count - done);
      const page = this.#pages.get(Math.floor((at + done) / PAGE));
      if (page) into.set(page.subarray(offset, offset + length), done);
      else into.fill(0, done, done + length);
      done += length;
    }
    return count;
  }

  /** @returns bytes written: fewer when the quota is used up */
  write(from: Uint8Array, at: number): number {
    let done = 0;
    while (done < from.length) {
      const offset = (at + done) % PAGE;
      const length = Math.min(PAGE - offset, from.length - done);
      const page = this.#page(Math.floor((at + done) / PAGE));
      if (page === undefined) break;
      page.set(from.subarray(done, done + length), offset);
      done += length;
    }
    this.size = Math.max(this.size, at + done);
    return done === 0 && from.length > 0 ? -E.NOSPC : done;
  }

  #page(number: number): Uint8Array | undefined {
    let page = this.#pages.get(number);
    if (page === undefined) {
      if (this.#quota.used + PAGE > this.#quota.limit) return undefined;
      this.#quota.used += PAGE;
      this.#pages.set(number, (page = new Uint8Array(PAGE)));
    }
    return page;
  }

  /** Gets pages for a range. @throws Errno ENOSPC */
  reserve(at: number, length: number): void {
    for (let n = Math.floor(at / PAGE); n * PAGE < at + length; n++) if (!this.#page(n)) fail(E.NOSPC);
  }

  truncate(size: number): void {
    const first = Math.ceil(size / PAGE);
    // Pages may have been reserved beyond the end.
    for (const number of this.#pages.keys()) if (number >= first) this.#drop(number);
    if (size < this.size && size % PAGE !== 0) this.#pages.get(first - 1)?.fill(0, size % PAGE);
    this.size = size;
  }

  punch(at: number, length: number): void {
    const end = Math.min(at + length, this.size);
    for (let p = at; p < end; p = (Math.floor(p / PAGE) + 1) * PAGE) {
      const n = Math.floor(p / PAGE);
      if (p % PAGE === 0 && p + PAGE <= end) this.#drop(n);
      else this.#pages.get(n)?.fill(0, p % PAGE, Math.min(end - n * PAGE, PAGE));
    }
  }

  #drop(number: number): void {
    if (this.#pages.delete(number)) this.#quota.used -= PAGE;
  }
}

let inodes = 1;

/** What a name stands for: shared by all that have it open. */
export class MemoryInode {
  readonly ino: number = inodes++;
  readonly type: number;
  mode: number;
  uid = 0;
  gid = 0;
  nlink = 1;
  open = 0;
  atime: FileTime;
  mtime: FileTime;
  ctime: FileTime;
  readonly clock: FileClock;
  readonly bytes: MemoryBytes;

  constructor(type: number, mode: number, quota: Quota, clock: FileClock) {
    this.type = type;
    this.mode = mode & 0o7777;
    this.clock = clock;
    this.bytes = new MemoryBytes(quota);
    this.atime = this.mtime = this.ctime = clock.realtime();
  }
  get size(): number {
    return this.bytes.size;
  }
  touched(contents: boolean): void {
    this.ctime = this.clock.realtime();
    if (contents) this.mtime = this.ctime;
  }
  setTimes(atime: SetTime, mtime: SetTime): void {
    const now = this.clock.realtime();
    if (atime !== "keep") this.atime = atime === "now" ? now : atime;
    if (mtime !== "keep") this.mtime = mtime === "now" ? now : mtime;
    this.ctime = now;
  }
  setOwner(uid: number, gid: number): void {
    if (uid !== 0xffffffff) this.uid = uid;
    if (gid !== 0xffffffff) this.gid = gid;
    this.touched(false);
  }
  stat(): Stat {
    const { ino, uid, gid, nlink, atime, mtime, ctime } = this;
    const size = this.type === S.IFDIR ? PAGE : this.size;
    return statOf({
      dev: 0x20, ino, uid, gid, nlink, atime, mtime, ctime, size, mode: this.type | this.mode, blocks: this.bytes.blocks,
    }); // prettier-ignore
  }
  /** The last name is gone, and nobody has it open. */
  release(): void {
    if (this.nlink === 0 && this.open === 0) this.bytes.truncate(0);
  }
}

/** An opened file in memory. */
export class MemoryFile extends BaseFile implements File {
  override readonly type: number = S.IFREG;
  override readonly seekable = true;
  readonly inode: MemoryInode;
  readonly #flags: number;
  readonly #quota: Quota;

  /** Without an inode: a new file without a name. */
  constructor(quota: Quota, clock: FileClock, inode: MemoryInode = unnamed(quota, clock), flags: number = O.RDWR) {
    super();
    this.inode = inode;
    this.#flags = flags;
    this.#quota = quota;
    inode.open++;
  }
  override read(into: Uint8Array, at: number): number {
    return this.inode.bytes.read(into, at);
  }
  override write(from: Uint8Array, at: number): number {
    if ((this.#flags & O.ACCMODE) === O.RDONLY) return -E.BADF;
    const done = this.inode.bytes.write(from, at < 0 ? this.inode.size : at);
    if (done > 0) this.inode.touched(true);
    return done;
  }
  override stat(): Stat {
    return this.inode.stat();
  }
  override statfs(): StatFs {
    return memoryStatFs(this.#quota);
  }
  override size(): number {
    return this.inode.size;
  }
  override truncate(size: number): void {
    this.inode.bytes.truncate(size);
    this.inode.touched(true);
  }
  override allocate(mode: number, offset: number, length: number): void {
    const { bytes } = this.inode;
    if (mode === 0 || mode === 1) {
      bytes.reserve(offset, length);
      if (mode === 0) bytes.size = Math.max(bytes.size, offset + length);
    } else if (mode === 3) bytes.punch(offset, length);
    else fail(E.OPNOTSUPP);
    this.inode.touched(true);
  }
  override sync(): void {}
  override chmod(mode: number): void {
    this.inode.mode = mode;
    this.inode.touched(false);
  }
  override chown(uid: number, gid: number): void {
    this.inode.setOwner(uid, gid);
  }
  override utimes(atime: SetTime, mtime: SetTime): void {
    this.inode.setTimes(atime, mtime);
  }
  override available(): number {
    return this.inode.size;
  }
  override close(): void {
    this.inode.open--;
    this.inode.release();
  }
}

function unnamed(quota: Quota, clock: FileClock): MemoryInode {
  const inode = new MemoryInode(S.IFREG, 0o777, quota, clock);
  inode.nlink = 0;
  return inode;
}

/** What statfs says of files in memory. */
export function memoryStatFs({ used, limit }: Quota): StatFs {
  const free = Math.floor((limit - used) / PAGE);
  return {
    type: TMPFS_MAGIC, bsize: PAGE, blocks: Math.floor(limit / PAGE), bfree: free, bavail: free, files: 1 << 20,
    ffree: 1 << 20, namelen: 255,
  }; // prettier-ignore
}
