/** Descriptors for events. Source: Linux man-pages, eventfd(2), signalfd(2), epoll_create(2), epoll_ctl(2), epoll_wait(2). */
import { E } from "../../errno.ts";
import { O, S } from "../../fs/constants.ts";
import { waitMask } from "../../signals/calls.ts";
import { EpollFile, EventFile, SignalFile } from "../event-files.ts";
import { CLONE_FD_FLAGS } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { epollEvent, TIMESPEC } from "../structs.ts";
import { readTimeout, waitMany, type Timeout } from "./poll.ts";

function eventfd2(k: Kernel, count: number, flags: number): number {
  if ((flags & ~(O.CLOEXEC | O.NONBLOCK | 1)) !== 0) return -E.INVAL;
  return k.install(new EventFile(count, (flags & 1) !== 0, k.abi), O.RDWR | (flags & ~1), "anon_inode:[eventfd]");
}

/** SIGKILL and SIGSTOP can't be had. */
const NEVER = (1n << 8n) | (1n << 18n);

function signalfd4(k: Kernel, fd: number, mask: number, size: number, flags: number): number {
  if ((flags & ~(O.CLOEXEC | O.NONBLOCK)) !== 0) return -E.INVAL;
  const set = waitMask(k.process, mask, size);
  if (set === undefined) return -E.FAULT;
  if (fd === -1) return k.install(new SignalFile(k.process, set & ~NEVER), O.RDWR | flags, "anon_inode:[signalfd]");
  const { file } = k.fds.get(fd);
  if (!(file instanceof SignalFile)) return -E.INVAL;
  file.mask = set & ~NEVER;
  return fd;
}

function epollCreate(k: Kernel, flags: number): number {
  if ((flags & ~O.CLOEXEC) !== 0) return -E.INVAL;
  return k.install(new EpollFile(), O.RDWR | flags, "anon_inode:[eventpoll]");
}

const MAX_WATCHES = 65536;

function epollCtl(k: Kernel, epfd: number, op: number, fd: number, address: number): number {
  const epoll = k.fds.get(epfd).file;
  const open = k.fds.get(fd);
  const { type } = open.file;
  if (type === S.IFREG || type === S.IFDIR) return -E.PERM;
  if (!(epoll instanceof EpollFile) || open.file === epoll) return -E.INVAL;
  prune(k, epoll);
  const key = String(fd);
  const there = epoll.interests.get(key);
  if (op === 2) {
    if (there === undefined) return -E.NOENT;
    epoll.interests.delete(key);
    return 0;
  }
  const { events, data } = k.memory.get(epollEvent(k.abi), address);
  if (op === 1) {
    if (there !== undefined) return -E.EXIST;
    if (epoll.interests.size >= MAX_WATCHES) return -E.NOSPC;
    epoll.add(key, { open, fd, events, data, told: 0 });
    return 0;
  }
  if (op !== 3) return -E.INVAL;
  if (there === undefined) return -E.NOENT;
  there.events = events;
  there.data = data;
  there.told = 0;
  epoll.changed();
  return 0;
}

/** Files whose last descriptor was closed are no longer watched. */
function prune(k: Kernel, epoll: EpollFile): void {
  for (const [key, { open, fd }] of epoll.interests)
    if (open.refs <= 0 || k.fds.peek(fd) !== open) epoll.interests.delete(key);
}

function wait(
  k: Kernel,
  epfd: number,
  out: number,
  most: number,
  timeout: Timeout,
  mask: bigint | undefined,
): number | Promise<number> {
  const epoll = k.fds.get(epfd).file;
  const layout = epollEvent(k.abi);
  const { size } = layout.on(k.abi);
  if (!(epoll instanceof EpollFile) || most <= 0 || most > 2 ** 31 / size) return -E.INVAL;
  prune(k, epoll);
  const scan = (): number => {
    const taken = epoll.take(Math.min(most, MAX_WATCHES));
    taken.forEach((event, i) => k.memory.put(layout, out + i * size, event));
    return taken.length;
  };
  if (mask !== undefined) k.process.signals.maskForWait(mask);
  return waitMany(k.process, [{ file: epoll, events: 1 }], timeout, scan);
}

function epollPwait(
  k: Kernel,
  epfd: number,
  out: number,
  most: number,
  ms: number,
  mask: number,
  size: number,
): number | Promise<number> {
  return wait(k, epfd, out, most, ms < 0 ? undefined : ms * 1e6, waitMask(k.process, mask, size));
}

function epollPwait2(
  k: Kernel,
  epfd: number,
  out: number,
  most: number,
  timeout: number,
  mask: number,
  size: number,
): number | Promise<number> {
  return wait(k, epfd, out, most, readTimeout(k, TIMESPEC, timeout), waitMask(k.process, mask, size));
}

export const eventCalls: readonly CallDef[] = [
  { name: "eventfd2", args: ["uint", { flags: CLONE_FD_FLAGS }], run: eventfd2 },
  { name: "signalfd4", args: ["fd", "ptr", "ulong", { flags: CLONE_FD_FLAGS }], run: signalfd4 },
  { name: "epoll_create1", args: [{ flags: CLONE_FD_FLAGS }], run: epollCreate },
  { name: "epoll_ctl", args: ["fd", "int", "fd", "ptr"], run: epollCtl },
  { name: "epoll_pwait", args: ["fd", "ptr", "int", "int", "ptr", "ulong"], run: epollPwait },
  { name: "epoll_pwait2", args: ["fd", "ptr", "int", "ptr", "ptr", "ulong"], run: epollPwait2 },
];
