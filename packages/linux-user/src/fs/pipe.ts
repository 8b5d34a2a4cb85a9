import { E } from "../errno.ts";
import { BaseFile, Waiters } from "./base-file.ts";
import { POLL, S } from "./constants.ts";
import type { Quota } from "./memory-file.ts";
import type { File } from "./types.ts";

/** Bytes a pipe holds. Source: Linux man-pages, pipe(7). */
export const PIPE_SIZE = 65536;
/** A write of at most this many bytes is not divided. */
export const PIPE_BUF = 4096;

const NO_BYTES = new Uint8Array(0);

/** A ring of bytes between two ends that count who has them open. */
export class PipeBuffer {
  readonly #quota: Quota | undefined;
  readonly #capacity: number;
  /** Only there while somebody has the pipe open and wrote to it. */
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  length = 0;
  readers = 0;
  writers = 0;
  readonly waiters: Waiters = new Waiters();

  /** @param quota what all pipes may have together: when it is used up, new ones are small */
  constructor(quota?: Quota) {
    this.#quota = quota;
    this.#capacity = quota === undefined || quota.used + PIPE_SIZE <= quota.limit ? PIPE_SIZE : PIPE_BUF;
    if (quota) quota.used += this.#capacity;
  }

  get room(): number {
    return this.#capacity - this.length;
  }
  /** The last end was closed: what was not read is lost. */
  clear(): void {
    if (this.#quota) this.#quota.used -= this.#capacity;
    this.#bytes = NO_BYTES;
    this.#start = 0;
    this.length = 0;
  }
  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.length);
    const first = Math.min(count, this.#capacity - this.#start);
    into.set(this.#bytes.subarray(this.#start, this.#start + first));
    into.set(this.#bytes.subarray(0, count - first), first);
    this.#start = (this.#start + count) % this.#capacity;
    this.length -= count;
    if (count > 0) this.waiters.wake();
    return count;
  }
  put(from: Uint8Array): number {
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#capacity);
    const count = Math.min(from.length, this.room);
    const at = (this.#start + this.length) % this.#capacity;
    const first = Math.min(count, this.#capacity - at);
    this.#bytes.set(from.subarray(0, first), at);
    this.#bytes.set(from.subarray(first, count), 0);
    this.length += count;
    if (count > 0) this.waiters.wake();
    return count;
  }
}

class PipeEnd extends BaseFile {
  override readonly type: number;
  readonly #in: PipeBuffer | undefined;
  readonly #out: PipeBuffer | undefined;

  constructor(type: number, from: PipeBuffer | undefined, to: PipeBuffer | undefined) {
    super();
    this.type = type;
    this.#in = from;
    this.#out = to;
    if (from) from.readers++;
    if (to) to.writers++;
  }

  override read(into: Uint8Array): number {
    const pipe = this.#in;
    if (pipe === undefined) return -E.BADF;
    if (pipe.length > 0) return pipe.take(into);
    return pipe.writers === 0 || into.length === 0 ? 0 : -E.AGAIN;
  }

  override write(from: Uint8Array): number {
    const pipe = this.#out;
    if (pipe === undefined) return -E.BADF;
    if (pipe.readers === 0) return -E.PIPE;
    if (from.length === 0) return 0;
    if (from.length <= PIPE_BUF ? pipe.room < from.length : pipe.room === 0) return -E.AGAIN;
    return pipe.put(from);
  }

  override ready(): number {
    const from = this.#in;
    const to = this.#out;
    let events = 0;
    if (from && (from.length > 0 || (this.type === S.IFSOCK && from.writers === 0))) events |= POLL.IN | POLL.RDNORM;
    if (from && from.writers === 0) events |= POLL.HUP | (this.type === S.IFSOCK ? POLL.RDHUP : 0);
    if (to && to.room >= PIPE_BUF) events |= POLL.OUT | POLL.WRNORM;
    if (to && to.readers === 0) events |= this.type === S.IFSOCK ? POLL.HUP | POLL.OUT : POLL.ERR | POLL.OUT;
    return events;
  }

  override wait(_events: number, fn: () => void): () => void {
    const stops = [this.#in?.waiters.add(fn), this.#out?.waiters.add(fn)];
    return () => stops.forEach((stop) => stop?.());
  }

  override available(): number {
    return this.#in?.length ?? 0;
  }

  override close(): void {
    if (this.#in) this.#in.readers--;
    if (this.#out) this.#out.writers--;
    for (const pipe of [this.#in, this.#out]) {
      if (pipe && pipe.readers === 0 && pipe.writers === 0) pipe.clear();
      pipe?.waiters.wake();
    }
  }
}

/** A pipe: the end to read from, and the end to write to. */
export function createPipe(quota?: Quota): [read: File, write: File] {
  const buffer = new PipeBuffer(quota);
  return [new PipeEnd(S.IFIFO, buffer, undefined), new PipeEnd(S.IFIFO, undefined, buffer)];
}

/** One end of a named pipe. @param access 0 read, 1 write, 2 both */
export function openPipe(buffer: PipeBuffer, access: number): File {
  return new PipeEnd(S.IFIFO, access === 1 ? undefined : buffer, access === 0 ? undefined : buffer);
}

/** Two connected stream sockets. */
export function createSocketPair(quota?: Quota): [File, File] {
  const there = new PipeBuffer(quota);
  const back = new PipeBuffer(quota);
  return [new PipeEnd(S.IFSOCK, back, there), new PipeEnd(S.IFSOCK, there, back)];
}
