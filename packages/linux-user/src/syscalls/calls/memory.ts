/** Memory. Source: Linux man-pages, mmap(2), mremap(2), brk(2), madvise(2), msync(2), mincore(2), mlock(2). */
import { E, fail } from "../../errno.ts";
import { S } from "../../fs/constants.ts";
import { MAP, PROT, type MappedFile } from "../../guest-memory.ts";
import { PAGE } from "../../memory/page-table.ts";
import { MADVICE } from "../flag-names.ts";
import type { CallDef } from "../kinds.ts";
import { keyOf, type Kernel } from "../kernel.ts";
import type { OpenFile } from "../open-file.ts";

const FLAG_MASK = 0x1fffff;

/** An opened file for the address space; `shared`: programs see each other's writes. */
function mappedFile(k: Kernel, open: OpenFile, shared: boolean): MappedFile {
  const { dev, ino } = open.file.stat();
  const key = keyOf(open);
  let refs = 0;
  return {
    path: open.path,
    dev,
    ino,
    key,
    size: () => open.file.size(),
    read(offset, into) {
      let done = 0;
      while (done < into.length) {
        const count = open.file.read(into.subarray(done), offset + done);
        if (count < 0) fail(-count);
        if (count === 0) break;
        done += count;
      }
      return done;
    },
    write(offset, bytes) {
      open.file.write(bytes, offset);
    },
    retain() {
      open.retain();
      if (refs++ === 0 && shared) k.shared.set(key, (k.shared.get(key) ?? 0) + 1);
    },
    release() {
      open.release();
      if (--refs > 0 || !shared) return;
      const left = (k.shared.get(key) ?? 1) - 1;
      if (left > 0) k.shared.set(key, left);
      else k.shared.delete(key);
    },
  };
}

function mmap(
  k: Kernel,
  address: number,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): number {
  if (length <= 0 || offset % PAGE !== 0 || offset < 0) return -E.INVAL;
  if (length > 2 ** 48) return -E.NOMEM;
  const type = flags & MAP.TYPE;
  if (type !== MAP.SHARED && type !== MAP.PRIVATE && type !== MAP.SHARED_VALIDATE) return -E.INVAL;
  if (type === MAP.SHARED_VALIDATE && (flags & ~FLAG_MASK) !== 0) return -E.OPNOTSUPP;
  if ((flags & MAP.HUGETLB) !== 0) return -E.NOMEM;
  const shared = type !== MAP.PRIVATE;
  const request = { address, length, prot: prot & 7, flags: (flags & ~MAP.TYPE) | (shared ? MAP.SHARED : MAP.PRIVATE) };
  if ((flags & MAP.ANONYMOUS) !== 0) return k.memory.map(request);
  const open = k.fds.get(fd);
  const { type: kind } = open.file;
  if (!open.readable || (shared && (prot & PROT.WRITE) !== 0 && !open.writable)) return -E.ACCES;
  if (offset + length > Number.MAX_SAFE_INTEGER) return -E.OVERFLOW;
  // /dev/zero is anonymous memory by another name.
  if (kind === S.IFCHR && open.path === "/dev/zero")
    return k.memory.map({ ...request, flags: request.flags | MAP.ANONYMOUS });
  if (kind !== S.IFREG || !open.file.seekable) return -E.NODEV;
  return k.memory.map({ ...request, file: mappedFile(k, open, shared && open.writable), offset });
}

const mmap2 = (
  k: Kernel,
  address: number,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  page: number,
): number => mmap(k, address, length, prot, flags, fd, page * 4096);

function munmap(k: Kernel, address: number, length: number): number {
  if (address % PAGE !== 0 || length === 0) return -E.INVAL;
  k.memory.unmap(address, length);
  return 0;
}

function mprotect(k: Kernel, address: number, length: number, prot: number): number {
  if (address % PAGE !== 0) return -E.INVAL;
  if ((prot & 0x03000000) !== 0) return -E.INVAL;
  if (length === 0) return 0;
  k.memory.protect(address, length, prot & 7);
  return 0;
}

function mremap(
  k: Kernel,
  address: number,
  length: number,
  newLength: number,
  flags: number,
  newAddress: number,
): number {
  if ((flags & ~7) !== 0 || address % PAGE !== 0 || newLength === 0) return -E.INVAL;
  if ((flags & 6) !== 0 && (flags & 1) === 0) return -E.INVAL;
  return k.memory.remap(address, length, newLength, flags, newAddress);
}

const brk = (k: Kernel, address: number): number => k.memory.brk(address);

function madvise(k: Kernel, address: number, length: number, advice: number): number {
  if (address % PAGE !== 0) return -E.INVAL;
  if (length === 0) return 0;
  k.memory.advise(address, length, advice);
  return 0;
}

function msync(k: Kernel, address: number, length: number, flags: number): number {
  if (address % PAGE !== 0 || (flags & ~7) !== 0 || (flags & 5) === 5) return -E.INVAL;
  if (length > 0) k.memory.sync(address, length);
  return 0;
}

function mincore(k: Kernel, address: number, length: number, out: number): number {
  if (address % PAGE !== 0) return -E.INVAL;
  if (address + length > k.memory.size) return -E.NOMEM;
  const state = k.memory.resident(address, length);
  k.memory.bytes(out, state.length, "w").set(state);
  return 0;
}

/** Memory of the emulator is not locked; whether it is mapped is all that can go wrong. */
function mlock(k: Kernel, address: number, length: number): number {
  const start = Math.floor(address / PAGE) * PAGE;
  const end = Math.ceil((address + length) / PAGE) * PAGE;
  if (end > k.memory.size) return -E.NOMEM;
  let at = start;
  for (const area of k.memory.areas()) {
    if (area.end <= at) continue;
    if (at >= end || area.start > at) break;
    at = area.end;
  }
  return at >= end ? 0 : -E.NOMEM;
}

const nothing = (): number => 0;

export const memoryCalls: readonly CallDef[] = [
  { name: "mmap", args: ["ptr", "ulong", "prot", "map-flags", "fd", "ulong"], run: mmap },
  { name: "mmap2", args: ["ptr", "ulong", "prot", "map-flags", "fd", "ulong"], run: mmap2 },
  { name: "munmap", args: ["ptr", "ulong"], run: munmap },
  { name: "mprotect", args: ["ptr", "ulong", "prot"], run: mprotect },
  { name: "mremap", args: ["ptr", "ulong", "ulong", "hex", "ptr"], run: mremap },
  { name: "brk", args: ["ptr"], run: brk },
  { name: "madvise", args: ["ptr", "ulong", { one: MADVICE }], run: madvise },
  { name: "msync", args: ["ptr", "ulong", "hex"], run: msync },
  { name: "mincore", args: ["ptr", "ulong", "ptr"], run: mincore },
  { name: "mlock", args: ["ptr", "ulong"], run: mlock },
  { name: "mlock2", args: ["ptr", "ulong", "hex"], run: mlock },
  { name: "munlock", args: ["ptr", "ulong"], run: mlock },
  { name: "mlockall", args: ["hex"], run: nothing },
  { name: "munlockall", args: [], run: nothing },
];
