/** Sockets: none but pairs, which behave as files. Source: Linux man-pages, socket(2), recv(2), send(2), shutdown(2). */
import { E, fail } from "../../errno.ts";
import { POLL, S } from "../../fs/constants.ts";
import type { CallDef, Kind } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import type { OpenFile } from "../open-file.ts";
import { readInto, writeFrom } from "./read-write.ts";

const socketOf = (k: Kernel, fd: number): OpenFile => {
  const open = k.fds.get(fd);
  return open.file.type === S.IFSOCK ? open : fail(E.NOTSOCK);
};

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

function sendto(k: Kernel, fd: number, address: number, length: number, flags: number): number | Promise<number> {
  const open = socketOf(k, fd);
  const attempt = (): number => {
    if ((flags & MSG_NOSIGNAL) === 0) return writeFrom(k, open, address, length, -1);
    const count = k.usable(address, Math.min(length, 1 << 20), "r");
    return open.file.write(k.memory.bytes(address, count, "r"), -1);
  };
  return (flags & MSG_DONTWAIT) !== 0 ? attempt() : k.until(open, POLL.OUT, attempt);
}

function recvfrom(k: Kernel, fd: number, address: number, length: number, flags: number): number | Promise<number> {
  const open = socketOf(k, fd);
  if ((flags & 2) !== 0) return -E.OPNOTSUPP;
  const attempt = (): number => readInto(k, open, address, length, -1);
  return (flags & MSG_DONTWAIT) !== 0 ? attempt() : k.until(open, POLL.IN, attempt);
}

const other = (name: string, args: readonly Kind[]): CallDef => ({
  name,
  args,
  run: (k: Kernel, fd: number): number => {
    socketOf(k, fd);
    return -E.OPNOTSUPP;
  },
});

export const socketCalls: readonly CallDef[] = [
  { name: "socket", args: ["int", "int", "int"], run: (): number => -E.AFNOSUPPORT },
  { name: "sendto", args: ["fd", { textIn: 2 }, "ulong", "hex", "ptr", "int"], run: sendto },
  { name: "recvfrom", args: ["fd", { textOut: true }, "ulong", "hex", "ptr", "ptr"], run: recvfrom },
  other("bind", ["fd", "ptr", "int"]),
  other("listen", ["fd", "int"]),
  other("accept", ["fd", "ptr", "ptr"]),
  other("accept4", ["fd", "ptr", "ptr", "hex"]),
  other("connect", ["fd", "ptr", "int"]),
  other("getsockname", ["fd", "ptr", "ptr"]),
  other("getpeername", ["fd", "ptr", "ptr"]),
  other("setsockopt", ["fd", "int", "int", "ptr", "int"]),
  other("getsockopt", ["fd", "int", "int", "ptr", "ptr"]),
  other("shutdown", ["fd", "int"]),
  other("sendmsg", ["fd", "ptr", "hex"]),
  other("recvmsg", ["fd", "ptr", "hex"]),
];
