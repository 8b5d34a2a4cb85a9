/** Descriptors. Source: Linux man-pages, dup(2), fcntl(2), flock(2), pipe(2), socketpair(2). */
import { E } from "../../errno.ts";
import { O, S } from "../../fs/constants.ts";
import { createPipe, createSocketPair, PIPE_SIZE } from "../../fs/pipe.ts";
import { CLONE_FD_FLAGS, FCNTL_COMMANDS } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import { FLOCK, FLOCK64 } from "../structs.ts";

const dup = (k: Kernel, fd: number): number => k.fds.add(k.fds.get(fd).retain(), false);

function dup3(k: Kernel, from: number, to: number, flags: number): number {
  if ((flags & ~O.CLOEXEC) !== 0 || from === to) return -E.INVAL;
  k.fds.put(to, k.fds.get(from).retain(), flags !== 0);
  return to;
}

/** Flags that F_SETFL changes. */
const SETTABLE = O.APPEND | O.NONBLOCK | O.ASYNC | O.DIRECT | O.NOATIME;
const F_UNLCK = 2;

/** fcntl. */
function fcntl(k: Kernel, fd: number, command: number, arg: number): number {
  const open = k.fds.get(fd);
  switch (command) {
    case 0:
    case 1030:
      if (arg >= (k.process.limits[7]?.[0] ?? 1024)) return -E.INVAL;
      return k.fds.add(open.retain(), command === 1030, arg);
    case 1:
      return k.fds.cloexec(fd) ? 1 : 0;
    case 2:
      k.fds.setCloexec(fd, (arg & 1) !== 0);
      return 0;
    case 3:
      return open.flags | (k.abi.wordBits === 64 ? O.LARGEFILE : 0);
    case 4:
      open.flags = (open.flags & ~SETTABLE) | (arg & SETTABLE);
      return 0;
    case 8:
      open.owner = arg | 0;
      return 0;
    case 9:
      return open.owner;
    case 10:
      if (arg > 64) return -E.INVAL;
      open.signal = arg;
      return 0;
    case 11:
      return open.signal;
    case 5:
    case 12:
    case 36:
      return getLock(k, command, arg);
    case 6:
    case 7:
    case 13:
    case 14:
    case 37:
    case 38:
      return setLock(k, command, arg, open.readable, open.writable);
    case 1024:
      return -E.AGAIN;
    case 1025:
      return F_UNLCK;
    case 1031:
      return open.file.type === S.IFIFO ? (arg <= PIPE_SIZE ? PIPE_SIZE : -E.PERM) : -E.BADF;
    case 1032:
      return open.file.type === S.IFIFO ? PIPE_SIZE : -E.BADF;
    default:
      return -E.INVAL;
  }
}

/** 32-bit ABIs have commands of their own for 64-bit locks (12 to 14); on 64-bit ones these are the same. */
const lockLayout = (command: number): typeof FLOCK => (command >= 12 ? (FLOCK64 as unknown as typeof FLOCK) : FLOCK);

/** Locks keep other processes out, and there are none that share files with this one knowingly: each is granted. */
function getLock(k: Kernel, command: number, address: number): number {
  const layout = k.abi.wordBits === 64 ? FLOCK : lockLayout(command);
  const lock = k.memory.get(layout, address);
  if (lock.type < 0 || lock.type > 1 || lock.whence < 0 || lock.whence > 2) return -E.INVAL;
  k.memory.put(layout, address, { ...lock, type: F_UNLCK });
  return 0;
}

function setLock(k: Kernel, command: number, address: number, readable: boolean, writable: boolean): number {
  const { type, whence } = k.memory.get(k.abi.wordBits === 64 ? FLOCK : lockLayout(command), address);
  if (type < 0 || type > 2 || whence < 0 || whence > 2) return -E.INVAL;
  return (type === 0 && !readable) || (type === 1 && !writable) ? -E.BADF : 0;
}

function flock(k: Kernel, fd: number, operation: number): number {
  k.fds.get(fd);
  return [1, 2, 8].includes(operation & ~4) ? 0 : -E.INVAL;
}

function pipe2(k: Kernel, out: number, flags: number): number {
  if ((flags & ~(O.CLOEXEC | O.NONBLOCK | O.DIRECT)) !== 0) return -E.INVAL;
  k.memory.bytes(out, 8, "w");
  k.fds.check(2);
  const [reader, writer] = createPipe(k.pipes);
  const from = k.install(reader, O.RDONLY | flags, "pipe:[1]");
  const to = k.install(writer, O.WRONLY | flags, "pipe:[1]");
  k.memory.setU32(out, from);
  k.memory.setU32(out + 4, to);
  return 0;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;

function socketpair(k: Kernel, domain: number, type: number, protocol: number, out: number): number {
  if (domain !== AF_UNIX) return -E.AFNOSUPPORT;
  if (protocol !== 0) return -E.PROTONOSUPPORT;
  if ((type & 0xf) !== SOCK_STREAM) return -E.SOCKTNOSUPPORT;
  k.memory.bytes(out, 8, "w");
  k.fds.check(2);
  // SOCK_CLOEXEC and SOCK_NONBLOCK are the flags of open.
  const flags = O.RDWR | (type & (O.CLOEXEC | O.NONBLOCK));
  createSocketPair(k.pipes).forEach((file, i) => k.memory.setU32(out + 4 * i, k.install(file, flags, "socket:[1]")));
  return 0;
}

export const descriptorCalls: readonly CallDef[] = [
  { name: "dup", args: ["fd"], run: dup },
  { name: "dup3", args: ["fd", "fd", { flags: CLONE_FD_FLAGS }], run: dup3 },
  { name: "fcntl", args: ["fd", { one: FCNTL_COMMANDS }, "ulong"], run: fcntl },
  { name: "fcntl64", args: ["fd", { one: FCNTL_COMMANDS }, "ulong"], run: fcntl },
  { name: "flock", args: ["fd", "int"], run: flock },
  { name: "pipe2", args: ["ptr", { flags: CLONE_FD_FLAGS }], run: pipe2 },
  { name: "socketpair", args: ["int", "int", "int", "ptr"], run: socketpair },
];
