/** A host without files of its own: for pages, tests, and whoever embeds one program. */
import { E, fail } from "../errno.ts";
import { BaseFile } from "../fs/base-file.ts";
import { O, S } from "../fs/constants.ts";
import type { File, FileSystem } from "../fs/types.ts";
import type { MappedFile } from "../guest-memory.ts";
import { encodeUtf8 } from "../memory/address-space.ts";
import type { ProcessHost } from "../process.ts";
import { createSyscalls } from "../syscalls/dispatch.ts";
import { keyOfStat } from "../syscalls/kernel.ts";
import type { ProgramHost } from "./program.ts";

/** Settings of {@link memoryHost}. */
export interface MemoryHostOptions {
  /** What the program sees below /, besides /dev and /proc: a `MemoryFs`, for instance. */
  readonly files: FileSystem;
  /** Time and randomness. */
  readonly time: Pick<ProcessHost, "monotonicNs" | "realtime" | "random" | "after" | "yield"> & Partial<ProcessHost>;
  /** Gets what the program writes to standard output (1) and standard error (2); the bytes are good for now only. */
  output(fd: 1 | 2, bytes: Uint8Array): void;
  /** Standard input; default: at its end. */
  readonly input?: string | Uint8Array;
  /** Working directory; default /. */
  readonly cwd?: string;
}

/** What a program runs on when everything is in memory. */
export function memoryHost(options: MemoryHostOptions): ProgramHost {
  const { files, time, input = "", cwd = "/" } = options;
  const standard = (fd: 1 | 2, name: string): { file: File; flags: number; path: string } => ({
    file: new OutputFile((bytes) => options.output(fd, bytes)),
    flags: O.WRONLY,
    path: `/dev/${name}`,
  });
  return {
    cpuTimeNs: () => time.monotonicNs(),
    ids: { pid: 2, ppid: 1, uid: 0, euid: 0, gid: 0, egid: 0, groups: [] },
    ...time,
    openProgram: (path) => {
      const full = path.startsWith("/") ? path : `${cwd}/${path}`;
      if ((files.stat(full, true).mode & S.IFMT) !== S.IFREG) fail(E.ACCES);
      files.access(full, 1, true);
      return { path: full, file: programFile(full, files.open(full, O.RDONLY, 0)) };
    },
    createSyscalls: (process) =>
      createSyscalls(process, {
        files,
        descriptors: [
          { file: new InputFile(input), flags: O.RDONLY, path: "/dev/stdin" },
          standard(1, "stdout"),
          standard(2, "stderr"),
        ],
        cwd,
      }),
  };
}

/** A program's file for the address space; it is closed with the last mapping of it. */
export function programFile(path: string, file: File): MappedFile {
  const stat = file.stat();
  let users = 1;
  return {
    path,
    dev: stat.dev,
    ino: stat.ino,
    key: keyOfStat(stat),
    size: () => file.size(),
    read(offset, into) {
      let done = 0;
      while (done < into.length) {
        const count = file.read(into.subarray(done), offset + done);
        if (count < 0) fail(-count);
        if (count === 0) break;
        done += count;
      }
      return done;
    },
    write: () => fail(E.TXTBSY),
    retain: () => void users++,
    release: () => {
      if (--users === 0) file.close();
    },
  };
}

class OutputFile extends BaseFile {
  override readonly type: number = S.IFIFO;
  readonly #write: (bytes: Uint8Array) => void;

  constructor(write: (bytes: Uint8Array) => void) {
    super();
    this.#write = write;
  }
  override write(from: Uint8Array): number {
    this.#write(from);
    return from.length;
  }
}

class InputFile extends BaseFile {
  override readonly type: number = S.IFIFO;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(input: string | Uint8Array) {
    super();
    this.#bytes = typeof input === "string" ? encodeUtf8(input) : input;
  }
  override read(into: Uint8Array): number {
    const part = this.#bytes.subarray(this.#at, this.#at + into.length);
    into.set(part);
    this.#at += part.length;
    return part.length;
  }
  override available(): number {
    return this.#bytes.length - this.#at;
  }
}
