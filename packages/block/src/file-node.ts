import { asBlockError, BlockError } from "./errors.ts";
import type { HostFile } from "./host-file.ts";
import type { LockRequest } from "./lock.ts";
import { lockFor } from "./lock.ts";
import type { BlockNode } from "./node.ts";
import { totalLength } from "./node.ts";
import type { BlockStatus } from "./status.ts";
import { SECTOR } from "./sector.ts";

/** How a host file becomes a node. */
export interface FileNodeOptions {
  readonly readOnly: boolean;
  /** Default: on. */
  readonly locking?: boolean;
  /** What the lock says, for a node that is read-only or not; default: that of a format. */
  readonly lock?: (readOnly: boolean) => LockRequest;
  /** Opened past the host's cache. */
  readonly direct?: boolean;
  /** Opens the file again with other rights, or another way; absent = the node stays as it is. */
  readonly again?: (writable: boolean, direct: boolean) => Promise<HostFile>;
}

/** A host file as a block node (driver "file"). A size that is no whole number of sectors is rounded up; the rest of the last sector reads as zeroes. */
export class FileNode implements BlockNode {
  readonly name: string;
  readonly driver: string = "file";
  readonly sectorSize: number = SECTOR;
  readonly grows: boolean;
  readonly filename: string;
  readonly resize?: (size: number) => Promise<void>;
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly writeZeroes?: (at: number, length: number, unmap: boolean) => Promise<void>;
  readonly readv?: (at: number, into: readonly Uint8Array[]) => Promise<void>;
  readonly readNow?: (at: number, into: readonly Uint8Array[]) => boolean;
  readonly writev?: (at: number, from: readonly Uint8Array[]) => Promise<void>;
  readonly reopen?: (opts: { readOnly: boolean }) => Promise<void>;
  readonly setDirect?: (direct: boolean) => Promise<void>;
  readonly #options: FileNodeOptions;
  #readOnly: boolean;
  #direct: boolean;
  #file: HostFile;
  #bytes: number;

  private constructor(name: string, file: HostFile, bytes: number, options: FileNodeOptions) {
    this.name = name;
    this.#file = file;
    this.#bytes = bytes;
    this.#options = options;
    this.#readOnly = options.readOnly;
    this.#direct = options.direct === true;
    this.filename = file.path;
    this.grows = file.fixedSize !== true;
    if (this.grows) this.resize = (size) => this.#resize(size);
    if (file.punch) this.discard = (at, length) => this.#punch("discard", at, length);
    if (file.punch && file.zero)
      this.writeZeroes = (at, length, unmap) =>
        unmap ? this.#punch("write zeroes", at, length) : this.#zero(at, length);
    if (file.readv) this.readv = (at, into) => this.#readv(at, into);
    // The end of the file is for `readv`; so is a file that has been exchanged for one that cannot.
    if (file.readNow)
      this.readNow = (at, into) => at + totalLength(into) <= this.#bytes && this.#file.readNow?.(at, into) === true;
    if (file.writev) this.writev = (at, from) => this.#writev(at, from);
    if (options.again) {
      this.reopen = (opts) => this.#reopen(opts.readOnly, this.#direct);
      this.setDirect = (direct) => this.#reopen(this.#readOnly, direct);
    }
  }

  /** Wraps an open file; it is locked first unless `locking` is off. @throws BlockError; `file` is closed then */
  static async open(name: string, file: HostFile, options: FileNodeOptions): Promise<FileNode> {
    try {
      await lock(file, options, options.readOnly);
      return new FileNode(name, file, await file.size(), options);
    } catch (e) {
      await file.close().catch(() => undefined);
      throw asBlockError(e, `Could not open '${file.path}'`);
    }
  }

  get size(): number {
    return Math.ceil(this.#bytes / SECTOR) * SECTOR;
  }
  get readOnly(): boolean {
    return this.#readOnly;
  }
  /** Bytes of the file as the host has it. */
  get bytes(): number {
    return this.#bytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const want = Math.min(into.length, Math.max(0, this.#bytes - at));
    try {
      for (let done = 0; done < want;) {
        const n = await this.#file.read(
          at + done,
          done === 0 && want === into.length ? into : into.subarray(done, want),
        );
        if (n <= 0) throw this.#shrunk(at + done);
        done += n;
      }
    } catch (e) {
      throw this.#wrong(e, "read", at);
    }
    if (want < into.length) into.fill(0, want);
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < from.length;) {
        const n = await this.#file.write(at + done, done === 0 ? from : from.subarray(done));
        if (n <= 0) throw new BlockError("no-space", `'${this.filename}' takes no more data`, { at: at + done });
        done += n;
      }
    } catch (e) {
      throw this.#wrong(e, "write", at);
    }
    this.#grewTo(at + from.length);
  }

  get hostFile(): HostFile {
    return this.#file;
  }

  async copyFrom(file: HostFile, from: number, at: number, length: number): Promise<boolean> {
    for (let done = 0; done < length;) {
      const n = (await this.#file.copyFrom?.(file, from + done, at + done, length - done)) ?? 0;
      if (n <= 0) return false;
      done += n;
      this.#grewTo(at + done);
    }
    return true;
  }

  flush(): Promise<void> {
    return this.#act("flush", undefined, () => this.#file.flush());
  }

  #resize(size: number): Promise<void> {
    return this.#act("resize", size, async () => {
      await this.#file.truncate(size);
      this.#bytes = size;
    });
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const whole = { allocated: true, offset: at, file: this };
    if (at >= this.#bytes) return { ...whole, length, zero: true, data: false };
    const found = this.#file.extent?.(at);
    if (!found) return { ...whole, length, zero: false, data: true };
    // A sector that the end of the file cuts belongs to what comes before.
    const end = found.end >= this.#bytes ? at + length : Math.max(found.end, at + 1);
    return { ...whole, length: Math.min(length, end - at), zero: !found.data, data: found.data };
  }

  async allocated(): Promise<number | undefined> {
    return this.#file.allocated?.();
  }

  close(): Promise<void> {
    return this.#act("close", undefined, () => this.#file.close());
  }

  async #reopen(readOnly: boolean, direct: boolean): Promise<void> {
    if (readOnly === this.#readOnly && direct === this.#direct) return;
    const { again } = this.#options;
    await this.#act("reopen", undefined, async () => {
      const file = await again?.(!readOnly, direct);
      if (!file) return;
      const old = this.#file;
      const none = { uses: 0, shares: 15 };
      try {
        if (this.#options.locking !== false) await old.lock?.(none);
        await lock(file, this.#options, readOnly);
      } catch (e) {
        await file.close();
        await lock(old, this.#options, this.#readOnly).catch(() => undefined);
        throw e;
      }
      this.#file = file;
      this.#readOnly = readOnly;
      this.#direct = direct;
      await old.close();
    });
  }

  #punch(what: string, at: number, length: number): Promise<void> {
    // Zeroes that lie beyond the end must be there afterwards; a discard need not.
    const grow = this.grows && what !== "discard" && at + length > this.#bytes;
    return this.#act(what, at, async () => {
      if (grow) await this.#file.truncate(at + length);
      const inside = Math.min(length, this.#bytes - at);
      if (inside > 0) await this.#file.punch?.(at, inside);
      if (grow) this.#grewTo(at + length);
    });
  }

  #zero(at: number, length: number): Promise<void> {
    return this.#act("write zeroes", at, async () => {
      await this.#file.zero?.(at, length);
      if (this.grows && at + length > this.#bytes) await this.#file.truncate(at + length);
      this.#grewTo(at + length);
    });
  }

  async #readv(at: number, into: readonly Uint8Array[]): Promise<void> {
    const length = totalLength(into);
    if (at + length <= this.#bytes) {
      const n = await this.#act("read", at, async () => (await this.#file.readv?.(at, into)) ?? 0);
      if (n === length) return;
    }
    // The end of the file, or a short read: piece by piece finds out which.
    for (const piece of into) {
      await this.read(at, piece);
      at += piece.length;
    }
  }

  async #writev(at: number, from: readonly Uint8Array[]): Promise<void> {
    const length = totalLength(from);
    let done = await this.#act("write", at, async () => (await this.#file.writev?.(at, from)) ?? 0);
    this.#grewTo(at + done);
    if (done === length) return;
    for (const piece of from) {
      if (done < piece.length) await this.write(at + done, piece.subarray(done));
      at += piece.length;
      done = Math.max(0, done - piece.length);
    }
  }

  #grewTo(end: number): void {
    if (end > this.#bytes && this.grows) this.#bytes = end;
  }

  #shrunk(at: number): BlockError {
    const was = this.#bytes;
    return new BlockError("shrunk", `'${this.filename}' shrank while in use: it had ${was} bytes and ends at ${at}`, {
      at,
    });
  }

  async #act<T>(what: string, at: number | undefined, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (e) {
      throw this.#wrong(e, what, at);
    }
  }

  #wrong(e: unknown, what: string, at: number | undefined): BlockError {
    return asBlockError(e, `Could not ${what} '${this.filename}'`, at);
  }
}

async function lock(file: HostFile, options: FileNodeOptions, readOnly: boolean): Promise<void> {
  if (options.locking === false) return;
  try {
    await file.lock?.(options.lock?.(readOnly) ?? lockFor("format", readOnly, false));
  } catch (e) {
    const cause = asBlockError(e, `Could not lock '${file.path}'`);
    if (cause !== e && cause.kind === "locked")
      throw new BlockError(
        "locked",
        `Failed to get "${readOnly ? "read" : "write"}" lock on '${file.path}': is another process using the image?`,
        { cause: e },
      );
    throw cause;
  }
}
