import { BlockError } from "@mimus/block";
import { put16, put32, put64 } from "../bytes.ts";
import { CMD, FLAG, MAGIC } from "../constants.ts";
import { errorName, NbdError } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import type { ClientSession, ExportInfo } from "./negotiate.ts";
import type { Pending } from "./replies.ts";
import { ReplyParser } from "./replies.ts";

/** Requests that are on their way at once; more wait. */
const MAX_IN_FLIGHT = 64;

/** A run of bytes as a server describes it. */
export interface StatusRun {
  /** Bytes. */
  readonly length: number;
  /** Bits of the context: {@link ALLOCATION} for `base:allocation`. */
  readonly flags: number;
}

/** The transmission phase with a server: requests, each with its promise. */
export class NbdClient {
  /** The export. */
  readonly of: ExportInfo;
  /** Replies come in chunks. */
  readonly structured: boolean;
  /** Metadata contexts that were agreed on, by name: what `status` may ask for. */
  readonly contexts: ReadonlyMap<string, number>;
  /** Why the connection is over; undefined while it is not. */
  broken: Error | undefined;
  readonly #stream: ByteStream;
  readonly #replies: ReplyParser;
  readonly #pending: Map<number, Pending> = new Map();
  readonly #waiting: (() => void)[] = [];
  #cookie = 0;
  #running = 0;
  #full = false;
  #onBroken: ((error: Error) => void) | undefined;

  constructor(session: ClientSession) {
    const { stream, of, structured, contexts } = session;
    this.#stream = stream;
    this.of = of;
    this.structured = structured;
    this.contexts = contexts;
    this.#replies = new ReplyParser(structured, (cookie) => this.#pending.get(cookie));
    stream.onClose((error) =>
      this.#break(
        new NbdError(
          "closed",
          `${stream.peer} closed the connection${error === undefined ? "" : `: ${error.message}`}`,
          { cause: error },
        ),
      ),
    );
    stream.onDrain(() => {
      this.#full = false;
      this.#next();
    });
    stream.onData((bytes) => this.#input(bytes));
    for (const bytes of session.rest) this.#input(bytes);
  }

  /** Called once when the connection is lost. */
  onBroken(act: (error: Error) => void): void {
    this.#onBroken = act;
    if (this.broken) act(this.broken);
  }

  /** Whether the export has a bit of {@link FLAG}. */
  can(flag: number): boolean {
    return (this.of.flags & flag) !== 0;
  }

  /** Fills `into` with the bytes from `at` on. @throws BlockError as the server words it, or when the connection is lost */
  async read(at: number, into: Uint8Array): Promise<void> {
    await this.#request(CMD.READ, 0, at, into.length, { into });
  }

  /** Writes bytes at `at`; `flags` of {@link CMD_FLAG}. Rejects as `read` does. */
  async write(at: number, from: Uint8Array, flags = 0): Promise<void> {
    await this.#request(CMD.WRITE, flags, at, from.length, { from });
  }

  /** What was written before is stable afterwards. */
  async flush(): Promise<void> {
    if (this.can(FLAG.SEND_FLUSH)) await this.#request(CMD.FLUSH, 0, 0, 0, {});
  }

  /** A hint: the range may read as anything afterwards. */
  async trim(at: number, length: number): Promise<void> {
    await this.#request(CMD.TRIM, 0, at, length, {});
  }

  /** The range reads as zeroes afterwards; `flags` of {@link CMD_FLAG}. */
  async writeZeroes(at: number, length: number, flags: number): Promise<void> {
    await this.#request(CMD.WRITE_ZEROES, flags, at, length, {});
  }

  /** The runs from `at` on in a context that was agreed on. */
  async status(context: string, at: number, length: number, flags = 0): Promise<readonly StatusRun[]> {
    const id = this.contexts.get(context);
    if (id === undefined) throw new BlockError("unsupported-feature", `the server has no context '${context}'`);
    const runs: StatusRun[] = [];
    await this.#request(CMD.BLOCK_STATUS, flags, at, length, { context: id, runs });
    if (runs.length === 0) throw new BlockError("io", "the server answered without a block status");
    return runs;
  }

  /** Says goodbye and closes; requests under way fail. */
  close(): void {
    if (this.broken) return;
    this.#send(CMD.DISC, 0, this.#cookie++, 0, 0, undefined);
    this.#break(new NbdError("closed", "the connection is closed"));
    this.#stream.end();
  }

  async #request(
    type: number,
    flags: number,
    at: number,
    length: number,
    what: { into?: Uint8Array; from?: Uint8Array; context?: number; runs?: StatusRun[] },
  ): Promise<void> {
    while ((this.#running >= MAX_IN_FLIGHT || this.#full) && !this.broken)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.broken) throw this.broken;
    this.#running++;
    const cookie = this.#cookie++;
    try {
      const done = new Promise<void>((resolve, reject) =>
        this.#pending.set(cookie, {
          ...{ type, at, length, into: what.into, context: what.context, runs: what.runs },
          ...{ resolve, reject, covered: 0, error: undefined },
        }),
      );
      this.#send(type, flags, cookie, at, length, what.from);
      await done;
    } finally {
      this.#pending.delete(cookie);
      this.#running--;
      this.#next();
    }
  }

  /** Source: section "Compact request message". */
  #send(type: number, flags: number, cookie: number, at: number, length: number, data: Uint8Array | undefined): void {
    const head = new Uint8Array(28);
    put32(head, 0, MAGIC.request);
    put16(head, 4, flags);
    put16(head, 6, type);
    put64(head, 8, cookie);
    put64(head, 16, at);
    put32(head, 24, length);
    // The caller's array is its own again when the request is answered: by then the server has all of it.
    if (!this.#stream.write(data === undefined ? [head] : [head, data])) this.#full = true;
  }

  #input(bytes: Uint8Array): void {
    if (this.broken) return;
    try {
      this.#replies.push(bytes, (pending) => this.#answered(pending));
    } catch (error) {
      this.#break(error as Error);
      this.#stream.destroy();
    }
  }

  #answered(pending: Pending): void {
    const { error } = pending;
    if (error === undefined) return pending.resolve();
    const [kind, text] = errorName(error.number);
    const said = error.message === "" ? "" : ` (server: ${error.message})`;
    pending.reject(new BlockError(kind, `${text}${said}`, { at: pending.at }));
  }

  #next(): void {
    if (this.broken) for (const resolve of this.#waiting.splice(0)) resolve();
    else if (!this.#full) this.#waiting.shift()?.();
  }

  #break(error: Error): void {
    if (this.broken) return;
    this.broken = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#next();
    this.#onBroken?.(error);
  }
}
