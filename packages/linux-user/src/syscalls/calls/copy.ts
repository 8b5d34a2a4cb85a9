/** Copying between descriptors. Source: Linux man-pages, sendfile(2), copy_file_range(2), splice(2). */
import { E, fail } from "../../errno.ts";
import { O, POLL, S } from "../../fs/constants.ts";
import type { CallDef } from "../kinds.ts";
import type { Kernel } from "../kernel.ts";
import type { OpenFile } from "../open-file.ts";
import { writeBytes } from "./read-write.ts";

const BLOCK = 65536;

interface Copy {
  readonly from: OpenFile;
  readonly to: OpenFile;
  /** Offsets, or −1: the file's own position. */
  readonly at: number;
  readonly toAt: number;
  readonly length: number;
}

/** Copies what can be copied without waiting. @returns bytes, or a negated error number when there are none */
function copySome(k: Kernel, { from, to, at, toAt, length }: Copy): number {
  const buffer = new Uint8Array(Math.min(BLOCK, Math.max(length, 0)));
  let total = 0;
  while (total < length) {
    const offset = from.file.seekable ? (at < 0 ? from.position : at + total) : -1;
    if (!from.file.seekable && (to.file.ready() & POLL.OUT) === 0) return total > 0 ? total : -E.AGAIN;
    const got = from.file.read(buffer.subarray(0, Math.min(buffer.length, length - total)), offset);
    if (got <= 0) return total > 0 ? total : got;
    const put = writeBytes(k, to, buffer.subarray(0, got), toAt < 0 ? -1 : toAt + total);
    if (put < 0) return total > 0 ? total : put;
    if (at < 0 && from.file.seekable) from.position += put;
    total += put;
    if (put < got || got < buffer.length) break;
  }
  return total;
}

/** Runs a copy; files wait when they must. */
function copy(k: Kernel, c: Copy, after: (count: number) => void): number | Promise<number> {
  const attempt = (): number => {
    const count = copySome(k, c);
    if (count > 0) after(count);
    return count;
  };
  const now = attempt();
  if (now !== -E.AGAIN) return now;
  const slow = (c.from.file.ready() & POLL.IN) === 0 ? c.from : c.to;
  if (slow.nonblocking) return now;
  return k.waitFor(slow.file, slow === c.from ? POLL.IN : POLL.OUT, attempt);
}

const MOST = 0x7ffff000;

function sendfile(k: Kernel, out: number, input: number, offset: number, count: number): number | Promise<number> {
  const to = k.fds.get(out);
  const from = k.fds.get(input);
  if (!to.writable || !from.readable) return -E.BADF;
  if (from.file.type === S.IFDIR || (offset !== 0 && !from.file.seekable)) return -E.INVAL;
  if ((to.flags & O.APPEND) !== 0) return -E.INVAL;
  const at = offset === 0 ? -1 : k.memory.u64(offset);
  return copy(k, { from, to, at, toAt: -1, length: Math.min(count, MOST) }, (done) => {
    if (offset !== 0) k.memory.setU64(offset, at + done);
  });
}

function copyFileRange(
  k: Kernel, input: number, offIn: number, output: number, offOut: number, length: number, flags: number,
): number | Promise<number> {
  if (flags !== 0) return -E.INVAL;
  const from = k.fds.get(input);
  const to = k.fds.get(output);
  if (!from.readable || !to.writable || (to.flags & O.APPEND) !== 0) return -E.BADF;
  if (from.file.type === S.IFDIR || to.file.type === S.IFDIR) return -E.ISDIR;
  if (from.file.type !== S.IFREG || to.file.type !== S.IFREG) return -E.INVAL;
  const at = offIn === 0 ? -1 : k.memory.u64(offIn);
  const toAt = offOut === 0 ? -1 : k.memory.u64(offOut);
  return copy(k, { from, to, at, toAt, length: Math.min(length, MOST) }, (done) => {
    if (offIn !== 0) k.memory.setU64(offIn, at + done);
    if (offOut !== 0) k.memory.setU64(offOut, toAt + done);
  });
} // prettier-ignore

function splice(
  k: Kernel, input: number, offIn: number, output: number, offOut: number, length: number, flags: number,
): number | Promise<number> {
  if ((flags & ~15) !== 0) return -E.INVAL;
  const from = k.fds.get(input);
  const to = k.fds.get(output);
  if (!from.readable || !to.writable) return -E.BADF;
  if (from.file.type !== S.IFIFO && to.file.type !== S.IFIFO) return -E.INVAL;
  if ((offIn !== 0 && !from.file.seekable) || (offOut !== 0 && !to.file.seekable)) return -E.SPIPE;
  const at = offIn === 0 ? -1 : k.memory.u64(offIn);
  const toAt = offOut === 0 ? -1 : k.memory.u64(offOut);
  const c = { from, to, at, toAt, length: Math.min(length, BLOCK) };
  const after = (done: number): void => {
    if (offIn !== 0) k.memory.setU64(offIn, at + done);
    if (offOut !== 0) k.memory.setU64(offOut, toAt + done);
  };
  if ((flags & 2) === 0) return copy(k, c, after);
  const now = copySome(k, c);
  if (now > 0) after(now);
  return now;
} // prettier-ignore

const refuse = (): number => fail(E.INVAL);
const sendfileArgs = ["fd", "fd", "ptr", "ulong"] as const;

export const copyCalls: readonly CallDef[] = [
  { name: "sendfile", args: sendfileArgs, run: sendfile },
  { name: "sendfile64", args: sendfileArgs, run: sendfile },
  { name: "copy_file_range", args: ["fd", "ptr", "fd", "ptr", "ulong", "hex"], run: copyFileRange },
  { name: "splice", args: ["fd", "ptr", "fd", "ptr", "ulong", "hex"], run: splice },
  { name: "tee", args: ["fd", "fd", "ulong", "hex"], run: refuse },
  { name: "vmsplice", args: ["fd", "ptr", "ulong", "hex"], run: refuse },
];
