/** read, write and their relatives. Source: Linux man-pages, read(2), readv(2), pread(2), write(2). */
import { E, fail, RESTART } from "../../errno.ts";
import { O, POLL, S } from "../../fs/constants.ts";
import { SIG } from "../../signals/siginfo.ts";
import { WHENCE } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import { settle, type Kernel } from "../kernel.ts";
import type { OpenFile } from "../open-file.ts";

/** Bytes that one call moves at most. Source: Linux man-pages, read(2), NOTES. */
const MAX_RW_COUNT = 0x7ffff000;
const IOV_MAX = 1024;
/** No file is longer: behind it an offset is no exact number. */
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
/** Bytes of a buffer that are looked at before it is known how much there is. */
const CHUNK = 1 << 20;

/** Where a transfer goes on: an offset, or −1 the file's position (or the stream). */
type At = number;

/** Reads once into a buffer in the program. */
export function readInto(k: Kernel, open: OpenFile, address: number, length: number, at: At): number {
  const { file } = open;
  if (file.type === S.IFDIR) return -E.ISDIR;
  const offset = file.seekable ? (at < 0 ? open.position : at) : -1;
  if (offset > MAX_OFFSET - length) return 0;
  let count = length;
  if (count > CHUNK) {
    // A device such as /dev/zero fills all of it.
    const device = file.type === S.IFCHR && !file.terminal;
    if (file.seekable && file.type === S.IFREG) count = Math.max(Math.min(count, file.size() - offset), CHUNK);
    else if (!device) count = CHUNK;
  }
  const key = k.sharedKey(open);
  if (key !== undefined) k.memory.syncFile(key, "to-file");
  const room = k.usable(address, count, "w");
  const done = file.read(k.memory.bytes(address, room, "w"), offset);
  if (done > 0 && at < 0) open.position += done;
  return done;
}

/** Writes once from a buffer in the program. */
export function writeFrom(k: Kernel, open: OpenFile, address: number, length: number, at: At): number {
  let count = length;
  if (count > CHUNK && !open.file.seekable) count = CHUNK;
  count = k.usable(address, count, "r");
  return writeBytes(k, open, k.memory.bytes(address, count, "r"), at);
}

/** Writes bytes at the position of a file or at an offset. */
export function writeBytes(k: Kernel, open: OpenFile, bytes: Uint8Array, at: At): number {
  const { file } = open;
  if (!file.seekable) return k.written(file.write(bytes, -1));
  const append = (open.flags & O.APPEND) !== 0;
  const offset = append ? -1 : at < 0 ? open.position : at;
  const most = k.process.limits[1]?.[0] ?? Infinity;
  if (most !== Infinity) {
    const start = append ? file.size() : offset;
    if (start >= most && bytes.length > 0) {
      k.process.raise(SIG.XFSZ);
      return -E.FBIG;
    }
    if (start + bytes.length > most) bytes = bytes.subarray(0, most - start);
  }
  if (offset > MAX_OFFSET - bytes.length) return -E.FBIG;
  const done = file.write(bytes, offset);
  if (done <= 0) return done;
  if (at < 0) open.position = append ? file.size() : open.position + done;
  const key = k.sharedKey(open);
  if (key !== undefined) k.memory.syncFile(key, "from-file");
  return done;
}

const readable = (k: Kernel, fd: number): OpenFile => {
  const open = k.fds.get(fd);
  return open.readable ? open : fail(E.BADF);
};
const writable = (k: Kernel, fd: number): OpenFile => {
  const open = k.fds.get(fd);
  return open.writable ? open : fail(E.BADF);
};

const clamp = (length: number): number => (length > MAX_RW_COUNT ? MAX_RW_COUNT : length);

function read(k: Kernel, fd: number, address: number, length: number): number | Promise<number> {
  const open = readable(k, fd);
  const count = clamp(length);
  const done = readInto(k, open, address, count, -1);
  if (done !== -E.AGAIN || open.nonblocking) return done;
  return k.waitFor(open.file, POLL.IN, () => readInto(k, open, address, count, -1));
}

function write(k: Kernel, fd: number, address: number, length: number): number | Promise<number> {
  const open = writable(k, fd);
  const count = clamp(length);
  const done = writeFrom(k, open, address, count, -1);
  if (done === count || open.nonblocking || (done < 0 && done !== -E.AGAIN)) return done;
  return open.file.seekable ? done : writeRest(k, open, [{ address, length: count }], Math.max(done, 0));
}

/** A buffer of readv and writev. */
interface Piece {
  readonly address: number;
  readonly length: number;
}

/** A stream takes all of a blocking write, unless a signal comes. */
function writeRest(k: Kernel, open: OpenFile, pieces: readonly Piece[], before: number): Promise<number> {
  let total = before;
  const step = (): number => {
    for (;;) {
      const done = writePieces(k, open, pieces, total, -1);
      if (done === -E.AGAIN) return done;
      if (done < 0) return total > 0 ? total : done;
      total += done;
      if (done === 0 || total >= pieces.reduce((sum, { length }) => sum + length, 0)) return total;
    }
  };
  return k.waitFor(open.file, POLL.OUT, step, () => (total > 0 ? total : -RESTART.sys));
}

function writePieces(k: Kernel, open: OpenFile, pieces: readonly Piece[], skip: number, at: At): number {
  let total = 0;
  let left = skip;
  for (const { address, length } of pieces) {
    if (length <= left) {
      left -= length;
      continue;
    }
    const start = address + left;
    const count = length - left;
    left = 0;
    const done =
      total === 0
        ? writeFrom(k, open, start, count, at)
        : settle(() => writeFrom(k, open, start, count, at < 0 ? at : at + total));
    if (done < 0) return total > 0 ? total : done;
    total += done;
    if (done < count) break;
  }
  return total;
}

function readPieces(k: Kernel, open: OpenFile, pieces: readonly Piece[], at: At): number {
  let total = 0;
  for (const { address, length } of pieces) {
    if (length === 0) continue;
    const done =
      total === 0
        ? readInto(k, open, address, length, at)
        : settle(() => readInto(k, open, address, length, at < 0 ? at : at + total));
    if (done < 0) return total > 0 ? total : done;
    total += done;
    if (done < length) break;
  }
  return total;
}

/** Reads an array of iovec. */
function readPiecesOf(k: Kernel, address: number, count: number): Piece[] {
  if (count < 0 || count > IOV_MAX) fail(E.INVAL);
  const word = k.abi.wordBits / 8;
  const pieces: Piece[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const length = k.memory.word(address + (2 * i + 1) * word);
    if (length > 2 ** (k.abi.wordBits - 1) - 1) fail(E.INVAL);
    const kept = Math.min(length, MAX_RW_COUNT - total);
    total += kept;
    pieces.push({ address: k.memory.word(address + 2 * i * word), length: kept });
  }
  return pieces;
}

function readv(k: Kernel, fd: number, vector: number, count: number): number | Promise<number> {
  const open = readable(k, fd);
  const pieces = readPiecesOf(k, vector, count);
  return k.until(open, POLL.IN, () => readPieces(k, open, pieces, -1));
}

function writev(k: Kernel, fd: number, vector: number, count: number): number | Promise<number> {
  const open = writable(k, fd);
  const pieces = readPiecesOf(k, vector, count);
  const done = writePieces(k, open, pieces, 0, -1);
  if (open.file.seekable || open.nonblocking || (done < 0 && done !== -E.AGAIN)) return done;
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  return done === total ? done : writeRest(k, open, pieces, Math.max(done, 0));
}

/** For calls with an offset. */
function positioned(open: OpenFile, offset: number): void {
  if (offset < 0) fail(E.INVAL);
  if (!open.file.seekable) fail(E.SPIPE);
}

function pread(k: Kernel, fd: number, address: number, length: number, offset: number): number {
  const open = readable(k, fd);
  positioned(open, offset);
  return readInto(k, open, address, clamp(length), offset);
}

function pwrite(k: Kernel, fd: number, address: number, length: number, offset: number): number {
  const open = writable(k, fd);
  positioned(open, offset);
  return writeFrom(k, open, address, clamp(length), offset);
}

/** Offsets of preadv and its kind come as two longs, of which 64-bit kernels ignore the second. */
const offsetOf = (k: Kernel, low: number, high: number): number => {
  if (k.abi.wordBits === 64) return low;
  return (high | 0) * 2 ** 32 + (low >>> 0);
};

function preadv(k: Kernel, fd: number, vector: number, count: number, low: number, high: number): number {
  const open = readable(k, fd);
  const offset = offsetOf(k, low, high);
  positioned(open, offset);
  return readPieces(k, open, readPiecesOf(k, vector, count), offset);
}

function pwritev(k: Kernel, fd: number, vector: number, count: number, low: number, high: number): number {
  const open = writable(k, fd);
  const offset = offsetOf(k, low, high);
  positioned(open, offset);
  return writePieces(k, open, readPiecesOf(k, vector, count), 0, offset);
}

/** RWF_HIPRI, RWF_DSYNC, RWF_SYNC and RWF_NOWAIT change nothing here; RWF_APPEND does. */
function checkFlags(flags: number, known: number): void {
  if ((flags & ~known) !== 0) fail(E.OPNOTSUPP);
}

function preadv2(
  k: Kernel,
  fd: number,
  vector: number,
  count: number,
  low: number,
  high: number,
  flags: number,
): number | Promise<number> {
  checkFlags(flags, 0xf);
  return offsetOf(k, low, high) === -1 ? readv(k, fd, vector, count) : preadv(k, fd, vector, count, low, high);
}

function pwritev2(
  k: Kernel,
  fd: number,
  vector: number,
  count: number,
  low: number,
  high: number,
  flags: number,
): number | Promise<number> {
  checkFlags(flags, 0x1f);
  if ((flags & 0x10) !== 0) {
    const open = writable(k, fd);
    if (open.file.seekable) return writePieces(k, open, readPiecesOf(k, vector, count), 0, open.file.size());
  }
  return offsetOf(k, low, high) === -1 ? writev(k, fd, vector, count) : pwritev(k, fd, vector, count, low, high);
}

/** lseek. `whence`: 0 set, 1 current, 2 end, 3 data, 4 hole. */
function seek(k: Kernel, fd: number, offset: number, whence: number): number {
  const open = k.fds.get(fd);
  const { file } = open;
  if ((open.flags & O.PATH) !== 0) return -E.BADF;
  if (whence < 0 || whence > 4) return -E.INVAL;
  if (file.type === S.IFDIR) return seekDirectory(open, offset, whence);
  if (!file.seekable) return file.type === S.IFCHR && !file.terminal ? 0 : -E.SPIPE;
  let base = 0;
  if (whence === 1) base = open.position;
  else if (whence === 2) base = file.size();
  else if (whence === 3 || whence === 4) {
    // A file may always be told as one piece of data with a hole at its end.
    const size = file.size();
    if (offset < 0 || offset >= size) return -E.NXIO;
    return (open.position = whence === 3 ? offset : size);
  }
  const to = base + offset;
  if (!(to >= 0 && to <= MAX_OFFSET)) return -E.INVAL;
  return (open.position = to);
}

function seekDirectory(open: OpenFile, offset: number, whence: number): number {
  const to = whence === 0 ? offset : whence === 1 ? open.position + offset : -1;
  if (!(to >= 0)) return -E.INVAL;
  if (to === 0) open.entries = undefined;
  return (open.position = to);
}

/** llseek of 32-bit ABIs. */
function llseek(k: Kernel, fd: number, high: number, low: number, result: number, whence: number): number {
  const to = seek(k, fd, (high | 0) * 2 ** 32 + low, whence);
  if (to < 0) return to;
  k.memory.setU64(result, to);
  return 0;
}

export const readWriteCalls: readonly CallDef[] = [
  { name: "read", args: ["fd", { textOut: true }, "ulong"], run: read },
  { name: "write", args: ["fd", { textIn: 2 }, "ulong"], run: write },
  { name: "readv", args: ["fd", "ptr", "int"], run: readv },
  { name: "writev", args: ["fd", { iovec: 2 }, "int"], run: writev },
  { name: "pread64", args: ["fd", { textOut: true }, "ulong", "loff"], run: pread },
  { name: "pwrite64", args: ["fd", { textIn: 2 }, "ulong", "loff"], run: pwrite },
  { name: "preadv", args: ["fd", "ptr", "int", "long", "long"], run: preadv },
  { name: "pwritev", args: ["fd", { iovec: 2 }, "int", "long", "long"], run: pwritev },
  { name: "preadv2", args: ["fd", "ptr", "int", "long", "long", "hex"], run: preadv2 },
  { name: "pwritev2", args: ["fd", { iovec: 2 }, "int", "long", "long", "hex"], run: pwritev2 },
  { name: "lseek", args: ["fd", "long", { one: WHENCE }], run: seek },
  { name: "llseek", args: ["fd", "uint", "uint", "ptr", "int"], run: llseek },
];
