import type { LockRequest } from "./lock.ts";

/** An open file of the host. Implemented by the host packages; the block layer knows no other way to a file. */
export interface HostFile {
  /** As it was opened: for messages. */
  readonly path: string;
  /** Bytes now: another process may have changed it. */
  size(): Promise<number>;
  /** Resolves with the bytes read: fewer than asked only at the end of the file. */
  read(at: number, into: Uint8Array): Promise<number>;
  /** Resolves with the bytes written; fewer than given means that the caller goes on from there. */
  write(at: number, from: Uint8Array): Promise<number>;
  /** Reads into several pieces at once, with one result as `read`. */
  readv?(at: number, into: readonly Uint8Array[]): Promise<number>;
  /** Fills all pieces without waiting, from the host's memory. @returns false: it cannot, and the pieces hold anything */
  readNow?(at: number, into: readonly Uint8Array[]): boolean;
  /** Writes several pieces at once, with one result as `write`. */
  writev?(at: number, from: readonly Uint8Array[]): Promise<number>;
  /**
   * Copies bytes of another open file without bringing them here. @returns how many; none or less when the host cannot, whatever
   * the reason.
   */
  copyFrom?(other: HostFile, from: number, at: number, length: number): Promise<number>;
  /** Data (and the size that reading it back needs) is on stable storage, as fdatasync(2). */
  flush(): Promise<void>;
  /** Cuts off, or adds zeroes. */
  truncate(size: number): Promise<void>;
  /** Gives the space of the range back; it reads as zeroes. */
  punch?(at: number, length: number): Promise<void>;
  /** The range reads as zeroes; space stays reserved. */
  zero?(at: number, length: number): Promise<void>;
  /** A device of the host: it has its size, and writes beyond fail. */
  readonly fixedSize?: boolean;
  /** Where the next stretch of data or of a hole ends that starts at `at`; undefined when the file system cannot tell. */
  extent?(at: number): { readonly data: boolean; readonly end: number } | undefined;
  /** Bytes that the file takes on its disk: less than its size where it has holes; undefined when nobody knows. */
  allocated?(): Promise<number | undefined>;
  /**
   * Advisory lock held until close; asked for again, it changes. @throws BlockError "locked" when another process holds a
   * conflicting one.
   */
  lock?(request: LockRequest): Promise<void>;
  /** Gives the file up, with its lock. */
  close(): Promise<void>;
}

/** The files that the block layer may open: a narrow door that the application hands in. */
export interface HostFiles {
  /** `direct`: past the host's cache. */
  open(path: string, opts: { writable: boolean; create?: boolean; direct?: boolean }): Promise<HostFile>;
  /** All of a file. */
  read(path: string): Promise<Uint8Array>;
  /** The path with every symbolic link followed; absent where there are none. */
  realpath?(path: string): Promise<string>;
}
