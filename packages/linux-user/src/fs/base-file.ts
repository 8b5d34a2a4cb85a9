import { E, fail } from "../errno.ts";
import { POLL, S } from "./constants.ts";
import type { DirEntry, File, SetTime, Stat, StatFs } from "./types.ts";

const NONE = { sec: 0, nsec: 0 } as const;

/** A stat with everything not given 0. */
export function statOf(given: Partial<Stat>): Stat {
  return {
    dev: 0, ino: 0, mode: 0, nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, blksize: 4096, blocks: 0, atime: NONE,
    mtime: NONE, ctime: NONE, ...given,
  }; // prettier-ignore
}

/** A file system of `type` without space. */
export function emptyStatFs(type: number): StatFs {
  return { type, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255 };
}

/** Number of a device as `st_rdev` has it. Source: Linux, include/linux/kdev_t.h, new_encode_dev (format). */
export function makeDev(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}
export const majorOf = (dev: number): number => (dev >>> 8) & 0xfff;
export const minorOf = (dev: number): number => (dev & 0xff) | ((dev >>> 12) & 0xfff00);

let anonymous = 1;

/** What a file can't do fails with the number that Linux gives; a subclass says what it can. */
export abstract class BaseFile implements File {
  abstract readonly type: number;
  readonly seekable: boolean = false;
  /** Inode number of files without a name. */
  readonly #ino: number = anonymous++;

  read(_into: Uint8Array, _at: number): number {
    return -E.INVAL;
  }
  write(_from: Uint8Array, _at: number): number {
    return -E.INVAL;
  }
  stat(): Stat {
    return statOf({ ino: this.#ino, mode: this.type | 0o600, dev: 11 });
  }
  statfs(): StatFs {
    return emptyStatFs(0x09041934);
  }
  size(): number {
    return 0;
  }
  truncate(_size: number): void {
    fail(E.INVAL);
  }
  allocate(_mode: number, _offset: number, _length: number): void {
    fail(this.type === S.IFIFO ? E.SPIPE : E.NODEV);
  }
  sync(_dataOnly: boolean): void {
    fail(E.INVAL);
  }
  chmod(_mode: number): void {
    fail(E.PERM);
  }
  chown(_uid: number, _gid: number): void {
    fail(E.PERM);
  }
  utimes(_atime: SetTime, _mtime: SetTime): void {
    fail(E.PERM);
  }
  list(): readonly DirEntry[] {
    return fail(E.NOTDIR);
  }
  ready(): number {
    return POLL.IN | POLL.OUT | POLL.RDNORM | POLL.WRNORM;
  }
  /** Files that are always ready never have to be waited for. */
  wait(_events: number, fn: () => void): () => void {
    fn();
    return () => {};
  }
  available(): number {
    return 0;
  }
  close(): void {}
}

/** Those that wait for a file, and how to call them. */
export class Waiters {
  readonly #waiting: Set<() => void> = new Set();

  add(fn: () => void): () => void {
    const entry = (): void => fn();
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }
  /** Something may have become ready. */
  wake(): void {
    for (const fn of [...this.#waiting]) fn();
  }
  get waiting(): boolean {
    return this.#waiting.size > 0;
  }
}
