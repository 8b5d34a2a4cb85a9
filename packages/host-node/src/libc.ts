import { loadKoffi } from "./koffi.ts";

/** The calls that Node lacks. Undefined where koffi is not installed or the system is not Linux. */
export interface Libc {
  /** Zeroes or frees `length` bytes. @returns 0, or the negated errno. */
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  /** Sets or drops a shared open-file-description lock on one byte. @returns 0, or the negated errno. */
  lockByte(fd: number, at: number, on: boolean): number;
  /** True when another open file description has a lock on the byte. */
  byteLocked(fd: number, at: number): boolean;
  /**
   * Reads what is in the host's memory already, without waiting for a disk, into at most {@link MOST_PIECES} pieces.
   * @returns bytes read; negative when that cannot be done here, or not now.
   */
  readCached(fd: number, into: readonly Uint8Array[], at: number): number;
  /** Copies between files, in a thread of the host. @returns bytes copied; less than 1 when that cannot be done. */
  copyRange(from: number, fromAt: number, to: number, toAt: number, length: number): Promise<number>;
  /** Next offset at or after `at` that is data, or a hole; -1 = none, less = the file system cannot tell. */
  seek(fd: number, at: number, what: "data" | "hole"): number;
  /** Makes a named pipe; `path` ends with a zero byte. @returns 0, or the negated errno. */
  mkfifo(path: Uint8Array, mode: number): number;
  /** Sets access and modification time: two of struct timespec. @returns 0, or the negated errno. */
  futimens(fd: number, times: Uint8Array): number;
  /** The same for a path that ends with a zero byte. */
  utimens(path: Uint8Array, times: Uint8Array, follow: boolean): number;
  /** Renames with flags of renameat2; paths end with a zero byte. @returns 0, or the negated errno. */
  rename(from: Uint8Array, to: Uint8Array, flags: number): number;
  /** Events of `events` (numbers of poll) that a descriptor has now. */
  poll(fd: number, events: number): number;
  /** Ends the process: nothing of it runs any more, and nothing is waited for. */
  exit(status: number): void;
  /** Opens a new pseudo-terminal. @returns its descriptor and the slave's name. */
  openPty(): { fd: number; name: string };
}

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const RWF_NOWAIT = 8;
/** Most pieces of a vectored call. Source: Linux, readv(2), IOV_MAX. */
export const MOST_PIECES = 1024;
/** 32-bit words of struct iovec: void *base, size_t length. */
const IOVEC_WORDS = 4;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;
const O_RDWR = 2;
const O_NOCTTY = 0o400;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

/** struct flock of 64-bit Linux for one byte: short type, short whence, off_t start, off_t len, pid_t pid. */
function flock(type: number, at: number): Buffer {
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(type, 0);
  lock.writeUInt32LE(at, 8);
  lock.writeUInt32LE(1, 16);
  return lock;
}

/**
 * Makes arrays of struct iovec, in the same memory each time. What a piece lies in stays where it is while its buffer lives, so each buffer's
 * place is asked for once: that takes longer than a small read.
 */
function vectors(placeOf: (buffer: ArrayBufferLike) => number): (pieces: readonly Uint8Array[]) => Uint32Array {
  const places: WeakMap<ArrayBufferLike, number> = new WeakMap();
  const place = (buffer: ArrayBufferLike): number => {
    const found = placeOf(buffer);
    places.set(buffer, found);
    return found;
  };
  const words = new Uint32Array(MOST_PIECES * IOVEC_WORDS);
  return (pieces) => {
    let i = 0;
    for (const piece of pieces) {
      const { buffer } = piece;
      const at = (places.get(buffer) ?? place(buffer)) + piece.byteOffset;
      words[i] = at;
      words[i + 1] = at / 2 ** 32;
      words[i + 2] = piece.length;
      i += IOVEC_WORDS;
    }
    return words;
  };
}

/** An off_t in memory. */
function offset(at: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(at));
  return bytes;
}

let loaded: Libc | null | undefined;

/** libc through koffi, loaded at first use. */
export function libc(): Libc | undefined {
  loaded ??= load();
  return loaded ?? undefined;
}

/**
 * Ends the process when libc is loaded already, else returns. `process.exit` waits for what V8's threads are at, 3 ms of a short command.
 * Its listeners are told. Standard streams that Node has opened stay as it set them: this is for programs that write by descriptor.
 */
export function exitAtOnce(status: number): void {
  if (!loaded) return;
  process.emit("exit", status);
  loaded.exit(status);
}

function load(): Libc | null {
  if (process.platform !== "linux") return null;
  try {
    const koffi = loadKoffi();
    const lib = koffi.load("libc.so.6");
    // Each costs a tenth of a millisecond of a cold start: what disks do not need is made at its first use.
    const later = (prototype: string): ((...args: unknown[]) => unknown) => {
      let made: ((...args: unknown[]) => unknown) | undefined;
      return (...args) => (made ??= lib.func(prototype) as (...given: unknown[]) => unknown)(...args);
    };
    const fallocate = lib.func("int fallocate(int fd, int mode, int64_t offset, int64_t len)");
    const fcntl = lib.func("int fcntl(int fd, int cmd, void *arg)");
    const preadv2 = lib.func("int64_t preadv2(int fd, void *iov, int count, int64_t at, int flags)");
    const vector = vectors((buffer) => Number(koffi.address(buffer)));
    const lseek = lib.func("int64_t lseek(int fd, int64_t at, int whence)");
    const openpt = later("int posix_openpt(int flags)");
    const grantpt = later("int grantpt(int fd)");
    const unlockpt = later("int unlockpt(int fd)");
    const ptsname = later("int ptsname_r(int fd, void *buf, size_t len)");
    const mkfifo = later("int mkfifo(const void *path, unsigned int mode)");
    const futimens = later("int futimens(int fd, const void *times)");
    const utimensat = later("int utimensat(int dir, const void *path, const void *times, int flags)");
    const renameat2 = later("int renameat2(int a, const void *from, int b, const void *to, unsigned int flags)");
    const exit = later("void _exit(int status)");
    const poll = later("int poll(_Inout_ void *fds, uint64_t count, int timeout)");
    let copying: { async(...args: unknown[]): void } | undefined;
    const result = (r: number): number => (r === 0 ? 0 : -koffi.errno());
    return {
      fallocate: (fd, mode, offset, length) => result(fallocate(fd, mode, offset, length) as number),
      readCached: (fd, into, at) => preadv2(fd, vector(into), into.length, at, RWF_NOWAIT) as number,
      copyRange(from, fromAt, to, toAt, length) {
        const [read, write] = [offset(fromAt), offset(toAt)];
        copying ??= lib.func(
          "int64_t copy_file_range(int in, void *inAt, int out, void *outAt, size_t len, uint flags)",
        );
        const { async: later } = copying;
        return new Promise((resolve) => {
          // Both offsets stay where they are until the answer.
          later(from, read, to, write, length, 0, (error: unknown, n: unknown) =>
            resolve(error === null && read.length + write.length === 16 ? Number(n) : -1),
          );
        });
      },
      lockByte: (fd, at, on) => result(fcntl(fd, F_OFD_SETLK, flock(on ? F_RDLCK : F_UNLCK, at)) as number),
      byteLocked(fd, at) {
        const lock = flock(F_WRLCK, at);
        return (fcntl(fd, F_OFD_GETLK, lock) as number) === 0 && lock.readInt16LE(0) !== F_UNLCK;
      },
      seek(fd, at, what) {
        const found = lseek(fd, at, what === "data" ? SEEK_DATA : SEEK_HOLE) as number;
        if (found >= 0) return found;
        const errno = koffi.errno();
        return errno === ENXIO ? -1 : -errno - 1000;
      },
      mkfifo: (path, mode) => result(mkfifo(path, mode) as number),
      futimens: (fd, times) => result(futimens(fd, times) as number),
      utimens: (path, times, follow) =>
        result(utimensat(AT_FDCWD, path, times, follow ? 0 : AT_SYMLINK_NOFOLLOW) as number),
      rename: (from, to, flags) => result(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags) as number),
      exit: (status) => void exit(status),
      poll(fd, events) {
        // struct pollfd: int fd, short events, short revents
        const entry = Buffer.alloc(8);
        entry.writeInt32LE(fd, 0);
        entry.writeInt16LE(events, 4);
        return (poll(entry, 1, 0) as number) > 0 ? entry.readInt16LE(6) : 0;
      },
      openPty() {
        const fd = openpt(O_RDWR | O_NOCTTY) as number;
        const name = Buffer.alloc(128);
        if (fd < 0 || grantpt(fd) !== 0 || unlockpt(fd) !== 0 || ptsname(fd, name, name.length) !== 0)
          throw new Error(`no pseudo-terminal: errno ${koffi.errno()}`);
        return { fd, name: name.toString("utf8", 0, name.indexOf(0)) };
      },
    };
  } catch {
    return null;
  }
}
