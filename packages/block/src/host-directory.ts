/** A file or folder of the host, as whoever implements {@link HostDirectory} wants to remember it. */
export type HostEntry = object;

/** A moment: seconds since 1970 and nanoseconds within the second. */
export interface HostTime {
  readonly sec: number;
  readonly nsec: number;
}

/** What stat(2) tells, with Linux's numbers. */
export interface HostStat {
  /** Type and permissions, as st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Names that the file has. */
  readonly nlink: number;
  /** Of a device file: its number. */
  readonly rdev: number;
  /** Bytes that are good to read at once. */
  readonly blockSize: number;
  /** In units of 512 bytes. */
  readonly blocks: number;
  readonly inode: number;
  readonly atime: HostTime;
  readonly mtime: HostTime;
  readonly ctime: HostTime;
}

/** What setattr changes; absent = as it is. A time that is "now" is the host's. */
export interface HostChanges {
  /** Permission bits. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Bytes; what is added reads as zeroes. */
  size?: number;
  atime?: HostTime | "now";
  mtime?: HostTime | "now";
}

/** How a file is opened, as open(2): `append` writes at the end, `truncate` empties it. */
export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly truncate: boolean;
}

/** An open file. */
export interface HostHandle {
  /** Resolves with the bytes read: fewer than asked only at the end. */
  read(at: number, into: Uint8Array): Promise<number>;
  /** Resolves with the bytes written. A file opened to append takes them at its end, wherever `at` is. */
  write(at: number, from: Uint8Array): Promise<number>;
  /** As fdatasync(2). */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Room on a file system, as statvfs(3) tells. */
export interface HostSpace {
  /** Bytes of one block. */
  readonly blockSize: number;
  /** In all. */
  readonly blocks: number;
  /** Blocks that a program without privileges may take. */
  readonly free: number;
  /** Inodes in all. */
  readonly files: number;
  /** Inodes that are free. */
  readonly filesFree: number;
}

/**
 * A folder of the host that a guest may see: what `-fsdev` makes, a back end of kind "fsdev". Every step names one entry of
 * one folder (as openat(2) with O_NOFOLLOW does): names never hold "/" and are never "." or "..", and symbolic links are read, never
 * followed. Failures are errors whose `code` is a POSIX name.
 */
export interface HostDirectory {
  /** Everything that changes something fails with "EROFS". */
  readonly readOnly: boolean;
  /** The folder itself. */
  root(): Promise<HostEntry>;
  /** The entry of this name. Fails with "ENOENT". */
  lookup(dir: HostEntry, name: string): Promise<HostEntry>;
  /** Facts about the entry, a link itself rather than what it names. */
  stat(entry: HostEntry): Promise<HostStat>;
  /** All entries but "." and "..", in the order of the host. */
  list(dir: HostEntry): Promise<{ readonly name: string; readonly mode: number; readonly inode: number }[]>;
  /** The text of a symbolic link. */
  readlink(entry: HostEntry): Promise<string>;
  /** Only regular files are opened. */
  open(entry: HostEntry, mode: OpenMode): Promise<HostHandle>;
  /** Fails when the name is there already. */
  create(
    dir: HostEntry,
    name: string,
    mode: OpenMode,
    permissions: number,
  ): Promise<{ entry: HostEntry; handle: HostHandle }>;
  /** Makes a folder. Fails when the name is there already. */
  mkdir(dir: HostEntry, name: string, permissions: number): Promise<void>;
  /** Makes a symbolic link with this text. */
  symlink(dir: HostEntry, name: string, target: string): Promise<void>;
  /** Gives a file a further name. */
  link(entry: HostEntry, dir: HostEntry, name: string): Promise<void>;
  /** Takes a name away: of an empty folder, or of anything else. */
  remove(dir: HostEntry, name: string, folder: boolean): Promise<void>;
  /** Moves an entry; what had the new name is replaced, as rename(2) does. */
  rename(from: HostEntry, name: string, to: HostEntry, newName: string): Promise<void>;
  /** Changes attributes. */
  set(entry: HostEntry, changes: HostChanges): Promise<void>;
  /** Of the file system that the folder is on. */
  space(): Promise<HostSpace>;
}
