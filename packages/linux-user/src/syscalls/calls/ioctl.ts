/** ioctl. Source: Linux man-pages, ioctl_tty(2), ioctl_list(2); include/uapi/asm-generic/ioctls.h (numbers). */
import { E } from "../../errno.ts";
import { O, S } from "../../fs/constants.ts";
import { IOCTLS } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import type { OpenFile } from "../open-file.ts";
import { TERMIOS, TERMIOS2, WINSIZE } from "../structs.ts";

function ioctl(k: Kernel, fd: number, request: number, arg: number): number {
  const open = k.fds.get(fd);
  if ((open.flags & O.PATH) !== 0) return -E.BADF;
  switch (request) {
    case 0x5450:
    case 0x5451:
      k.fds.setCloexec(fd, request === 0x5451);
      return 0;
    case 0x5421:
      open.flags = k.memory.s32(arg) === 0 ? open.flags & ~O.NONBLOCK : open.flags | O.NONBLOCK;
      return 0;
    case 0x5452:
      open.flags = k.memory.s32(arg) === 0 ? open.flags & ~O.ASYNC : open.flags | O.ASYNC;
      return 0;
    case 0x541b: {
      const { type } = open.file;
      if (type === S.IFDIR || (type === S.IFCHR && !open.file.terminal)) return -E.NOTTY;
      const count = open.file.seekable ? Math.max(open.file.size() - open.position, 0) : open.file.available();
      k.memory.setU32(arg, count);
      return 0;
    }
    default:
      return terminal(k, open, request, arg);
  }
}

function terminal(k: Kernel, open: OpenFile, request: number, arg: number): number {
  const tty = open.file.terminal;
  if (tty === undefined) return -E.NOTTY;
  switch (request) {
    case 0x5401:
      k.memory.put(TERMIOS, arg, tty.get());
      return 0;
    case 0x802c542a: {
      const speed = 38400;
      k.memory.put(TERMIOS2, arg, { ...tty.get(), ispeed: speed, ospeed: speed });
      return 0;
    }
    case 0x5402:
    case 0x5403:
    case 0x5404:
      tty.set(k.memory.get(TERMIOS, arg), (request - 0x5402) as 0 | 1 | 2);
      return 0;
    case 0x402c542b:
    case 0x402c542c:
    case 0x402c542d:
      tty.set(k.memory.get(TERMIOS2, arg), (request - 0x402c542b) as 0 | 1 | 2);
      return 0;
    // Breaks, flow control and flushing: a terminal of the host has nothing waiting that this side could know of.
    case 0x5409:
    case 0x5425:
    case 0x540a:
    case 0x540b:
    case 0x540c:
    case 0x540d:
    case 0x540e:
    case 0x5422:
      return 0;
    case 0x540f:
      k.memory.setU32(arg, tty.foreground || k.group);
      return 0;
    case 0x5410:
      tty.foreground = k.memory.s32(arg);
      return 0;
    case 0x5429:
      k.memory.setU32(arg, k.session);
      return 0;
    case 0x5411:
      k.memory.setU32(arg, 0);
      return 0;
    case 0x5413:
      k.memory.put(WINSIZE, arg, tty.size());
      return 0;
    case 0x5414: {
      const { rows, columns } = k.memory.get(WINSIZE, arg);
      tty.resize(rows, columns);
      return 0;
    }
    default:
      k.process.unimplemented(`ioctl 0x${request.toString(16)} of a terminal`);
      return -E.NOTTY;
  }
}

export const ioctlCalls: readonly CallDef[] = [
  {
    name: "ioctl",
    args: ["fd", { one: IOCTLS }, "ptr"],
    run: (k: Kernel, fd: number, request: number, arg: number) => ioctl(k, fd, request >>> 0, arg),
  },
];
