import { fstatSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { ReadStream } from "node:tty";

import { E, O, POLL, S, type File } from "@mimus/linux-user";

import { libc } from "../libc.ts";
import { HostFile } from "./host-file.ts";
import { HostTerminal } from "./terminal.ts";

/** Bytes that are read ahead of the program. */
const AHEAD = 65536;

/** Input that arrives by Node's events: Node can't ask a pipe or terminal whether there is any. */
class Feed {
  readonly #open: () => Socket;
  #stream: Socket | undefined;
  readonly #chunks: Uint8Array[] = [];
  length = 0;
  #ended = false;
  readonly #waiting: Set<() => void> = new Set();
  /** Changes what arrives; for terminals. */
  filter: ((chunk: Uint8Array) => Uint8Array | undefined) | undefined;

  constructor(open: () => Socket) {
    this.#open = open;
  }

  get ended(): boolean {
    return this.#ended && this.length === 0;
  }

  /** Begins, or goes on, to listen. */
  start(): void {
    if (this.#ended || this.length >= AHEAD) return;
    if (this.#stream === undefined) {
      const stream = this.#open();
      this.#stream = stream;
      stream.on("data", (data: Buffer) => this.#arrived(data));
      stream.on("end", () => this.#end());
      stream.on("close", () => this.#end());
      // A terminal that is gone, a connection that was reset: there is no more input.
      stream.on("error", () => this.#end());
    }
    this.#stream.resume();
    this.#hold();
  }

  /** Only a wait keeps the host's event loop alive. */
  #hold(): void {
    if (this.#waiting.size > 0) this.#stream?.ref();
    else this.#stream?.unref();
  }

  #arrived(data: Uint8Array): void {
    const chunk = this.filter === undefined ? data : this.filter(data);
    if (chunk === undefined) return this.#end();
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.length += chunk.length;
    if (this.length >= AHEAD) this.#stream?.pause();
    this.#wake();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const fn of [...this.#waiting]) fn();
  }

  take(into: Uint8Array): number {
    let done = 0;
    while (done < into.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, into.length - done);
      into.set(part, done);
      done += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.length -= done;
    return done;
  }

  wait(fn: () => void): () => void {
    const entry = (): void => fn();
    this.#waiting.add(entry);
    this.start();
    this.#hold();
    if (this.length > 0 || this.#ended) queueMicrotask(entry);
    return () => {
      this.#waiting.delete(entry);
      this.#hold();
    };
  }

  stop(owned: boolean): void {
    this.#waiting.clear();
    this.#stream?.pause();
    this.#stream?.unref();
    if (owned) this.#stream?.destroy();
  }
}

/** A pipe, socket or terminal of the host. */
class StreamFile extends HostFile {
  readonly #feed: Feed;
  readonly terminal: HostTerminal | undefined;
  readonly #keeps: boolean;

  constructor(fd: number, type: number, owned: boolean, isTerminal: boolean) {
    // The stream closes the descriptor that it was given.
    super(fd, type, owned);
    this.#keeps = owned;
    const open = (): Socket => {
      if (fd === 0) return process.stdin;
      return isTerminal ? new ReadStream(fd) : new Socket({ fd, readable: true, writable: false });
    };
    this.#feed = new Feed(open);
    if (isTerminal) {
      this.terminal = new HostTerminal(fd, () => open() as ReadStream);
      this.#feed.filter = (chunk) => this.terminal!.arrived(chunk);
    }
  }
  /** What poll(2) of the host says of reading; 0 too where it can't be asked. */
  #now(): number {
    return this.terminal === undefined ? (libc()?.poll(this.fd, POLL.IN) ?? 0) : 0;
  }
  override read(into: Uint8Array): number {
    if (into.length === 0) return 0;
    const done = this.#feed.take(into);
    if (done > 0) return done;
    if (this.#feed.ended) return 0;
    // What the host has now comes after what was fed: Node reads in its event loop only.
    if (this.#now() !== 0) return super.read(into, -1);
    this.#feed.start();
    return -E.AGAIN;
  }
  override ready(): number {
    const feed = this.#feed;
    const now = feed.length === 0 && !feed.ended ? this.#now() : 0;
    if (feed.length === 0 && now === 0) feed.start();
    let events = POLL.OUT | POLL.WRNORM | (now & (POLL.IN | POLL.HUP));
    if ((now & POLL.IN) !== 0) events |= POLL.RDNORM;
    if (feed.length > 0 || feed.ended) events |= POLL.IN | POLL.RDNORM;
    if (feed.ended) events |= POLL.HUP;
    return events;
  }
  override wait(events: number, fn: () => void): () => void {
    const stops: (() => void)[] = [];
    if ((events & (POLL.IN | POLL.RDNORM)) !== 0) stops.push(this.#feed.wait(fn));
    if ((events & (POLL.OUT | POLL.WRNORM)) !== 0) stops.push(super.wait(events, fn));
    return () => stops.forEach((stop) => stop());
  }
  override available(): number {
    return this.#feed.length;
  }
  override sync(): void {
    super.sync(false);
  }
  override close(): void {
    this.terminal?.restore();
    this.#feed.stop(this.#keeps);
    super.close();
  }
}

/** Where output goes only: reading from it is not tried before the program does. */
class OutputFile extends StreamFile {
  override ready(): number {
    return POLL.OUT | POLL.WRNORM;
  }
}

/** A descriptor that is no regular file or directory. */
export function openStream(fd: number, type: number, owned: boolean, isTerminal: boolean): File {
  if (type === S.IFIFO || type === S.IFSOCK || isTerminal) return new StreamFile(fd, type, owned, isTerminal);
  return new HostFile(fd, type, owned);
}

/** A regular file that was handed down: its position is shared with whoever else has it. */
class SharedFile extends HostFile {
  readonly #append: boolean;
  #next: number;

  constructor(fd: number, start: number, append: boolean) {
    super(fd, S.IFREG, false);
    this.#append = append;
    this.#next = start;
  }
  get start(): number {
    return this.#next;
  }
  /** As long as the program goes on where it was, the host's own position moves along. */
  #at(at: number): number {
    return at === this.#next ? -1 : at;
  }
  override read(into: Uint8Array, at: number): number {
    const own = this.#at(at) < 0;
    const done = super.read(into, own ? -1 : at);
    if (own && done > 0) this.#next += done;
    return done;
  }
  override write(from: Uint8Array, at: number): number {
    const own = at < 0 || this.#at(at) < 0;
    const done = super.write(from, own ? -1 : at);
    if (own && done > 0) this.#next = this.#append ? this.size() : this.#next + done;
    return done;
  }
}

/** Position and flags of an inherited descriptor, from Linux's /proc. */
function inherited(fd: number): { readonly position: number; readonly flags: number } {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const position = Number(/^pos:\s*(\d+)/m.exec(text)?.[1] ?? 0);
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(text)?.[1] ?? "2", 8);
    return { position, flags };
  } catch {
    return { position: 0, flags: fd === 0 ? O.RDONLY : O.RDWR };
  }
}

/** One of the standard descriptors of this process; undefined when it is closed. */
export function standardFile(
  fd: number,
  isTerminal: boolean,
): { readonly file: File; readonly flags: number } | undefined {
  let type: number;
  try {
    type = fstatSync(fd).mode & S.IFMT;
  } catch {
    return undefined;
  }
  const { position, flags } = inherited(fd);
  const kept = flags & (O.ACCMODE | O.APPEND);
  if (type === S.IFREG) return { file: new SharedFile(fd, position, (flags & O.APPEND) !== 0), flags: kept };
  const file =
    (kept & O.ACCMODE) === O.WRONLY && type !== S.IFCHR
      ? new OutputFile(fd, type, false, isTerminal)
      : openStream(fd, type, false, isTerminal);
  return { file, flags: kept };
}
