import { u16, u32, u64 } from "../bytes.ts";
import { CMD, MAGIC, MAX_REQUEST } from "../constants.ts";
import { NbdError } from "../errors.ts";

/** One request. Source: section "Compact request message". */
export interface Request {
  readonly flags: number;
  readonly type: number;
  /** The client's name for the request, as two halves. */
  readonly cookieHigh: number;
  readonly cookieLow: number;
  /** Bytes; Infinity when a number cannot hold it. */
  readonly at: number;
  readonly length: number;
  /** Data of a write; undefined for other requests, and for a write of more than 32 MiB (its data was passed over). */
  readonly data: Uint8Array | undefined;
}

const HEAD = 28;

/** Cuts a stream into requests; `take` says whether one more may begin. */
export class RequestParser {
  readonly #take: (length: number) => boolean;
  readonly #act: (request: Request) => void;
  readonly #head: Uint8Array = new Uint8Array(HEAD);
  #headBytes = 0;
  #chunks: Uint8Array[] = [];
  #at = 0;
  /** A whole head whose request waits for `take`, or whose data is coming. */
  #pending = false;
  #data: Uint8Array | undefined;
  #dataBytes = 0;
  #skip = 0;
  #over = false;

  constructor(take: (length: number) => boolean, act: (request: Request) => void) {
    this.#take = take;
    this.#act = act;
  }

  /** Bytes are here that could not be used yet. */
  get held(): boolean {
    return this.#chunks.length > 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length > 0 && !this.#over) this.#chunks.push(bytes);
  }

  /** Takes no more input. @returns true when a request was taken whose data has not all come */
  stop(): boolean {
    const unfinished = this.#data !== undefined;
    this.#over = true;
    this.#chunks = [];
    this.#data = undefined;
    return unfinished;
  }

  /** Goes on as far as it may. @throws NbdError "protocol" */
  run(): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      if (!this.#step(chunk)) return;
      if (this.#over) return;
      if (this.#at === chunk.length) {
        this.#chunks.shift();
        this.#at = 0;
      }
    }
  }

  /** @returns false when it has to wait. */
  #step(chunk: Uint8Array): boolean {
    if (this.#pending) return this.#begin();
    const left = chunk.length - this.#at;
    if (this.#skip > 0) {
      const piece = Math.min(left, this.#skip);
      this.#at += piece;
      this.#skip -= piece;
      return true;
    }
    if (this.#data !== undefined) {
      const piece = Math.min(left, this.#data.length - this.#dataBytes);
      this.#data.set(chunk.subarray(this.#at, this.#at + piece), this.#dataBytes);
      this.#at += piece;
      this.#dataBytes += piece;
      if (this.#dataBytes === this.#data.length) this.#done(this.#data);
      return true;
    }
    if (this.#headBytes === 0 && left >= HEAD) {
      this.#head.set(chunk.subarray(this.#at, this.#at + HEAD));
      this.#at += HEAD;
    } else {
      const piece = Math.min(left, HEAD - this.#headBytes);
      this.#head.set(chunk.subarray(this.#at, this.#at + piece), this.#headBytes);
      this.#at += piece;
      this.#headBytes += piece;
      if (this.#headBytes < HEAD) return true;
    }
    this.#headBytes = 0;
    if (u32(this.#head, 0) !== MAGIC.request)
      throw new NbdError("protocol", `a request without its magic number (0x${u32(this.#head, 0).toString(16)})`);
    this.#pending = true;
    return this.#begin();
  }

  /** Begins the request whose head is here. @returns false when it may not begin yet */
  #begin(): boolean {
    const type = u16(this.#head, 6);
    const length = u32(this.#head, 24);
    const write = type === CMD.WRITE;
    const carried = (write || type === CMD.READ) && length <= MAX_REQUEST ? length : 0;
    if (!this.#take(carried)) return false;
    this.#pending = false;
    if (!write) this.#done(undefined);
    else if (length > MAX_REQUEST) {
      this.#done(undefined);
      this.#skip = length;
    } else if (length === 0) this.#done(new Uint8Array(0));
    else {
      this.#data = new Uint8Array(length);
      this.#dataBytes = 0;
    }
    return true;
  }

  #done(data: Uint8Array | undefined): void {
    const head = this.#head;
    this.#data = undefined;
    this.#act({
      flags: u16(head, 4),
      type: u16(head, 6),
      cookieHigh: u32(head, 8),
      cookieLow: u32(head, 12),
      at: u64(head, 16),
      length: u32(head, 24),
      data,
    });
  }
}
