import { E, Errno, fail } from "../errno.ts";
import type { OpenFile } from "./open-file.ts";

/** Descriptors that a process has at most, whatever its limit says. */
const FD_MAX = 65536;

/** The descriptors of a process. */
export class FdTable {
  readonly #files: (OpenFile | undefined)[] = [];
  readonly #cloexec: Set<number> = new Set();
  /** All descriptors below are in use. */
  #free = 0;
  readonly #limit: () => number;

  /** @param limit RLIMIT_NOFILE, now */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#files.length;
  }

  peek(fd: number): OpenFile | undefined {
    return this.#files[fd];
  }

  /** @throws Errno EBADF when the descriptor is not open */
  get(fd: number): OpenFile {
    return this.#files[fd] ?? fail(E.BADF);
  }

  /** Puts a file at the lowest free descriptor from `least` on. @returns the descriptor */
  add(open: OpenFile, cloexec: boolean, least: number = 0): number {
    let fd = Math.max(least, least <= this.#free ? this.#free : least);
    while (this.#files[fd] !== undefined) fd++;
    if (fd >= Math.min(this.#limit(), FD_MAX)) {
      open.release();
      fail(E.MFILE);
    }
    while (this.#files.length < fd) this.#files.push(undefined);
    this.#files[fd] = open;
    if (fd === this.#free) this.#free = fd + 1;
    this.setCloexec(fd, cloexec);
    return fd;
  }

  /** Puts a file at a descriptor, closing what is there. */
  put(fd: number, open: OpenFile, cloexec: boolean): void {
    if (fd < 0 || fd >= Math.min(this.#limit(), FD_MAX)) {
      open.release();
      fail(E.BADF);
    }
    const old = this.#files[fd];
    while (this.#files.length < fd) this.#files.push(undefined);
    this.#files[fd] = open;
    this.setCloexec(fd, cloexec);
    old?.release();
  }

  close(fd: number): void {
    const open = this.get(fd);
    this.#files[fd] = undefined;
    this.#cloexec.delete(fd);
    if (fd < this.#free) this.#free = fd;
    open.release();
  }

  /** Room is there for `count` more descriptors. */
  check(count: number): void {
    let used = 0;
    for (const open of this.#files) if (open) used++;
    if (used + count > Math.min(this.#limit(), FD_MAX)) fail(E.MFILE);
  }

  cloexec(fd: number): boolean {
    return this.#cloexec.has(fd);
  }
  setCloexec(fd: number, on: boolean): void {
    if (on) this.#cloexec.add(fd);
    else this.#cloexec.delete(fd);
  }

  /** Descriptors in use, ascending. */
  list(): number[] {
    return [...this.#files.keys()].filter((fd) => this.#files[fd] !== undefined);
  }

  closeAll(): void {
    for (const fd of this.list()) {
      try {
        this.close(fd);
      } catch (error) {
        // The host could not write everything: nobody is left to be told.
        if (!(error instanceof Errno)) throw error;
      }
    }
  }
}
