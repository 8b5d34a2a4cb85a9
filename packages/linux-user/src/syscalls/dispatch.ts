/** From a number and registers to a result. */
import { E, Errno } from "../errno.ts";
import { MadeTrees } from "../fs/made-tree.ts";
import { O } from "../fs/constants.ts";
import type { File, FileSystem } from "../fs/types.ts";
import type { Process, SyscallResult, Syscalls } from "../process.ts";
import { Kernel, type SystemName } from "./kernel.ts";
import { take } from "./kinds.ts";
import { OpenFile } from "./open-file.ts";
import { ownTrees, plainCpuInfo } from "./proc.ts";
import { showArgument, showResult } from "./show.ts";
import { buildTable, type Row, type Table } from "./table.ts";

/** What the calls of a process work on. */
export interface SyscallOptions {
  readonly files: FileSystem;
  /** Descriptors that are open at the start, by number; `path` is what /proc/self/fd shows. */
  readonly descriptors: readonly (StartFile | undefined)[];
  /** Working directory, without links. */
  readonly cwd: string;
  readonly umask?: number;
  readonly system?: Partial<SystemName>;
  /** Text of /proc/cpuinfo. */
  readonly cpuinfo?: string;
  /** Soft and hard limit of descriptors; default 1024 and 1048576. */
  readonly openFiles?: readonly [number, number];
}

/** A file that is open at the start. */
export interface StartFile {
  readonly file: File;
  /** Access mode and status, numbers of O. */
  readonly flags: number;
  readonly path: string;
}

/** How often it is looked whether the host should have its turn: every 128 calls; and how long one has: nanoseconds. */
const CALLS_MASK = 127;
const TURN_NS = 10e6;
const RLIMIT_NOFILE = 7;
const RLIMIT_CORE = 4;
const RELEASE = "6.1.0";

/** Makes what runs the calls of a process. */
export function createSyscalls(process: Process, options: SyscallOptions): Syscalls {
  return new Dispatcher(process, options);
}

class Dispatcher implements Syscalls {
  readonly #k: Kernel;
  readonly #table: Table;
  readonly #rows: readonly (Row | undefined)[];
  readonly #word64: boolean;
  #calls = 0;
  /** When the host last had its turn here: nanoseconds. */
  #served = 0;

  constructor(process: Process, options: SyscallOptions) {
    const { abi } = process;
    this.#table = buildTable(abi.syscalls, abi.wordBits, abi.machine);
    this.#rows = this.#table.rows;
    this.#word64 = abi.wordBits === 64;
    const system = {
      sysname: "Linux", nodename: "mimus", release: RELEASE, version: "#1 SMP", machine: abi.machine,
      domainname: "(none)", ...options.system,
    }; // prettier-ignore
    const k = new Kernel(process, options.files, options.cwd, system);
    k.files = new MadeTrees(options.files, ownTrees(k, options.cpuinfo ?? plainCpuInfo(k)));
    k.umask = options.umask ?? 0o022;
    process.limits[RLIMIT_NOFILE] = [...(options.openFiles ?? [1024, 1 << 20])];
    process.limits[RLIMIT_CORE] = [0, Infinity];
    options.descriptors.forEach((start, fd) => {
      if (start) k.fds.put(fd, new OpenFile(start.file, start.flags & ~O.CLOEXEC, start.path), false);
    });
    this.#k = k;
  }

  call(number: number, lo: Int32Array, hi: Int32Array): SyscallResult {
    const row = this.#rows[number];
    if (row === undefined) return this.#unknown(number);
    const k = this.#k;
    if (k.process.strace !== undefined) return this.#traced(row, lo, hi);
    try {
      const result = this.#run(row, lo, hi);
      if (typeof result === "number") return (++this.#calls & CALLS_MASK) === 0 ? this.#rested(result) : result;
      return result.catch((error: unknown) => this.#failed(row, error));
    } catch (error) {
      return this.#failed(row, error);
    }
  }

  #run(row: Row, lo: Int32Array, hi: Int32Array): SyscallResult {
    const k = this.#k;
    switch (row.count) {
      case 0:
        return row.run(k);
      case 1:
        return row.run(k, this.#arg(row, 0, lo, hi));
      case 2:
        return row.run(k, this.#arg(row, 0, lo, hi), this.#arg(row, 1, lo, hi));
      case 3:
        return row.run(k, this.#arg(row, 0, lo, hi), this.#arg(row, 1, lo, hi), this.#arg(row, 2, lo, hi));
      default:
        return row.run(k, ...row.takes.map((_, i) => this.#arg(row, i, lo, hi)));
    }
  }

  #arg(row: Row, i: number, lo: Int32Array, hi: Int32Array): number {
    const code = row.takes[i]!;
    const r = row.registers[i]!;
    // A pair of 32-bit registers has its high half in the second, or in the first of a big-endian machine.
    if (code === 4 && !this.#word64) {
      const swap = this.#k.abi.bigEndian ? 1 : 0;
      return take(code, lo[r + swap] ?? 0, lo[r + 1 - swap] ?? 0, false);
    }
    return take(code, lo[r]!, hi[r]!, this.#word64);
  }

  /** Calls take longer than other instructions: a program that makes nothing else must let the host have its turn too. */
  #rested(result: number): SyscallResult {
    const { host } = this.#k.process;
    const now = host.monotonicNs();
    if (now - this.#served < TURN_NS) return result;
    this.#served = now;
    return host.yield().then(() => result);
  }

  /** What a thrown value means to the program. A fault of this code must not end the host. */
  #failed(row: Row, error: unknown): number {
    if (error instanceof Errno) return -error.number;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#k.process.unimplemented(`${row.def.name}: internal error: ${why}`);
    return -E.IO;
  }

  #unknown(number: number): number {
    const name = this.#table.names.get(number);
    const { process } = this.#k;
    process.unimplemented(`system call ${number}${name === undefined ? "" : ` (${name})`}`);
    process.strace?.(`${name ?? `syscall_${number}`}(...) = -1 ENOSYS`);
    return -E.NOSYS;
  }

  #traced(row: Row, lo: Int32Array, hi: Int32Array): SyscallResult {
    const k = this.#k;
    const { name, args } = row.def;
    const values = row.takes.map((_, i) => this.#arg(row, i, lo, hi));
    const shown = args.map((kind, i) => showArgument(k, kind, values[i]!, values, undefined));
    const finish = (result: number): number => {
      args.forEach((kind, i) => {
        if (typeof kind === "object" && ("textOut" in kind || "structOut" in kind))
          shown[i] = showArgument(k, kind, values[i]!, values, result);
      });
      const after = name === "exit" || name === "exit_group" ? "?" : showResult(name, result);
      k.process.strace?.(`${name}(${shown.join(", ")}) = ${after}`);
      return result;
    };
    try {
      const result = this.#run(row, lo, hi);
      if (typeof result === "number") return this.#rested(finish(result));
      return result.then(finish, (error: unknown) => finish(this.#failed(row, error)));
    } catch (error) {
      return finish(this.#failed(row, error));
    }
  }

  close(): void {
    this.#k.timers.close();
    this.#k.fds.closeAll();
  }
}
