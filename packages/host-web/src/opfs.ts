import { BlockError, type HostFile } from "@mimus/block";

/**
 * A file of the origin private file system that only this worker has open. Declared here: the type is known in workers only.
 * Source: File System Standard, FileSystemSyncAccessHandle.
 */
export interface SyncAccess {
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  getSize(): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

interface OpfsHandle {
  createSyncAccessHandle?(): Promise<SyncAccess>;
  getFile(): Promise<File>;
  move?(name: string): Promise<void>;
}

const COPY_BYTES = 2 ** 20;

/** A writable disk that stays when the page is closed. */
export class OpfsFile implements HostFile {
  readonly path: string;
  readonly #access: SyncAccess;
  readonly #writable: boolean;

  constructor(path: string, access: SyncAccess, options: { writable: boolean }) {
    this.path = path;
    this.#access = access;
    this.#writable = options.writable;
  }

  async size(): Promise<number> {
    return this.#access.getSize();
  }
  async read(at: number, into: Uint8Array): Promise<number> {
    return this.#try("read", () => (at >= this.#access.getSize() ? 0 : this.#access.read(into, { at })));
  }
  async write(at: number, from: Uint8Array): Promise<number> {
    return this.#change("write", () => this.#access.write(from, { at }));
  }
  async flush(): Promise<void> {
    this.#try("flush", () => this.#access.flush());
  }
  async truncate(size: number): Promise<void> {
    this.#change("resize", () => this.#access.truncate(size));
  }
  async close(): Promise<void> {
    this.#access.close();
  }

  #change<T>(what: string, act: () => T): T {
    if (!this.#writable)
      throw new BlockError("read-only", `'${this.path}' was opened for reading only: it cannot be written`);
    return this.#try(what, act);
  }

  #try<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      const full = nameOf(cause) === "QuotaExceededError";
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new BlockError(full ? "no-space" : "io", `${what} of '${this.path}' failed: ${message}`, { cause });
    }
  }
}

/**
 * Opens `path` ("disks/root.img") in the origin private file system.
 * @throws BlockError not-found; locked when another page or worker has it; unsupported-feature outside a worker
 */
export async function openOpfs(
  path: string,
  { writable, create = false }: { writable: boolean; create?: boolean },
): Promise<OpfsFile> {
  const handle = await find(path, create);
  if (handle.createSyncAccessHandle === undefined)
    throw new BlockError(
      "unsupported-feature",
      `'opfs:${path}' can be opened in a worker only: run the machine in a worker, or give the disk as a file`,
    );
  try {
    return new OpfsFile(`opfs:${path}`, await handle.createSyncAccessHandle(), { writable });
  } catch (cause) {
    if (nameOf(cause) !== "NoModificationAllowedError") throw notOpened(path, cause);
    throw new BlockError("locked", `'opfs:${path}' is in use: does another tab run a machine with this disk?`, {
      cause,
    });
  }
}

/** The whole content of `path` in the origin private file system; works on a page too. @throws BlockError not-found */
export async function readOpfs(path: string): Promise<Uint8Array> {
  const file = await (await find(path, false)).getFile();
  return new Uint8Array(await file.arrayBuffer());
}

/** Whether there is a file `path` in the origin private file system. */
export async function inOpfs(path: string): Promise<boolean> {
  try {
    await find(path, false);
    return true;
  } catch (error) {
    if (error instanceof BlockError && error.kind === "not-found") return false;
    throw error;
  }
}

/** Copies `from` to a new file `path` in the origin private file system; a copy that is not finished never has that name. In a worker only. */
export async function copyToOpfs(from: HostFile, path: string): Promise<void> {
  const part = `${path}.part`;
  const to = await openOpfs(part, { writable: true, create: true });
  try {
    await to.truncate(0);
    const size = await from.size();
    const piece = new Uint8Array(COPY_BYTES);
    for (let at = 0; at < size;) {
      const length = await from.read(at, piece);
      if (length === 0) throw new BlockError("shrunk", `'${from.path}' ended at ${at} of ${size} bytes`, { at });
      for (let done = 0; done < length;) done += await to.write(at + done, piece.subarray(done, length));
      at += length;
    }
    await to.flush();
  } finally {
    await to.close();
  }
  const handle = await find(part, false);
  if (handle.move === undefined)
    throw new BlockError("unsupported-feature", `'opfs:${path}': this browser cannot name a finished copy`);
  await handle.move(path.slice(path.lastIndexOf("/") + 1));
}

async function find(path: string, create: boolean): Promise<OpfsHandle> {
  const storage = globalThis.navigator?.storage;
  if (typeof storage?.getDirectory !== "function")
    throw new BlockError(
      "unsupported-feature",
      `'opfs:${path}': this browser keeps no files for pages here (it needs https or localhost, and no private window)`,
    );
  const names = path.split("/").filter((name) => name !== "");
  const last = names.pop();
  if (last === undefined) throw new BlockError("bad-option", "'opfs:' needs a path: opfs:root.img");
  try {
    let folder = await storage.getDirectory();
    for (const name of names) folder = await folder.getDirectoryHandle(name, { create });
    return (await folder.getFileHandle(last, { create })) as OpfsHandle;
  } catch (cause) {
    throw notOpened(path, cause);
  }
}

function notOpened(path: string, cause: unknown): BlockError {
  const missing = nameOf(cause) === "NotFoundError";
  const why = missing ? "no such file" : cause instanceof Error ? cause.message : String(cause);
  return new BlockError(missing ? "not-found" : "io", `Could not open 'opfs:${path}': ${why}`, { cause });
}

function nameOf(cause: unknown): string {
  return typeof cause === "object" && cause !== null && "name" in cause ? String(cause.name) : "";
}
