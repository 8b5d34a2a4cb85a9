import type { HostFile } from "./host-file.ts";
import type { ImageOps } from "./image-ops.ts";
import type { BlockStatus } from "./status.ts";

/**
 * One node of the block graph: a byte array that may live anywhere.
 *
 * Requests may start at any byte and have any length inside `size`. Several may be in flight; overlapping ones are not
 * ordered. `flush` resolves when every write that completed before it was called is on stable storage.
 */
export interface BlockNode {
  /** Unique in its graph: `node-name`, or made up ("#block0"). */
  readonly name: string;
  /** Bytes; changes only through `resize`, and through writes beyond the end where the node `grows`. */
  readonly size: number;
  /** A file below a format: writes beyond its end make it larger, reads there give zeroes. */
  readonly grows?: boolean;
  /** Writes fail with "read-only". */
  readonly readOnly: boolean;
  /** Logical sector, bytes: 512 unless the format says otherwise. */
  readonly sectorSize: number;
  /** Type name of the driver ("raw", "file"), for people and monitors. */
  readonly driver?: string;
  /** Host file or address behind the node, when there is one. */
  readonly filename?: string;
  /** Nodes this one stands on, by role ("file", "backing"). */
  readonly children?: Readonly<Record<string, BlockNode>>;

  /** Fills `into` with the bytes from `at` on. @throws BlockError "out-of-range", "io", "corrupt" */
  read(at: number, into: Uint8Array): Promise<void>;
  /** Writes bytes at `at`; they may not be stable before the next flush. @throws BlockError "out-of-range", "read-only", "io", "no-space" */
  write(at: number, from: Uint8Array): Promise<void>;
  /** Scatter read in one request; absent = the caller reads piece by piece. */
  readv?(at: number, into: readonly Uint8Array[]): Promise<void>;
  /**
   * A read of what lies inside the node, when that takes no waiting: a device answers such a request while its driver makes it.
   * @returns false: not so, and the pieces hold anything; ask {@link readv}, which also says what is wrong
   */
  readNow?(at: number, into: readonly Uint8Array[]): boolean;
  /** Gather write in one request. */
  writev?(at: number, from: readonly Uint8Array[]): Promise<void>;
  /** Makes stable what was written before. */
  flush(): Promise<void>;
  /** A hint: the range may read as anything afterwards, unless the driver promises zeroes. */
  readonly discard?: ((at: number, length: number) => Promise<void>) | undefined;
  /** The range reads as zeroes afterwards; `unmap` allows giving the space back. */
  writeZeroes?(at: number, length: number, unmap: boolean): Promise<void>;
  /** Changes the size, bytes; what is added reads as zeroes. Absent: the size is fixed. */
  readonly resize?: ((size: number) => Promise<void>) | undefined;
  /** The host's file that has the node's bytes as they are; absent where there is none, or something stands before it. */
  readonly hostFile?: HostFile | undefined;
  /** The host copies bytes of a file; false: it has not, or not all, and the caller writes them. */
  copyFrom?(file: HostFile, from: number, at: number, length: number): Promise<boolean>;
  /** Where the content of a range that lies inside the node comes from; absent = data everywhere. */
  blockStatus?(at: number, length: number): Promise<BlockStatus>;
  /** The same where it is known without waiting, errors apart; undefined = ask {@link blockStatus}. */
  statusNow?(at: number, length: number): BlockStatus | undefined;
  /** Bytes that the file behind the node takes on its disk; undefined when nobody knows. */
  allocated?(): Promise<number | undefined>;
  /** Reads through another backing node from now on; undefined = none. The image's own record of the name stays. */
  setBacking?(node: BlockNode | undefined): void;
  /**
   * A format on this node is about to take a step, named as in QEMU's BlkdebugEvent; the answer, when there is one, is awaited.
   * "none" says that such calls will come. Only nodes that fail or stop requests on purpose listen.
   */
  event?(name: string): Promise<unknown> | undefined;
  /** Becomes read-only or writable: an image below an active layer is written by commit. */
  reopen?(opts: { readOnly: boolean }): Promise<void>;
  /** Goes past the host's cache from now on, or not any more (cache.direct). */
  setDirect?(direct: boolean): Promise<void>;
  /** What the format of the image can do besides bytes. */
  readonly image?: ImageOps | undefined;
  /** Gives everything up, flushed. Requests afterwards are mistakes of the caller. */
  close(): Promise<void>;
}

/** Most bytes that one request to a driver may carry; longer ones are split. Bounds what a guest can make us hold. */
export const MAX_TRANSFER: number = 1 << 24;

const ZEROES = new Uint8Array(1 << 16);

/** Writes zeroes through the node's own operation, or as data when it has none. */
export async function zeroRange(node: BlockNode, at: number, length: number, unmap: boolean): Promise<void> {
  if (node.writeZeroes) return node.writeZeroes(at, length, unmap);
  for (let done = 0; done < length;) {
    const piece = Math.min(ZEROES.length, length - done);
    await node.write(at + done, ZEROES.subarray(0, piece));
    done += piece;
  }
}

/** True when every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  const aligned = (bytes.byteOffset & 3) === 0 ? bytes.length & ~3 : 0;
  if (aligned > 0) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, aligned >> 2);
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  }
  for (let i = aligned; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Bytes of a list of pieces. */
export function totalLength(pieces: readonly Uint8Array[]): number {
  let n = 0;
  for (const p of pieces) n += p.length;
  return n;
}
