/** A file or folder of the host, as whoever implements {@link HostDirectory} wants to remember it. */
export type HostEntry = object;

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
  readonly size: number;
  readonly nlink: number;
  readonly rdev: number;
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
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: HostTime | "now";
  mtime?: HostTime | "now";
}

export interface OpenMode {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly truncate: boolean;
}

/** An open file. */
export interface HostHandle {
  read(at: number, into: Uint8Array): Promise<number>;
  write(at: number, from: Uint8Array): Promise<number>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface HostSpace {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly files: number;
  readonly filesFree: number;
}

/**
 * A folder of the host that a guest may see: what `-fsdev` makes, a back end of kind "fsdev". Every step names one entry of
 * one folder (as openat(2) with O_NOFOLLOW does): names never hold "/" and are never "." or "..", and symbolic links are read, never
 * followed. Failures are errors whose `code` is a POSIX name.
 */
export interface HostDirectory {
  readonly readOnly: boolean;
  root(): Promise<HostEntry>;
  lookup(dir: HostEntry, name: string): Promise<HostEntry>;
  stat(entry: HostEntry): Promise<HostStat>;
  list(dir: HostEntry): Promise<{ readonly name: string; readonly mode: number; readonly inode: number }[]>;
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
  mkdir(dir: HostEntry, name: string, permissions: number): Promise<void>;
  symlink(dir: HostEntry, name: string, target: string): Promise<void>;
  link(entry: HostEntry, dir: HostEntry, name: string): Promise<void>;
  remove(dir: HostEntry, name: string, folder: boolean): Promise<void>;
  rename(from: HostEntry, name: string, to: HostEntry, newName: string): Promise<void>;
  set(entry: HostEntry, changes: HostChanges): Promise<void>;
  space(): Promise<HostSpace>;
}
