/** Files as the system calls see them: what a host, or a file system in memory, implements. */

/** A moment: seconds since 1970 and nanoseconds. */
export interface FileTime {
  readonly sec: number;
  readonly nsec: number;
}

/** What is known of a file. Numbers of devices are in Linux's form (see `makeDev`). */
export interface Stat {
  readonly dev: number;
  readonly ino: number;
  /** Type and permissions, numbers of {@link S}. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** Bytes that are read best at once. */
  readonly blksize: number;
  /** Units of 512 bytes. */
  readonly blocks: number;
  readonly atime: FileTime;
  readonly mtime: FileTime;
  readonly ctime: FileTime;
  readonly btime?: FileTime;
}

/** What is known of a file system. */
export interface StatFs {
  readonly type: number;
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly namelen: number;
}

/** A name in a directory; `mode` has the type only. */
export interface DirEntry {
  readonly name: string;
  readonly ino: number;
  readonly mode: number;
}

/** Settings of a terminal, numbers of asm-generic/termbits.h. */
export interface Termios {
  readonly iflag: number;
  readonly oflag: number;
  readonly cflag: number;
  readonly lflag: number;
  readonly line: number;
  /** Control characters, 19 of them. */
  readonly cc: readonly number[];
}

/** What makes a file a terminal. */
export interface Terminal {
  get(): Termios;
  /** `when`: 0 now, 1 after output, 2 after output and with input thrown away. */
  set(settings: Termios, when: 0 | 1 | 2): void;
  size(): { readonly rows: number; readonly columns: number };
  resize(rows: number, columns: number): void;
  /** Process group in the foreground. */
  foreground: number;
}

/** A time to set: a moment, the present, or the one it has. */
export type SetTime = FileTime | "now" | "keep";

/**
 * An opened file without position, flags and descriptor, which system calls add. Methods throw `Errno`. Nothing blocks: what
 * would returns −EAGAIN, and `wait` says when to try again.
 */
export interface File {
  /** Type, one of {@link S}. */
  readonly type: number;
  /** Whether it has positions. */
  readonly seekable: boolean;
  /** @param at offset, or −1: what comes next in a stream. @returns bytes read, 0 at the end, or a negated error number */
  read(into: Uint8Array, at: number): number;
  /** @param at offset, or −1: next in a stream, or at the end of a file that was opened to append. @returns as `read` */
  write(from: Uint8Array, at: number): number;
  stat(): Stat;
  statfs(): StatFs;
  /** Bytes; cheaper than `stat`. */
  size(): number;
  truncate(size: number): void;
  /** Gets space. `mode` as of fallocate. */
  allocate(mode: number, offset: number, length: number): void;
  sync(dataOnly: boolean): void;
  chmod(mode: number): void;
  chown(uid: number, gid: number): void;
  utimes(atime: SetTime, mtime: SetTime): void;
  /** Names of a directory, without `.` and `..`. */
  list(): readonly DirEntry[];
  /** Events of {@link POLL} that are true now. */
  ready(): number;
  /** Calls `fn` at least once after `ready` may have come to have one of `events`. @returns how to stop */
  wait(events: number, fn: () => void): () => void;
  /** Bytes that can be read at once: FIONREAD. */
  available(): number;
  readonly terminal?: Terminal | undefined;
  /** Where its position is when it is opened: descriptors that the host hands down. */
  readonly start?: number;
  close(): void;
}

/**
 * A tree of files. Paths are absolute, in the program's view, with at most 4095 bytes; they may contain `.`, `..`, repeated
 * and final slashes. Methods throw `Errno`.
 */
export interface FileSystem {
  /** @param flags numbers of {@link O}. @param mode permissions of a new file, umask applied */
  open(path: string, flags: number, mode: number): File;
  stat(path: string, follow: boolean): Stat;
  statfs(path: string): StatFs;
  /** @param mode 4 read, 2 write, 1 execute, 0 exists. */
  access(path: string, mode: number, follow: boolean): void;
  readlink(path: string): string;
  /** The path without links, `.` and `..`. */
  realpath(path: string): string;
  mkdir(path: string, mode: number): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  /** @param flags of {@link RENAME}. */
  rename(from: string, to: string, flags: number): void;
  link(from: string, to: string, follow: boolean): void;
  symlink(target: string, path: string): void;
  /** @param mode with the type: FIFO or regular file. */
  mknod(path: string, mode: number, dev: number): void;
  chmod(path: string, mode: number, follow: boolean): void;
  chown(path: string, uid: number, gid: number, follow: boolean): void;
  utimes(path: string, atime: SetTime, mtime: SetTime, follow: boolean): void;
  truncate(path: string, size: number): void;
  sync(): void;
}
