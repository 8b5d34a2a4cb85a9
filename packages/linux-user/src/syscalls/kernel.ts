import type { Abi } from "../abi.ts";
import { E, Errno, fail } from "../errno.ts";
import { AT, O, POLL, S } from "../fs/constants.ts";
import { joinPath, normalisePath } from "../fs/path.ts";
import type { Quota } from "../fs/memory-file.ts";
import type { File, FileSystem } from "../fs/types.ts";
import type { GuestMemory } from "../guest-memory.ts";
import type { Process } from "../process.ts";
import { SIG } from "../signals/siginfo.ts";
import { FdTable } from "./fd-table.ts";
import { OpenFile } from "./open-file.ts";
import { Timers } from "./timers.ts";

/** What uname says. */
export interface SystemName {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly domainname: string;
}

/** The state behind the system calls of one process. */
export class Kernel {
  readonly process: Process;
  readonly memory: GuestMemory;
  readonly abi: Abi;
  files: FileSystem;
  readonly system: SystemName;
  readonly fds: FdTable;
  readonly timers: Timers;
  /** Working directory, without links. */
  cwd: string;
  umask = 0o022;
  /** prctl(PR_SET_NAME), at most 15 bytes. */
  name: string;
  personality = 0;
  dumpable = 1;
  noNewPrivileges: number;
  deathSignal = 0;
  nice = 0;
  /** Process group and session: the host's, until the program changes them for itself. */
  group: number;
  session: number;
  /** Keys of files with shared mappings, and how many there are. */
  readonly shared: Map<string, number> = new Map();
  readonly isRiscv: boolean;
  /** Bytes that files of memfd_create, and pipes, may have. */
  readonly anonymous: Quota = { used: 0, limit: 1 << 30 };
  readonly pipes: Quota = { used: 0, limit: 64 << 20 };

  constructor(process: Process, files: FileSystem, cwd: string, system: SystemName) {
    this.process = process;
    this.memory = process.memory;
    this.abi = process.abi;
    this.files = files;
    this.cwd = cwd;
    this.system = system;
    this.fds = new FdTable(() => process.limits[7]?.[0] ?? 1024);
    this.timers = new Timers(process);
    this.name = process.info.path.slice(process.info.path.lastIndexOf("/") + 1).slice(0, 15);
    this.group = process.host.ids.pgid ?? process.pid;
    this.noNewPrivileges = process.host.ids.noNewPrivs ?? 0;
    this.session = process.host.ids.sid ?? process.pid;
    this.isRiscv = system.machine.startsWith("riscv");
  }

  /** The path that an argument pair names. @throws Errno ENOENT for an empty path */
  at(dirfd: number, path: string): string {
    if (path === "") fail(E.NOENT);
    if (path.startsWith("/")) return path;
    if (dirfd === AT.FDCWD) return joinPath(this.cwd, path);
    const dir = this.fds.get(dirfd);
    if (dir.file.type !== S.IFDIR) fail(E.NOTDIR);
    return joinPath(dir.path, path);
  }

  /** The same, the path being at an address. */
  pathAt(dirfd: number, address: number): string {
    return this.at(dirfd, this.memory.string(address));
  }

  /** The descriptor that a path in /proc/self/fd or /dev stands for; −1 when there is no such one, undefined for other paths. */
  descriptorOf(path: string): number | undefined {
    const dev = path.charCodeAt(1) === 0x64;
    if (!dev && path.charCodeAt(1) !== 0x70) return undefined;
    const name = normalisePath(path);
    if (dev && name.startsWith("/dev/std")) {
      const at = ["/dev/stdin", "/dev/stdout", "/dev/stderr"].indexOf(name);
      return at < 0 ? undefined : at;
    }
    const own = `/proc/${this.process.pid}/fd/`;
    const prefix = ["/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/", own].find((one) => name.startsWith(one));
    if (prefix === undefined) return undefined;
    const number = name.slice(prefix.length);
    if (number.includes("/")) return undefined;
    return /^\d{1,9}$/.test(number) ? Number(number) : -1;
  }

  /** How many of `length` bytes can be used; EFAULT when none can. */
  usable(address: number, length: number, access: "r" | "w"): number {
    if (length <= 0) return 0;
    const count = this.memory.reachable(address, length, access);
    if (count === 0) fail(E.FAULT);
    return count;
  }

  /** Runs `attempt` now, and whenever the file becomes ready, until it no longer would block. */
  until(open: OpenFile, events: number, attempt: () => number): number | Promise<number> {
    const now = attempt();
    if (now !== -E.AGAIN || open.nonblocking) return now;
    return this.waitFor(open.file, events, attempt);
  }

  /** Waits for a file until `attempt` no longer says EAGAIN. */
  waitFor(file: File, events: number, attempt: () => number, interrupted?: number | (() => number)): Promise<number> {
    return this.process.block((done) => {
      let over = false;
      const stop = file.wait(events, () => {
        if (over) return;
        const result = settle(attempt);
        if (result === -E.AGAIN) return;
        over = true;
        done(result);
      });
      return () => {
        over = true;
        stop();
      };
    }, interrupted);
  }

  /** A write's result; a broken pipe is told by a signal too. */
  written(result: number): number {
    if (result === -E.PIPE) this.process.raise(SIG.PIPE);
    return result;
  }

  /** Gives a new file a descriptor. `flags` numbers of O. */
  install(file: File, flags: number, path: string): number {
    return this.fds.add(
      new OpenFile(file, flags & ~(O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC | O.CLOEXEC), path),
      (flags & O.CLOEXEC) !== 0,
    );
  }

  /** Whether a file has shared mappings, which a read must see and a write must reach. */
  sharedKey(open: OpenFile): string | undefined {
    if (this.shared.size === 0 || open.file.type !== S.IFREG) return undefined;
    const key = keyOf(open);
    return this.shared.has(key) ? key : undefined;
  }

  /** Descriptor → file that may be polled. */
  ready(open: OpenFile, events: number): number {
    return open.file.ready() & (events | POLL.ERR | POLL.HUP);
  }
}

/** What makes two opened files the same one. */
export function keyOf(open: OpenFile): string {
  open.key ??= keyOfStat(open.file.stat());
  return open.key;
}

/** The same, from what is known of a file. */
export function keyOfStat({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

/** A function's result; a thrown Errno as its negated number. */
export function settle(fn: () => number): number {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Errno) return -error.number;
    throw error;
  }
}
