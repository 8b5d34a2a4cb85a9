import { constants } from "node:fs";
import { type FileHandle, open, readFile, realpath } from "node:fs/promises";

import { BlockError, type HostFile, type HostFiles, type LockRequest } from "@mimus/block";

import { FileLock } from "./file-lock.ts";
import { libc } from "./libc.ts";

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const ZERO_RANGE = 16;

/** The host's files, for disks, kernels and firmware. */
export const nodeFiles: HostFiles = {
  async open(path, { writable, create = false }) {
    try {
      // What is there stays until whoever creates has its lock and empties it.
      const flags = create ? constants.O_RDWR | constants.O_CREAT : writable ? constants.O_RDWR : constants.O_RDONLY;
      const handle = await open(path, flags);
      const stat = await handle.stat();
      if (stat.isDirectory()) {
        await handle.close();
        throw new BlockError("not-found", `Could not open '${path}': it is a directory; give the path of a file`);
      }
      return new NodeFile(path, handle);
    } catch (error) {
      throw opened(path, error);
    }
  },
  realpath: (path) => realpath(path),
  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      throw opened(path, error);
    }
  },
};

class NodeFile implements HostFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #lock: FileLock | undefined;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  async size(): Promise<number> {
    const stat = await this.#handle.stat();
    if (!stat.isBlockDevice()) return stat.size;
    return blockDeviceSize(this.#handle, this.path);
  }

  async read(at: number, into: Uint8Array): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#try("read", () => this.#handle.read(into, done, into.length - done, at + done));
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(at: number, from: Uint8Array): Promise<number> {
    let done = 0;
    while (done < from.length) {
      const { bytesWritten } = await this.#try("write", () =>
        this.#handle.write(from, done, from.length - done, at + done),
      );
      done += bytesWritten;
    }
    return done;
  }

  async readv(at: number, into: readonly Uint8Array[]): Promise<number> {
    const { bytesRead } = await this.#try("read", () => this.#handle.readv(into, at));
    return bytesRead;
  }

  async writev(at: number, from: readonly Uint8Array[]): Promise<number> {
    const { bytesWritten } = await this.#try("write", () => this.#handle.writev(from, at));
    return bytesWritten;
  }

  async flush(): Promise<void> {
    await this.#try("flush", () => this.#handle.datasync());
  }

  async truncate(size: number): Promise<void> {
    await this.#try("resize", () => this.#handle.truncate(size));
  }

  async punch(at: number, length: number): Promise<void> {
    await this.#fallocate(PUNCH_HOLE | KEEP_SIZE, at, length);
  }

  async zero(at: number, length: number): Promise<void> {
    await this.#fallocate(ZERO_RANGE | KEEP_SIZE, at, length);
  }

  async #fallocate(mode: number, at: number, length: number): Promise<void> {
    const result = libc()?.fallocate(this.#handle.fd, mode, at, length) ?? -1;
    if (result === 0) return;
    const zeroes = new Uint8Array(Math.min(length, 1 << 20));
    for (let done = 0; done < length; done += zeroes.length)
      await this.write(at + done, zeroes.subarray(0, Math.min(zeroes.length, length - done)));
  }

  extent(at: number): { data: boolean; end: number } | undefined {
    const calls = libc();
    if (!calls) return undefined;
    const { fd } = this.#handle;
    const data = calls.seek(fd, at, "data");
    if (data === -1) return { data: false, end: Number.MAX_SAFE_INTEGER };
    if (data < 0) return undefined;
    if (data > at) return { data: false, end: data };
    const hole = calls.seek(fd, at, "hole");
    return hole > at ? { data: true, end: hole } : undefined;
  }

  async lock(request: LockRequest): Promise<void> {
    this.#lock ??= new FileLock(this.#handle.fd, this.path);
    this.#lock.set(request);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #try<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const kind = code === "ENOSPC" || code === "EDQUOT" ? "no-space" : "io";
      throw new BlockError(kind, `${what} of '${this.path}' failed: ${reason(error)}`, { cause: error });
    }
  }
}

async function blockDeviceSize(handle: FileHandle, path: string): Promise<number> {
  const probe = Buffer.alloc(1);
  let [low, high] = [0, 2 ** 50];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { bytesRead } = await handle.read(probe, 0, 1, middle).catch(() => ({ bytesRead: 0 }));
    if (bytesRead === 1) low = middle + 1;
    else high = middle;
  }
  if (low === 0) throw new BlockError("io", `'${path}' is a block device of unknown size`);
  return low;
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
