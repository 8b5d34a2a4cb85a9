/**
 * Numbers of files in the form in which this package passes them on: those of the asm-generic ABI. Other ABIs translate at
 * the system call. Source: Linux, include/uapi/asm-generic/{fcntl,stat,poll}.h, linux/{stat,fcntl,fs}.h (numbers).
 */

/** Flags of open. */
export const O = {
  ACCMODE: 3, RDONLY: 0, WRONLY: 1, RDWR: 2, CREAT: 0o100, EXCL: 0o200, NOCTTY: 0o400, TRUNC: 0o1000, APPEND: 0o2000,
  NONBLOCK: 0o4000, DSYNC: 0o10000, ASYNC: 0o20000, DIRECT: 0o40000, LARGEFILE: 0o100000, DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000, NOATIME: 0o1000000, CLOEXEC: 0o2000000, SYNC: 0o4010000, PATH: 0o10000000, TMPFILE: 0o20200000,
} as const; // prettier-ignore

/** The type in a file's mode. */
export const S = {
  IFMT: 0o170000, IFSOCK: 0o140000, IFLNK: 0o120000, IFREG: 0o100000, IFBLK: 0o060000, IFDIR: 0o040000,
  IFCHR: 0o020000, IFIFO: 0o010000, ISUID: 0o4000, ISGID: 0o2000, ISVTX: 0o1000,
} as const; // prettier-ignore

/** Flags of the `*at` calls. */
export const AT = {
  FDCWD: -100, SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, EACCESS: 0x200, SYMLINK_FOLLOW: 0x400, NO_AUTOMOUNT: 0x800,
  EMPTY_PATH: 0x1000, STATX_SYNC_TYPE: 0x6000,
} as const; // prettier-ignore

/** Events of poll. */
export const POLL = {
  IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 0x10, NVAL: 0x20, RDNORM: 0x40, RDBAND: 0x80, WRNORM: 0x100, WRBAND: 0x200,
  RDHUP: 0x2000,
} as const; // prettier-ignore

/** Flags of renameat2. */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** Longest name, and longest path with its NUL. */
export const NAME_MAX = 255;
export const PATH_MAX = 4096;
