import {
  type BigIntStats, closeSync, fchmodSync, fchownSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, futimesSync,
  readSync, statfsSync, writeSync,
} from "node:fs"; // prettier-ignore

import { BaseFile, E, fail, POLL, S, type DirEntry, type SetTime, type Stat, type StatFs } from "@mimus/linux-user";

import { libc } from "../libc.ts";
import { check, guard, numberOf } from "./errors.ts";
import { listDirectory } from "./names.ts";

const NS = 1_000_000_000n;
const time = (ns: bigint): { sec: number; nsec: number } => {
  let sec = ns / NS;
  let nsec = ns % NS;
  if (nsec < 0n) {
    sec--;
    nsec += NS;
  }
  return { sec: Number(sec), nsec: Number(nsec) };
};

/** Node's stat as the system calls take it. */
export function toStat(s: BigIntStats): Stat {
  return {
    dev: Number(s.dev),
    ino: Number(s.ino),
    mode: Number(s.mode),
    nlink: Number(s.nlink),
    uid: Number(s.uid),
    gid: Number(s.gid),
    rdev: Number(s.rdev),
    size: Number(s.size),
    blksize: Number(s.blksize),
    blocks: Number(s.blocks),
    atime: time(s.atimeNs),
    mtime: time(s.mtimeNs),
    ctime: time(s.ctimeNs),
    btime: time(s.birthtimeNs),
  };
}

const NAME_MOST = 255;

/** statfs of a path. */
export function statfsOf(path: string): StatFs {
  const s = guard(() => statfsSync(path));
  return { ...s, namelen: NAME_MOST };
}

/** Seconds for Node, which knows times in this form only: to about a quarter of a microsecond. */
export function toSeconds(time: SetTime, kept: () => { sec: number; nsec: number }): number {
  if (time === "now") return Date.now() / 1000;
  const { sec, nsec } = time === "keep" ? kept() : time;
  return sec + nsec / 1e9;
}

const UTIME_NOW = (1n << 30n) - 1n;
const UTIME_OMIT = (1n << 30n) - 2n;

/** Two of struct timespec, as utimensat of a 64-bit host takes them. */
export function timespecs(...times: readonly SetTime[]): Uint8Array {
  const words = times.flatMap((t) => {
    if (t === "now") return [0n, UTIME_NOW];
    return t === "keep" ? [0n, UTIME_OMIT] : [BigInt(t.sec), BigInt(t.nsec)];
  });
  return new Uint8Array(BigInt64Array.from(words).buffer);
}

/** How long a file that is not ready is left alone before the next try, when the host can't tell: ms. */
const RETRY_FIRST = 1;
const RETRY_LAST = 20;

/** A descriptor of the host. */
export class HostFile extends BaseFile {
  override readonly type: number;
  override readonly seekable: boolean;
  protected readonly fd: number;
  readonly #owned: boolean;

  constructor(fd: number, type: number, owned: boolean) {
    super();
    this.fd = fd;
    this.type = type;
    this.seekable = type === S.IFREG || type === S.IFBLK;
    this.#owned = owned;
  }

  override read(into: Uint8Array, at: number): number {
    if (into.length === 0) return 0;
    try {
      return readSync(this.fd, into, 0, into.length, at < 0 ? null : at);
    } catch (error) {
      return -numberOf(error);
    }
  }
  override write(from: Uint8Array, at: number): number {
    try {
      return writeSync(this.fd, from, 0, from.length, at < 0 ? null : at);
    } catch (error) {
      return -numberOf(error);
    }
  }
  override stat(): Stat {
    return toStat(guard(() => fstatSync(this.fd, { bigint: true })));
  }
  override statfs(): StatFs {
    return statfsOf(`/proc/self/fd/${this.fd}`);
  }
  override size(): number {
    return guard(() => fstatSync(this.fd)).size;
  }
  override truncate(size: number): void {
    guard(() => ftruncateSync(this.fd, size));
  }
  override allocate(mode: number, offset: number, length: number): void {
    const native = libc();
    if (native !== undefined) {
      const result = native.fallocate(this.fd, mode, offset, length);
      if (result < 0) fail(-result);
      return;
    }
    if (mode !== 0) fail(E.OPNOTSUPP);
    if (offset + length > this.size()) this.truncate(offset + length);
  }
  override sync(dataOnly: boolean): void {
    guard(() => (dataOnly ? fdatasyncSync : fsyncSync)(this.fd));
  }
  override chmod(mode: number): void {
    guard(() => fchmodSync(this.fd, mode));
  }
  override chown(uid: number, gid: number): void {
    guard(() => fchownSync(this.fd, uid, gid));
  }
  override utimes(atime: SetTime, mtime: SetTime): void {
    const native = libc();
    if (native !== undefined) return check(native.futimens(this.fd, timespecs(atime, mtime)));
    const now = (): Stat => this.stat();
    guard(() =>
      futimesSync(
        this.fd,
        toSeconds(atime, () => now().atime),
        toSeconds(mtime, () => now().mtime),
      ),
    );
  }
  override list(): readonly DirEntry[] {
    return listDirectory(`/proc/self/fd/${this.fd}`);
  }
  override ready(): number {
    return POLL.IN | POLL.OUT | POLL.RDNORM | POLL.WRNORM;
  }
  /** Node says nothing of the readiness of descriptors: it is tried again after a while. */
  override wait(_events: number, fn: () => void): () => void {
    let delay = RETRY_FIRST;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      timer = setTimeout(() => {
        delay = Math.min(delay * 2, RETRY_LAST);
        arm();
        fn();
      }, delay);
    };
    arm();
    return () => clearTimeout(timer);
  }
  override close(): void {
    if (this.#owned) guard(() => closeSync(this.fd));
  }
}
