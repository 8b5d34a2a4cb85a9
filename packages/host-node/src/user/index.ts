import { accessSync, constants, openSync, readSync, statSync, writeSync, fstatSync, closeSync } from "node:fs";
import { join } from "node:path";

import { E, earlyCalls, Errno, type MappedFile, type ProgramHost } from "@mimus/linux-user";

import { nodeProcessHost } from "./process-host.ts";

export { forwardSignals, nodeProcessHost, type SignalTarget } from "./process-host.ts";

/** Settings of {@link nodeUserHost}. */
export interface NodeUserHostOptions {
  /** What uname says. */
  readonly machine: string;
  /** Folder that stands for / where a file is in it. */
  readonly sysroot?: string;
  readonly seed?: number;
}

/** This computer, for one program. */
export function nodeUserHost(options: NodeUserHostOptions): ProgramHost {
  return {
    ...nodeProcessHost(options),
    openProgram: (path) => {
      for (const place of options.sysroot !== undefined && path.startsWith("/")
        ? [join(options.sysroot, path), path]
        : [path])
        try {
          if (statSync(place).isDirectory()) throw Errno.of(E.ACCES);
          accessSync(place, constants.R_OK | constants.X_OK);
          return { path: place, file: nodeFile(place) };
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (error instanceof Errno) throw error;
          if (code !== "ENOENT") throw Errno.of(code === "EACCES" ? E.ACCES : E.IO);
        }
      throw Errno.of(E.NOENT);
    },
    createSyscalls: (program) => earlyCalls(program, (fd, bytes) => writeSync(fd, bytes)),
  };
}

function nodeFile(path: string): MappedFile {
  const fd = openSync(path, "r");
  let users = 1;
  return {
    path,
    key: path,
    size: () => fstatSync(fd).size,
    read: (offset, into) => readSync(fd, into, 0, into.length, offset),
    write: () => {},
    retain: () => void users++,
    release: () => {
      if (--users === 0) closeSync(fd);
    },
  };
}
