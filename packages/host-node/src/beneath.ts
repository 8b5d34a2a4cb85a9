import { constants, existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

let loaded: typeof import("node:fs/promises") | undefined;

/** Files with promises, loaded at first use: few disks are folders, and few consoles files. */
export function fs(): typeof import("node:fs/promises") {
  return (loaded ??= process.getBuiltinModule("node:fs/promises"));
}

/** A place below the shared folder: a chain of names from the top, which a rename changes for everything below it. */
export interface Place {
  parent: Place | undefined;
  name: string;
  readonly children: Map<string, WeakRef<Place>>;
}

/** Names an inode without opening it. Source: Linux include/uapi/asm-generic/fcntl.h; Node does not export it. */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const HAS_PROC = process.platform === "linux" && existsSync("/proc/self/fd");

/** A failure with the POSIX name that the guest is told. */
export function refusal(code: string, message: string = code): Error {
  return Object.assign(new Error(message), { code });
}

const ofHandle = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`;

/**
 * Runs `act` with a path of the folder `place`, to which one name may be appended. Each step from the top opens one name without
 * following a symbolic link, and the path goes through the open descriptor: whoever replaces a folder by a link meanwhile gains nothing.
 * Without /proc (not Linux) each step is only looked at first, which a process of the host could outrun.
 */
export async function inFolder<T>(top: string, place: Place, act: (folder: string) => Promise<T>): Promise<T> {
  const names: string[] = [];
  for (let at: Place = place; at.parent !== undefined; at = at.parent) names.unshift(at.name);
  if (!HAS_PROC) return act(await looked(top, names));
  let handle = await fs().open(top, O_PATH | constants.O_DIRECTORY);
  try {
    for (const name of names) {
      const next = await fs().open(`${ofHandle(handle)}/${name}`, FOLDER);
      await handle.close();
      handle = next;
    }
    return await act(ofHandle(handle));
  } finally {
    await handle.close();
  }
}

async function looked(top: string, names: readonly string[]): Promise<string> {
  let path = top;
  for (const name of names) {
    path = join(path, name);
    if (!(await fs().lstat(path)).isDirectory()) throw refusal("ENOTDIR");
  }
  return path;
}

/**
 * Opens the regular file `name` of a folder; anything else is refused before it is opened: opening a device or a pipe can block or act.
 * `act` gets a path that stays with this file whatever happens to its name.
 */
export async function onRegular<T>(folder: string, name: string, act: (path: string) => Promise<T>): Promise<T> {
  const path = `${folder}/${name}`;
  if (!HAS_PROC) {
    if (!(await fs().lstat(path)).isFile()) throw refusal("ENXIO", "not a regular file");
    return act(path);
  }
  const handle = await fs().open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (!(await handle.stat()).isFile()) throw refusal("ENXIO", "not a regular file");
    return await act(ofHandle(handle));
  } finally {
    await handle.close();
  }
}

/** Runs `act` with a path of a file or folder, never of what a symbolic link points at. */
export async function onNoLink<T>(folder: string, name: string, act: (path: string) => Promise<T>): Promise<T> {
  const path = `${folder}/${name}`;
  if (!HAS_PROC) {
    if ((await fs().lstat(path)).isSymbolicLink()) throw refusal("ELOOP");
    return act(path);
  }
  const handle = await fs().open(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if ((await handle.stat()).isSymbolicLink()) throw refusal("ELOOP");
    return await act(ofHandle(handle));
  } finally {
    await handle.close();
  }
}
