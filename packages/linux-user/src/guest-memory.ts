/** A program's address space, as the rest of the kernel uses it. Addresses and lengths are numbers below 2^53. */
import type { Abi } from "./abi.ts";
import type { Fields, Layout, Values } from "./layout.ts";

/** Protection bits. Source: POSIX.1-2017, mmap. */
export const PROT = { READ: 1, WRITE: 2, EXEC: 4 } as const;

/** Flags of mmap. Source: Linux, asm-generic/mman-common.h and mman.h (numbers). */
export const MAP = {
  SHARED: 0x01,
  PRIVATE: 0x02,
  SHARED_VALIDATE: 0x03,
  TYPE: 0x0f,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  GROWSDOWN: 0x100,
  DENYWRITE: 0x800,
  EXECUTABLE: 0x1000,
  LOCKED: 0x2000,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
  NONBLOCK: 0x10000,
  STACK: 0x20000,
  HUGETLB: 0x40000,
  SYNC: 0x80000,
  FIXED_NOREPLACE: 0x100000,
} as const;

/** What backs a mapping of a file. The address space holds one reference per area. */
export interface MappedFile {
  /** For /proc/self/maps. */
  readonly path: string;
  readonly dev?: number;
  readonly ino?: number;
  /** Two objects of one file have the same key: their shared mappings show the same bytes after `sync`. */
  readonly key: unknown;
  /** Size of the file in bytes, now. */
  size(): number;
  /** Reads at an offset. @returns bytes read: less than asked for at the end of the file only */
  read(offset: number, into: Uint8Array): number;
  /** Writes back part of a shared mapping. */
  write(offset: number, bytes: Uint8Array): void;
  retain(): void;
  release(): void;
}

/** A new mapping. */
export interface MapRequest {
  /** Hint, or place with MAP_FIXED; 0: anywhere. */
  readonly address: number;
  readonly length: number;
  readonly prot: number;
  /** {@link MAP}. */
  readonly flags: number;
  readonly file?: MappedFile;
  readonly offset?: number;
  /** Name for /proc/self/maps when there is no file. */
  readonly name?: string;
}

/** A stretch of pages with one mapping: a line of /proc/self/maps. */
export interface Area {
  readonly start: number;
  readonly end: number;
  readonly prot: number;
  readonly shared: boolean;
  readonly file: MappedFile | undefined;
  /** Offset in the file of `start`. */
  readonly offset: number;
  readonly name: string;
}

/** The address space. Whatever takes an address throws `Errno` EFAULT when it is not mapped so. */
export interface GuestMemory {
  readonly abi: Abi;
  /** Bytes of address space. */
  readonly size: number;
  /** A view for reading or writing now: it must not be kept across a wait. */
  bytes(address: number, length: number, access: "r" | "w"): Uint8Array;
  /** How many bytes from an address on are mapped so, at most `length`. */
  reachable(address: number, length: number, access: "r" | "w"): number;
  /** NUL-terminated UTF-8 of at most `limit` bytes, 4096 unless given. @throws Errno ENAMETOOLONG when it is longer */
  string(address: number, limit?: number): string;
  /** NUL-terminated bytes, without the NUL. */
  stringBytes(address: number, limit?: number): Uint8Array;
  u8(address: number): number;
  u16(address: number): number;
  u32(address: number): number;
  s32(address: number): number;
  u64(address: number): number;
  /** An unsigned long or pointer. */
  word(address: number): number;
  setU8(address: number, value: number): void;
  setU16(address: number, value: number): void;
  setU32(address: number, value: number): void;
  setU64(address: number, value: number): void;
  setWord(address: number, value: number): void;
  /** Reads a structure. */
  get<F extends Fields>(layout: Layout<F>, address: number): Values<F>;
  /** Writes a structure; fields that are not given become zero. */
  put<F extends Fields>(layout: Layout<F>, address: number, values: Partial<Values<F>>): void;

  /** mmap. @returns where it is */
  map(request: MapRequest): number;
  unmap(address: number, length: number): void;
  protect(address: number, length: number, prot: number): void;
  /** mremap; `flags`: 1 MAYMOVE, 2 FIXED, 4 DONTUNMAP. */
  remap(address: number, length: number, newLength: number, flags: number, newAddress: number): number;
  /** Moves the end of the heap. @returns where it is now: the old place when it could not be moved */
  brk(address: number): number;
  /** madvise. */
  advise(address: number, length: number, advice: number): void;
  /** msync: writes shared file mappings back. */
  sync(address: number, length: number): void;
  /** Brings all shared mappings of a file and the file together: before a read of it, or after a write to it. */
  syncFile(key: unknown, direction: "to-file" | "from-file"): void;
  /** Writes everything back and lets go of files: the program is over. */
  close(): void;
  /** mincore: one byte per page into `out`. */
  resident(address: number, length: number): Uint8Array;
  areas(): readonly Area[];
}
