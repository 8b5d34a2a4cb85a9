import { O } from "../fs/constants.ts";
import type { DirEntry, File } from "../fs/types.ts";

/** An open file description: what descriptors that were duplicated share. */
export class OpenFile {
  readonly file: File;
  /** Access mode and status flags, numbers of O. */
  flags: number;
  /** Where `read` and `write` go on, when the file is seekable. */
  position: number;
  /** Path in the program's view, without links where it was known; for messages, /proc and directories. */
  readonly path: string;
  /** Descriptors and mappings that hold it. */
  refs = 1;
  /** What a directory had when it was last read from its beginning. */
  entries: readonly DirEntry[] | undefined;
  /** Key of the file among shared mappings, once asked for. */
  key: string | undefined;
  /** fcntl: F_SETOWN, F_SETSIG. */
  owner = 0;
  signal = 0;

  readonly #shares: OpenFile | undefined;

  /** @param shares another description whose file this one has too: it is held, and let go of with this one */
  constructor(file: File, flags: number, path: string, shares?: OpenFile) {
    this.file = file;
    this.#shares = shares;
    this.flags = flags;
    this.path = path;
    this.position = file.start ?? 0;
  }

  get readable(): boolean {
    return (this.flags & O.ACCMODE) !== O.WRONLY && (this.flags & O.PATH) === 0;
  }
  get writable(): boolean {
    return (this.flags & O.ACCMODE) !== O.RDONLY && (this.flags & O.PATH) === 0;
  }
  get nonblocking(): boolean {
    return (this.flags & O.NONBLOCK) !== 0;
  }

  retain(): this {
    this.refs++;
    return this;
  }
  release(): void {
    if (--this.refs > 0) return;
    if (this.#shares) this.#shares.release();
    else this.file.close();
  }
}
