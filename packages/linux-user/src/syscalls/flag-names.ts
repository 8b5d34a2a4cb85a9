/** Names of flags for `-strace`. Source: Linux, include/uapi (names and numbers). */
import { O } from "../fs/constants.ts";
import { MAP } from "../guest-memory.ts";
import type { FlagSet, NameSet } from "./kinds.ts";

const set = (names: Readonly<Record<string, number>>): FlagSet["bits"] =>
  Object.entries(names).map(([name, value]) => [value, name] as const);

export const OPEN_FLAGS: FlagSet = {
  choice: { mask: 3, names: { 0: "O_RDONLY", 1: "O_WRONLY", 2: "O_RDWR" } },
  bits: set({
    O_TMPFILE: O.TMPFILE, O_SYNC: O.SYNC, O_CREAT: O.CREAT, O_EXCL: O.EXCL, O_NOCTTY: O.NOCTTY, O_TRUNC: O.TRUNC,
    O_APPEND: O.APPEND, O_NONBLOCK: O.NONBLOCK, O_DSYNC: O.DSYNC, O_ASYNC: O.ASYNC, O_DIRECT: O.DIRECT,
    O_LARGEFILE: O.LARGEFILE, O_DIRECTORY: O.DIRECTORY, O_NOFOLLOW: O.NOFOLLOW, O_NOATIME: O.NOATIME,
    O_CLOEXEC: O.CLOEXEC, O_PATH: O.PATH,
  }),
}; // prettier-ignore

export const PROT_FLAGS: FlagSet = {
  bits: set({ PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4, PROT_GROWSDOWN: 0x1000000, PROT_GROWSUP: 0x2000000 }),
  choice: { mask: 0, names: {} },
};

export const MAP_FLAGS: FlagSet = {
  choice: { mask: MAP.TYPE, names: { 1: "MAP_SHARED", 2: "MAP_PRIVATE", 3: "MAP_SHARED_VALIDATE" } },
  bits: set({
    MAP_FIXED: MAP.FIXED, MAP_ANONYMOUS: MAP.ANONYMOUS, MAP_GROWSDOWN: MAP.GROWSDOWN, MAP_DENYWRITE: MAP.DENYWRITE,
    MAP_EXECUTABLE: MAP.EXECUTABLE, MAP_LOCKED: MAP.LOCKED, MAP_NORESERVE: MAP.NORESERVE, MAP_POPULATE: MAP.POPULATE,
    MAP_NONBLOCK: MAP.NONBLOCK, MAP_STACK: MAP.STACK, MAP_HUGETLB: MAP.HUGETLB, MAP_SYNC: MAP.SYNC,
    MAP_FIXED_NOREPLACE: MAP.FIXED_NOREPLACE,
  }),
}; // prettier-ignore

export const AT_FLAGS: FlagSet = {
  bits: set({
    AT_SYMLINK_NOFOLLOW: 0x100, AT_REMOVEDIR: 0x200, AT_SYMLINK_FOLLOW: 0x400, AT_NO_AUTOMOUNT: 0x800, AT_EMPTY_PATH: 0x1000,
    AT_STATX_FORCE_SYNC: 0x2000, AT_STATX_DONT_SYNC: 0x4000,
  }),
}; // prettier-ignore

export const CLONE_FD_FLAGS: FlagSet = {
  bits: set({ O_CLOEXEC: O.CLOEXEC, O_NONBLOCK: O.NONBLOCK, O_DIRECT: O.DIRECT }),
};

export const CLOCKS: NameSet = {
  names: {
    0: "CLOCK_REALTIME", 1: "CLOCK_MONOTONIC", 2: "CLOCK_PROCESS_CPUTIME_ID", 3: "CLOCK_THREAD_CPUTIME_ID",
    4: "CLOCK_MONOTONIC_RAW", 5: "CLOCK_REALTIME_COARSE", 6: "CLOCK_MONOTONIC_COARSE", 7: "CLOCK_BOOTTIME",
    8: "CLOCK_REALTIME_ALARM", 9: "CLOCK_BOOTTIME_ALARM", 11: "CLOCK_TAI",
  },
}; // prettier-ignore

export const FCNTL_COMMANDS: NameSet = {
  names: {
    0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL", 5: "F_GETLK", 6: "F_SETLK", 7: "F_SETLKW",
    8: "F_SETOWN", 9: "F_GETOWN", 10: "F_SETSIG", 11: "F_GETSIG", 36: "F_OFD_GETLK", 37: "F_OFD_SETLK",
    38: "F_OFD_SETLKW", 1024: "F_SETLEASE", 1025: "F_GETLEASE", 1030: "F_DUPFD_CLOEXEC", 1031: "F_SETPIPE_SZ",
    1032: "F_GETPIPE_SZ", 1033: "F_ADD_SEALS", 1034: "F_GET_SEALS",
  },
}; // prettier-ignore

export const WHENCE: NameSet = {
  names: { 0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END", 3: "SEEK_DATA", 4: "SEEK_HOLE" },
};

export const IOCTLS: NameSet = {
  names: {
    0x5401: "TCGETS", 0x5402: "TCSETS", 0x5403: "TCSETSW", 0x5404: "TCSETSF", 0x5409: "TCSBRK", 0x540b: "TCFLSH",
    0x540e: "TIOCSCTTY", 0x540f: "TIOCGPGRP", 0x5410: "TIOCSPGRP", 0x5413: "TIOCGWINSZ", 0x5414: "TIOCSWINSZ",
    0x541b: "FIONREAD", 0x5421: "FIONBIO", 0x5422: "TIOCNOTTY", 0x5429: "TIOCGSID", 0x5450: "FIONCLEX",
    0x5451: "FIOCLEX", 0x5452: "FIOASYNC",
  },
}; // prettier-ignore

export const MADVICE: NameSet = {
  names: {
    0: "MADV_NORMAL", 1: "MADV_RANDOM", 2: "MADV_SEQUENTIAL", 3: "MADV_WILLNEED", 4: "MADV_DONTNEED", 8: "MADV_FREE",
    9: "MADV_REMOVE", 10: "MADV_DONTFORK", 11: "MADV_DOFORK", 12: "MADV_MERGEABLE", 13: "MADV_UNMERGEABLE",
    14: "MADV_HUGEPAGE", 15: "MADV_NOHUGEPAGE", 16: "MADV_DONTDUMP", 17: "MADV_DODUMP", 20: "MADV_COLD", 21: "MADV_PAGEOUT",
  },
}; // prettier-ignore

export const RESOURCES: NameSet = {
  names: {
    0: "RLIMIT_CPU", 1: "RLIMIT_FSIZE", 2: "RLIMIT_DATA", 3: "RLIMIT_STACK", 4: "RLIMIT_CORE", 5: "RLIMIT_RSS",
    6: "RLIMIT_NPROC", 7: "RLIMIT_NOFILE", 8: "RLIMIT_MEMLOCK", 9: "RLIMIT_AS", 10: "RLIMIT_LOCKS",
    11: "RLIMIT_SIGPENDING", 12: "RLIMIT_MSGQUEUE", 13: "RLIMIT_NICE", 14: "RLIMIT_RTPRIO", 15: "RLIMIT_RTTIME",
  },
}; // prettier-ignore
