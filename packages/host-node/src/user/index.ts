import { readFileSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { isatty } from "node:tty";
import { isMainThread } from "node:worker_threads";

import {
  createSyscalls, E, fail, O, programFile, S, type ProgramHost, type StartFile,
} from "@mimus/linux-user"; // prettier-ignore

import { HostFiles } from "./host-files.ts";
import { nodeProcessHost } from "./process-host.ts";
import { standardFile } from "./streams.ts";
import { samePaths, SysrootPaths } from "./sysroot.ts";

export { forwardSignals, holdSignals, type SignalTarget } from "./process-host.ts";

/** Settings of {@link nodeUserHost}. */
export interface NodeUserHostOptions {
  /** What uname says. */
  readonly machine: string;
  /** Folder that stands for / where a file is in it. */
  readonly sysroot?: string;
  readonly seed?: number;
  /** Text of /proc/cpuinfo. */
  readonly cpuinfo?: string;
  /** Kernel release for uname. */
  readonly release?: string;
}

/** This computer, for one program. While it runs, this process's umask is 0: the program's own is applied to what it makes. */
export function nodeUserHost(options: NodeUserHostOptions): ProgramHost {
  const paths = options.sysroot === undefined ? samePaths : new SysrootPaths(options.sysroot);
  const files = new HostFiles(paths);
  const { cpuinfo, release } = options;
  return {
    ...nodeProcessHost(options),
    openProgram: (path) => {
      const full = path.startsWith("/") ? path : `${process.cwd()}/${path}`;
      if ((files.stat(full, true).mode & S.IFMT) !== S.IFREG) fail(E.ACCES);
      files.access(full, 1, true);
      const real = files.realpath(full);
      return { path: real, file: programFile(real, files.open(full, O.RDONLY, 0)) };
    },
    createSyscalls: (program) => {
      const mask = setUmask(0);
      const calls = createSyscalls(program, {
        files,
        descriptors: [0, 1, 2].map(startFile),
        cwd: paths.guest(realpathSync.native(process.cwd())),
        umask: mask,
        ...(cpuinfo === undefined ? {} : { cpuinfo }),
        openFiles: openFiles(),
        system: {
          nodename: hostname(),
          machine: options.machine,
          ...(release === undefined ? {} : { release }),
        },
      });
      return {
        call: (number, lo, hi) => calls.call(number, lo, hi),
        close: () => {
          calls.close();
          setUmask(mask);
        },
      };
    },
  };
}

/** Sets the umask, which threads other than the first can only read: then the host's is applied besides the program's. */
function setUmask(mask: number): number {
  return isMainThread ? process.umask(mask) : process.umask();
}

function startFile(fd: number): StartFile | undefined {
  const isTerminal = isatty(fd);
  const found = standardFile(fd, isTerminal);
  return found && { ...found, path: nameOf(fd) };
}

/** What an inherited descriptor has open, as /proc tells it. */
function nameOf(fd: number): string {
  try {
    return realpathSync.native(`/proc/self/fd/${fd}`);
  } catch {
    return `/dev/${["stdin", "stdout", "stderr"][fd] ?? fd}`;
  }
}

/** Limits of descriptors, which Node has no call for. */
function openFiles(): readonly [number, number] {
  try {
    const row = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    if (row) return [Math.min(Number(row[1]), 1 << 20), Math.min(Number(row[2]), 1 << 20)];
  } catch {
    // No /proc: the usual.
  }
  return [1024, 4096];
}
