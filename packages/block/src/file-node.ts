import { asBlockError, BlockError } from "./errors.ts";
import type { HostFile } from "./host-file.ts";
import type { BlockNode } from "./node.ts";
import { totalLength } from "./node.ts";

const SECTOR = 512;

/** A host file as a block node (driver "file"). A size that is no whole number of sectors is rounded up; the rest of the last sector reads as zeroes. */
export class FileNode implements BlockNode {
  readonly name: string;
  readonly driver: string = "file";
  readonly sectorSize: number = SECTOR;
  readonly readOnly: boolean;
  readonly filename: string;
  readonly #file: HostFile;
  #bytes: number;
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly writeZeroes?: (at: number, length: number, unmap: boolean) => Promise<void>;
  readonly readv?: (at: number, into: readonly Uint8Array[]) => Promise<void>;
  readonly writev?: (at: number, from: readonly Uint8Array[]) => Promise<void>;

  private constructor(name: string, file: HostFile, bytes: number, readOnly: boolean) {
    this.name = name;
    this.#file = file;
    this.#bytes = bytes;
    this.readOnly = readOnly;
    this.filename = file.path;
    const { punch, zero } = file;
    if (punch) this.discard = (at, length) => this.#act("discard", at, () => punch.call(file, at, length));
    if (punch && zero)
      this.writeZeroes = (at, length, unmap) =>
        this.#act("write zeroes", at, () => (unmap ? punch : zero).call(file, at, length));
    const { readv, writev } = file;
    if (readv) this.readv = (at, into) => this.#readv(at, into, readv.bind(file));
    if (writev) this.writev = (at, from) => this.#writev(at, from, writev.bind(file));
  }

  /** Wraps an open file; it is locked first unless `locking` is off. */
  static async open(name: string, file: HostFile, opts: { readOnly: boolean; locking?: boolean }): Promise<FileNode> {
    try {
      if (opts.locking !== false) await file.lock?.(opts.readOnly ? "shared" : "exclusive");
      return new FileNode(name, file, await file.size(), opts.readOnly);
    } catch (e) {
      await file.close().catch(() => undefined);
      const cause = asBlockError(e, `Could not open '${file.path}'`);
      if (cause.kind !== "locked") throw cause;
      const what = opts.readOnly ? "read" : "write";
      throw new BlockError(
        "locked",
        `Failed to get "${what}" lock on '${file.path}': is another process using the image? (file.locking=off skips the check)`,
        { cause: e },
      );
    }
  }

  get size(): number {
    return Math.ceil(this.#bytes / SECTOR) * SECTOR;
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#act("read", at, async () => {
      const want = Math.min(into.length, Math.max(0, this.#bytes - at));
      for (let done = 0; done < want;) {
        const n = await this.#file.read(at + done, into.subarray(done, want));
        if (n <= 0) throw this.#shrunk(at + done);
        done += n;
      }
      if (want < into.length) into.fill(0, want);
    });
  }

  write(at: number, from: Uint8Array): Promise<void> {
    return this.#act("write", at, async () => {
      for (let done = 0; done < from.length;) {
        const n = await this.#file.write(at + done, from.subarray(done));
        if (n <= 0) throw new BlockError("no-space", `'${this.filename}' takes no more data`, { at: at + done });
        done += n;
      }
      this.#grewTo(at + from.length);
    });
  }

  flush(): Promise<void> {
    return this.#act("flush", undefined, () => this.#file.flush());
  }

  resize(size: number): Promise<void> {
    return this.#act("resize", size, async () => {
      await this.#file.truncate(size);
      this.#bytes = size;
    });
  }

  close(): Promise<void> {
    return this.#act("close", undefined, () => this.#file.close());
  }

  async #readv(at: number, into: readonly Uint8Array[], readv: NonNullable<HostFile["readv"]>): Promise<void> {
    const length = totalLength(into);
    if (at + length <= this.#bytes) {
      const n = await this.#act("read", at, () => readv(at, into));
      if (n === length) return;
    }
    // The end of the file, or a short read: piece by piece finds out which.
    for (const piece of into) {
      await this.read(at, piece);
      at += piece.length;
    }
  }

  async #writev(at: number, from: readonly Uint8Array[], writev: NonNullable<HostFile["writev"]>): Promise<void> {
    const length = totalLength(from);
    let done = await this.#act("write", at, () => writev(at, from));
    this.#grewTo(at + done);
    if (done === length) return;
    for (const piece of from) {
      if (done < piece.length) await this.write(at + done, piece.subarray(done));
      at += piece.length;
      done = Math.max(0, done - piece.length);
    }
  }

  #grewTo(end: number): void {
    if (end > this.#bytes) this.#bytes = end;
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
      throw asBlockError(e, `Could not ${what} '${this.filename}'`, at);
    }
  }
}
