/** Structures of system calls. Source: Linux, include/uapi (names, order and widths of fields); man-pages, section 2. */
import type { Abi } from "../abi.ts";
import type { FileTime, Stat } from "../fs/types.ts";
import { majorOf, minorOf } from "../fs/base-file.ts";
import type { GuestMemory } from "../guest-memory.ts";
import { array, layout, pad } from "../layout.ts";

export const TIMESPEC = layout({ sec: "long", nsec: "long" });
export const TIMESPEC64 = layout({ sec: "s64", nsec: "s64" });
export const TIMEVAL = layout({ sec: "long", usec: "long" });
export const ITIMERSPEC = layout({ interval: TIMESPEC, value: TIMESPEC });
export const ITIMERSPEC64 = layout({ interval: TIMESPEC64, value: TIMESPEC64 });
export const ITIMERVAL = layout({ interval: TIMEVAL, value: TIMEVAL });

/** struct stat of 64-bit ABIs. */
export const STAT = layout({
  dev: "ulong", ino: "ulong", mode: "u32", nlink: "u32", uid: "u32", gid: "u32", rdev: "ulong", pad1: "ulong",
  size: "long", blksize: "s32", pad2: "s32", blocks: "long", atime: "long", atimeNs: "ulong", mtime: "long",
  mtimeNs: "ulong", ctime: "long", ctimeNs: "ulong", unused: array("u32", 2),
}); // prettier-ignore
/** struct stat64 of 32-bit ABIs. */
export const STAT64 = layout({
  dev: "u64", ino: "u64", mode: "u32", nlink: "u32", uid: "u32", gid: "u32", rdev: "u64", pad1: "u64", size: "s64",
  blksize: "s32", pad2: "s32", blocks: "s64", atime: "s32", atimeNs: "u32", mtime: "s32", mtimeNs: "u32", ctime: "s32",
  ctimeNs: "u32", unused: array("u32", 2),
}); // prettier-ignore

const STATX_TIME = layout({ sec: "s64", nsec: "u32", reserved: "s32" });
export const STATX = layout({
  mask: "u32", blksize: "u32", attributes: "u64", nlink: "u32", uid: "u32", gid: "u32", mode: "u16", spare0: "u16",
  ino: "u64", size: "u64", blocks: "u64", attributesMask: "u64", atime: STATX_TIME, btime: STATX_TIME,
  ctime: STATX_TIME, mtime: STATX_TIME, rdevMajor: "u32", rdevMinor: "u32", devMajor: "u32", devMinor: "u32",
  mntId: "u64", spare: array("u64", 13),
}); // prettier-ignore

export const STATFS = layout({
  type: "long", bsize: "long", blocks: "u64", bfree: "u64", bavail: "u64", files: "u64", ffree: "u64",
  fsid: array("s32", 2), namelen: "long", frsize: "long", flags: "long", spare: array("long", 4),
}); // prettier-ignore

export const RUSAGE = layout({
  utime: TIMEVAL, stime: TIMEVAL, maxrss: "long", ixrss: "long", idrss: "long", isrss: "long", minflt: "long",
  majflt: "long", nswap: "long", inblock: "long", oublock: "long", msgsnd: "long", msgrcv: "long", nsignals: "long",
  nvcsw: "long", nivcsw: "long",
}); // prettier-ignore

export const SYSINFO = layout({
  uptime: "long", loads: array("ulong", 3), totalram: "ulong", freeram: "ulong", sharedram: "ulong",
  bufferram: "ulong", totalswap: "ulong", freeswap: "ulong", procs: "u16", pad: "u16", totalhigh: "ulong",
  freehigh: "ulong", memUnit: "u32",
}); // prettier-ignore

export const TMS = layout({ utime: "long", stime: "long", cutime: "long", cstime: "long" });
export const RLIMIT = layout({ cur: "ulong", max: "ulong" });
export const RLIMIT64 = layout({ cur: "b64", max: "b64" });
export const UTS_LENGTH = 65;
export const IOVEC = layout({ base: "ptr", length: "ulong" });
export const POLLFD = layout({ fd: "s32", events: "s16", revents: "s16" });
export const EPOLL_EVENT = layout({ events: "u32", data: "b64" });
export const EPOLL_EVENT_PACKED = layout({ events: "u32", data: "b64" }, { packed: true });
export const TERMIOS = layout({
  iflag: "u32",
  oflag: "u32",
  cflag: "u32",
  lflag: "u32",
  line: "u8",
  cc: array("u8", 19),
});
export const TERMIOS2 = layout({
  iflag: "u32", oflag: "u32", cflag: "u32", lflag: "u32", line: "u8", cc: array("u8", 19), ispeed: "u32", ospeed: "u32",
}); // prettier-ignore
export const WINSIZE = layout({ rows: "u16", columns: "u16", x: "u16", y: "u16" });
export const FLOCK = layout({ type: "s16", whence: "s16", start: "long", length: "long", pid: "s32" });
export const FLOCK64 = layout({ type: "s16", whence: "s16", start: "s64", length: "s64", pid: "s32" });
export const OPEN_HOW = layout({ flags: "u64", mode: "u64", resolve: "u64" });
export const DIRENT64_HEAD = layout({ ino: "u64", off: "s64", reclen: "u16", type: "u8" }, { packed: true });
export const CAP_HEADER = layout({ version: "u32", pid: "s32" });
export const CAP_DATA = layout({ effective: "u32", permitted: "u32", inheritable: "u32" });
export const SIGEVENT = layout({ value: "ulong", signo: "s32", notify: "s32", tid: "s32", rest: pad(44) });
export const HWPROBE = layout({ key: "s64", value: "b64" });
export const SCHED_PARAM = layout({ priority: "s32" });
export const ROBUST_LIST_SIZE = 24;

/** Seconds and nanoseconds of a pair of longs, written without an object. */
export function putTime(m: GuestMemory, address: number, sec: number, sub: number): void {
  m.setWord(address, sec);
  m.setWord(address + m.abi.wordBits / 8, sub);
}

/** struct stat of an ABI. */
export function putStat(m: GuestMemory, address: number, s: Stat): void {
  const values = {
    dev: s.dev, ino: s.ino, mode: s.mode, nlink: s.nlink, uid: s.uid, gid: s.gid, rdev: s.rdev, size: s.size,
    blksize: s.blksize, blocks: s.blocks, atime: s.atime.sec, atimeNs: s.atime.nsec, mtime: s.mtime.sec,
    mtimeNs: s.mtime.nsec, ctime: s.ctime.sec, ctimeNs: s.ctime.nsec,
  }; // prettier-ignore
  if (m.abi.wordBits === 64) m.put(STAT, address, values);
  else m.put(STAT64, address, values);
}

const statxTime = (t: FileTime): { sec: number; nsec: number; reserved: number } => ({
  sec: t.sec,
  nsec: t.nsec,
  reserved: 0,
});

/** struct statx. */
export function putStatx(m: GuestMemory, address: number, s: Stat): void {
  const basic = 0x7ff;
  m.put(STATX, address, {
    mask: basic | (s.btime ? 0x800 : 0), blksize: s.blksize, nlink: s.nlink, uid: s.uid, gid: s.gid, mode: s.mode,
    ino: s.ino, size: s.size, blocks: s.blocks, atime: statxTime(s.atime), ctime: statxTime(s.ctime),
    mtime: statxTime(s.mtime), btime: statxTime(s.btime ?? { sec: 0, nsec: 0 }), rdevMajor: majorOf(s.rdev),
    rdevMinor: minorOf(s.rdev), devMajor: majorOf(s.dev), devMinor: minorOf(s.dev),
  }); // prettier-ignore
}

/** Whether a 64-bit number follows directly in struct epoll_event: on x86-64 only. */
export function epollEvent(abi: Abi): typeof EPOLL_EVENT {
  return abi.machine === "x86_64" ? EPOLL_EVENT_PACKED : EPOLL_EVENT;
}
