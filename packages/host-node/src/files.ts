import * as fs from "node:fs";
import { promisify } from "node:util";

import { BlockError, type HostFile, type HostFiles, type LockRequest, totalLength } from "@mimus/block";

import { DirectTransfer } from "./direct-transfer.ts";
import { FileLock } from "./file-lock.ts";
import { libc, MOST_PIECES } from "./libc.ts";
import { readWhole } from "./whole-file.ts";

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;
const QUICK_IN_A_ROW = 128;
/** Most bytes that are moved without a thread where the caller has others to wait for. */
const AT_ONCE = 65536;
/** Most bytes that are read while a device waits: 1 MiB from the host's memory takes 0.2 ms. */
const READ_NOW = 1 << 20;

// node:fs/promises reads half of Node's streams, 3 ms of a cold start: files are numbers here.
const { closeSync, constants, fstatSync, openSync, writeSync, writevSync } = fs;
const close = promisify(fs.close);
const readFile = promisify(fs.readFile);
const realpath = promisify(fs.realpath.native);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
/** Promises of both are objects with names: bytes alone are wanted. */
const readv = (fd: number, into: readonly Uint8Array[], at: number): Promise<number> =>
  new Promise((resolve, reject) => fs.readv(fd, into, at, (error, n) => (error ? reject(error) : resolve(n))));
const writev = (fd: number, from: readonly Uint8Array[], at: number): Promise<number> =>
  new Promise((resolve, reject) => fs.writev(fd, from, at, (error, n) => (error ? reject(error) : resolve(n))));

/** The host's files, for disks, kernels and firmware. */
export const nodeFiles: HostFiles = {
  async open(path, { writable, create = false, direct = false }) {
    try {
      // What is there stays until whoever creates has its lock and empties it.
      const flags = create ? constants.O_RDWR | constants.O_CREAT : writable ? constants.O_RDWR : constants.O_RDONLY;
      refuseStream(path);
      const fd = direct ? openDirect(path, flags) : openSync(path, flags);
      const stat = fstatSync(fd);
      if (stat.isDirectory()) {
        closeSync(fd);
        throw new BlockError("not-found", `Could not open '${path}': it is a directory; give the path of a file`);
      }
      const past = direct ? new DirectTransfer(fd, stat.size) : undefined;
      return new NodeFile(path, fd, { writable: writable || create, fixedSize: !stat.isFile(), direct: past });
    } catch (error) {
      throw opened(path, error);
    }
  },
  realpath: (path) => realpath(path),
  async read(path) {
    try {
      return fs.statSync(path).isFile() ? await readFile(path) : readWhole(path);
    } catch (error) {
      throw opened(path, error);
    }
  },
};

class NodeFile implements HostFile {
  readonly path: string;
  readonly fixedSize: boolean;
  readonly #writable: boolean;
  /** -1 = closed: the number may be another file's by now. */
  #fd: number;
  readonly #calls = libc();
  /** Past the host's cache. */
  readonly #direct: DirectTransfer | undefined;
  #quick: number = QUICK_IN_A_ROW;
  #lock: FileLock | undefined;
  /** Requests in threads of the host. */
  #underWay = 0;
  #idle: (() => void) | undefined;

  constructor(
    path: string,
    fd: number,
    how: { writable: boolean; fixedSize: boolean; direct: DirectTransfer | undefined },
  ) {
    this.path = path;
    this.fixedSize = how.fixedSize;
    this.#fd = fd;
    this.#writable = how.writable;
    this.#direct = how.direct;
  }

  async size(): Promise<number> {
    const stat = fstatSync(this.#fd);
    if (!stat.isBlockDevice()) return stat.size;
    return blockDeviceSize(this.#fd, this.path);
  }

  async read(at: number, into: Uint8Array): Promise<number> {
    const direct = this.#direct;
    if (direct) return this.#try("read", () => direct.read(at, [into]));
    let done = 0;
    // What the host has in memory needs no thread: a fifth of the time for small requests.
    if (into.length <= AT_ONCE && this.#calls && this.#mayBeQuick()) {
      done = Math.max(0, this.#calls.readCached(this.#fd, [into], at));
      if (done === into.length) return done;
    }
    while (done < into.length) {
      const n = await this.#read(into, done, at + done);
      if (n === 0) break;
      done += n;
    }
    return done;
  }

  async write(at: number, from: Uint8Array): Promise<number> {
    const direct = this.#direct;
    if (direct) return this.#try("write", () => direct.write(at, [from], this));
    let done = 0;
    if (from.length <= AT_ONCE && this.#mayBeQuick()) done = this.#writeNow(at, from);
    while (done < from.length) done += await this.#write(from, done, at + done);
    return done;
  }

  /** Small requests are done at once, but not so many in a row that nothing else in the program gets its turn. */
  #mayBeQuick(): boolean {
    if (--this.#quick > 0) return true;
    this.#quick = QUICK_IN_A_ROW;
    return false;
  }

  #writeNow(at: number, from: Uint8Array): number {
    try {
      return writeSync(this.#fd, from, 0, from.length, at);
    } catch (error) {
      throw this.#failed("write", error);
    }
  }

  #read(into: Uint8Array, done: number, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, done, into.length - done, at, (error, n) => {
        this.#ended();
        if (error) reject(this.#failed("read", error));
        else resolve(n);
      });
      this.#underWay++;
    });
  }

  #write(from: Uint8Array, done: number, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.#fd, from, done, from.length - done, at, (error, n) => {
        this.#ended();
        if (error) reject(this.#failed("write", error));
        else resolve(n);
      });
      this.#underWay++;
    });
  }

  async readv(at: number, into: readonly Uint8Array[]): Promise<number> {
    const direct = this.#direct;
    if (direct) return this.#try("read", () => direct.read(at, into));
    if (this.#calls && totalLength(into) <= AT_ONCE) {
      let done = 0;
      for (const piece of into) {
        const n = await this.read(at + done, piece);
        done += n;
        if (n < piece.length) break;
      }
      return done;
    }
    return this.#try("read", () => readv(this.#fd, into, at));
  }

  readNow(at: number, into: readonly Uint8Array[]): boolean {
    if (!this.#calls || this.#direct || this.#fd < 0 || into.length > MOST_PIECES) return false;
    const length = totalLength(into);
    return length <= READ_NOW && this.#calls.readCached(this.#fd, into, at) === length;
  }

  async writev(at: number, from: readonly Uint8Array[]): Promise<number> {
    const direct = this.#direct;
    if (direct) return this.#try("write", () => direct.write(at, from, this));
    if (totalLength(from) <= AT_ONCE && this.#mayBeQuick()) {
      try {
        return writevSync(this.#fd, from, at);
      } catch (error) {
        throw this.#failed("write", error);
      }
    }
    return this.#try("write", () => writev(this.#fd, from, at));
  }

  async copyFrom(other: HostFile, from: number, at: number, length: number): Promise<number> {
    if (!(other instanceof NodeFile) || this.#direct || other.#direct || !this.#calls) return -1;
    return this.#calls.copyRange(other.#fd, from, this.#fd, at, length);
  }

  async flush(): Promise<void> {
    await this.#try("flush", () =>
      fdatasync(this.#fd).catch((error: NodeJS.ErrnoException) => {
        // /dev/null and its like keep nothing that could be lost.
        if (error.code !== "EINVAL" || !fstatSync(this.#fd).isCharacterDevice()) throw error;
      }),
    );
  }

  async truncate(size: number): Promise<void> {
    await this.#try("resize", () => ftruncate(this.#fd, size));
  }

  async punch(at: number, length: number): Promise<void> {
    await this.#fallocate(PUNCH_HOLE | KEEP_SIZE, at, length);
  }

  async zero(at: number, length: number): Promise<void> {
    await this.#fallocate(ZERO_RANGE | KEEP_SIZE, at, length);
  }

  async #fallocate(mode: number, at: number, length: number): Promise<void> {
    const result = this.#calls?.fallocate(this.#fd, mode, at, length) ?? -1;
    if (result === 0) return;
    const zeroes = new Uint8Array(Math.min(length, 1 << 20));
    for (let done = 0; done < length; done += zeroes.length)
      await this.write(at + done, zeroes.subarray(0, Math.min(zeroes.length, length - done)));
  }

  extent(at: number): { data: boolean; end: number } | undefined {
    const calls = this.#calls;
    if (!calls) return undefined;
    const fd = this.#fd;
    const data = calls.seek(fd, at, "data");
    if (data === -1) return { data: false, end: Number.MAX_SAFE_INTEGER };
    if (data < 0) return undefined;
    if (data > at) return { data: false, end: data };
    const hole = calls.seek(fd, at, "hole");
    return hole > at ? { data: true, end: hole } : undefined;
  }

  async allocated(): Promise<number> {
    return this.#try("stat", async () => fstatSync(this.#fd).blocks * 512);
  }

  async lock(request: LockRequest): Promise<void> {
    this.#lock ??= new FileLock(this.#fd, this.path);
    this.#lock.set(request);
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    if (this.#underWay > 0) await new Promise<void>((idle) => (this.#idle = idle));
    // To close what was written may write it; nothing keeps a file that was only read.
    if (this.#writable) await close(fd);
    else closeSync(fd);
  }

  async #try<T>(what: string, act: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await act();
    } catch (error) {
      throw this.#failed(what, error);
    } finally {
      this.#ended();
    }
  }

  /** A request has its answer. */
  #ended(): void {
    if (--this.#underWay === 0) this.#idle?.();
  }

  #failed(what: string, error: unknown): BlockError {
    const code = (error as NodeJS.ErrnoException).code;
    const kind = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" ? "no-space" : "io";
    return new BlockError(kind, `${what} of '${this.path}' failed: ${reason(error)}`, { cause: error });
  }
}

/** An image's backing name may name a FIFO: to open it waits, in vain perhaps, for whoever writes into it. */
function refuseStream(path: string): void {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFIFO() && !stat?.isSocket()) return;
  const what = stat.isFIFO() ? "a FIFO" : "a socket";
  throw new BlockError("not-found", `Could not open '${path}': it is ${what}; give the path of a file`);
}

/** Opens past the host's cache. @throws BlockError where the file system has no way around it */
function openDirect(path: string, flags: number): number {
  try {
    return openSync(path, flags | (constants.O_DIRECT ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
    const message = `Could not open '${path}': filesystem does not support O_DIRECT`;
    throw new BlockError("unsupported-feature", message, { cause: error });
  }
}

async function blockDeviceSize(fd: number, path: string): Promise<number> {
  const probe = Buffer.alloc(1);
  let [low, high] = [0, 2 ** 50];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isThere(fd, probe, middle)) low = middle + 1;
    else high = middle;
  }
  if (low === 0) throw new BlockError("io", `'${path}' is a block device of unknown size`);
  return low;
}

function isThere(fd: number, probe: Uint8Array, at: number): Promise<boolean> {
  return new Promise((resolve) => fs.read(fd, probe, 0, 1, at, (error, n) => resolve(error === null && n === 1)));
}

function opened(path: string, error: unknown): BlockError {
  if (error instanceof BlockError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const kind =
    code === "ENOENT"
      ? "not-found"
      : code === "EROFS"
        ? "read-only"
        : code === "EACCES" || code === "EPERM"
          ? "permission"
          : "io";
  return new BlockError(kind, `Could not open '${path}': ${reason(error)}`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  EROFS: "Read-only file system",
  ENOSPC: "No space left on device",
  EIO: "Input/output error",
  EPERM: "Operation not permitted",
};

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error));
}
