import type { BlockNode } from "@mimus/block";
import { chainStatus, zeroRange } from "@mimus/block";
import { encode, put16, put32, put64 } from "../bytes.ts";
import { CHUNK, CHUNK_DONE, CMD, CMD_FLAG, ERRNO, MAGIC, MAX_REQUEST } from "../constants.ts";
import { errorNumber } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import { Buffers } from "./buffers.ts";
import type { NbdExport } from "./export.ts";
import type { Session } from "./negotiation.ts";

import { Outbox } from "./outbox.ts";
import type { Request } from "./parser.ts";
import { RequestParser } from "./parser.ts";
import { extents } from "./status.ts";

/** Requests of one client that are under way. */
const MAX_IN_FLIGHT = 64;
/** Bytes of data of requests of one client that are under way: one request of the largest size always fits. */
const MAX_BYTES: number = MAX_REQUEST;
/** Reads from this size on are answered in pieces, with holes left out. */
const SPARSE: number = 1 << 16;
/** Bytes of one piece of such a read. */
const PIECE: number = 1 << 20;
/** Most bytes that one call of a node zeroes or gives back. */
const STRIDE: number = 1 << 28;

/** Flags that each request may have. Source: the descriptions of the commands in section "Request types". */
const FLAGS: Readonly<Record<number, number>> = {
  [CMD.READ]: CMD_FLAG.FUA | CMD_FLAG.DF,
  [CMD.WRITE]: CMD_FLAG.FUA,
  [CMD.FLUSH]: CMD_FLAG.FUA,
  [CMD.TRIM]: CMD_FLAG.FUA,
  [CMD.CACHE]: CMD_FLAG.FUA,
  [CMD.WRITE_ZEROES]: CMD_FLAG.FUA | CMD_FLAG.NO_HOLE | CMD_FLAG.FAST_ZERO,
  [CMD.BLOCK_STATUS]: CMD_FLAG.FUA | CMD_FLAG.REQ_ONE,
};

/** A request that is refused before the node sees it. */
class Refused extends Error {
  readonly number: number;

  constructor(number: number, message: string) {
    super(message);
    this.number = number;
  }
}

/** The transmission phase with one client. Source: section "Transmission phase". */
export class Transmission {
  /** Resolves when the client has gone and nothing is under way; with the reason when the end was not proper. */
  readonly over: Promise<Error | undefined>;
  readonly #stream: ByteStream;
  readonly #of: NbdExport;
  readonly #node: BlockNode;
  readonly #session: Session;
  readonly #parser: RequestParser;
  readonly #out: Outbox;
  readonly #fastZeroes: boolean;
  readonly #buffers: Buffers = new Buffers();
  #inFlight = 0;
  #bytes = 0;
  #paused = false;
  #ending = false;
  #gone = false;
  #why: Error | undefined;
  #finish!: (why: Error | undefined) => void;

  constructor(session: Session) {
    const { stream, of } = session;
    this.#session = session;
    this.#stream = stream;
    this.#of = of;
    this.#node = of.node;
    this.#fastZeroes = ((of.node as { inner?: BlockNode }).inner ?? of.node).writeZeroes !== undefined;
    this.over = new Promise((resolve) => (this.#finish = resolve));
    this.#out = new Outbox(stream, this.#buffers, () => this.#run());
    this.#parser = new RequestParser(
      (length) => this.#take(length),
      (request) => this.#begin(request),
    );
    stream.onClose((error) => {
      this.#gone = true;
      this.#why ??= error;
      this.#stop();
      this.#settle();
    });
    stream.onData((bytes) => {
      this.#parser.push(bytes);
      this.#run();
    });
    for (const bytes of session.rest) this.#parser.push(bytes);
    this.#run();
  }

  /** Takes no more requests; what is under way is answered. */
  end(): void {
    this.#stop();
    this.#ending = true;
    this.#settle();
  }

  /** Breaks the connection. */
  destroy(why?: Error): void {
    this.#why ??= why;
    this.#stop();
    this.#stream.destroy();
  }

  /** No more requests; one whose data was still coming is forgotten. */
  #stop(): void {
    if (this.#parser.stop()) this.#inFlight--;
  }

  #run(): void {
    try {
      this.#parser.run();
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    const held = this.#parser.held;
    if (held === this.#paused) return;
    this.#paused = held;
    if (held) this.#stream.pause();
    else this.#stream.resume();
  }

  #take(length: number): boolean {
    if (this.#out.full || this.#inFlight >= MAX_IN_FLIGHT) return false;
    if (this.#bytes + length > MAX_BYTES) return false;
    this.#inFlight++;
    this.#bytes += length;
    return true;
  }

  #begin(request: Request): void {
    try {
      if (request.type === CMD.DISC) {
        this.#inFlight--;
        this.end();
        return;
      }
      this.#check(request);
    } catch (error) {
      this.#fail(request, error);
      return;
    }
    if (request.type === CMD.READ) this.#read(request);
    else
      this.#act(request).then(
        () => this.#done(request),
        (error: unknown) => this.#fail(request, error),
      );
  }

  /** @throws Refused */
  #check({ type, flags, at, length, data }: Request): void {
    const known = FLAGS[type];
    if (known === undefined) throw new Refused(ERRNO.EINVAL, `unknown request ${type}`);
    const wrong = flags & ~(this.#session.structured ? known : known & ~CMD_FLAG.DF);
    if (wrong !== 0) throw new Refused(ERRNO.EINVAL, `request ${type} with flags 0x${wrong.toString(16)}`);
    const writes = type === CMD.WRITE || type === CMD.WRITE_ZEROES || type === CMD.TRIM;
    if (writes && !this.#of.writable) throw new Refused(ERRNO.EPERM, "the export is read-only");
    if (type === CMD.FLUSH) return;
    if ((type === CMD.READ || type === CMD.WRITE) && length > MAX_REQUEST)
      throw new Refused(ERRNO.EINVAL, `request of ${length} bytes: at most ${MAX_REQUEST}`);
    if (at + length > this.#node.size)
      throw new Refused(
        type === CMD.WRITE || type === CMD.WRITE_ZEROES ? ERRNO.ENOSPC : ERRNO.EINVAL,
        `request of ${length} bytes at ${at} ends beyond the export of ${this.#node.size} bytes`,
      );
    if (type === CMD.BLOCK_STATUS && (length === 0 || this.#session.contexts.length === 0))
      throw new Refused(ERRNO.EINVAL, "block status of no bytes, or without metadata contexts");
    if (type === CMD.WRITE && data === undefined) throw new Refused(ERRNO.EINVAL, "a write without data");
  }

  async #act(request: Request): Promise<void> {
    const { type, flags, at, length, data } = request;
    const node = this.#node;
    switch (type) {
      case CMD.WRITE:
        if (data !== undefined && data.length > 0) await node.write(at, data);
        break;
      case CMD.TRIM:
        if (node.discard)
          for (let done = 0; done < length; done += STRIDE)
            await node.discard(at + done, Math.min(STRIDE, length - done));
        break;
      case CMD.WRITE_ZEROES:
        if (flags & CMD_FLAG.FAST_ZERO && !this.#fastZeroes)
          throw new Refused(ERRNO.ENOTSUP, "zeroes are written as data here");
        for (let done = 0; done < length; done += STRIDE)
          await zeroRange(node, at + done, Math.min(STRIDE, length - done), (flags & CMD_FLAG.NO_HOLE) === 0);
        break;
      case CMD.FLUSH:
        if (this.#of.writable) await node.flush();
        return;
      case CMD.BLOCK_STATUS:
        return this.#status(request);
      default: // CACHE: a hint.
        return;
    }
    if (flags & CMD_FLAG.FUA) await node.flush();
  }

  // ---- reading ----

  #read(request: Request): void {
    const { length, at, flags } = request;
    if (this.#session.structured && length >= SPARSE && (flags & CMD_FLAG.DF) === 0) {
      this.#sparseRead(request).then(
        () => this.#done(request),
        (error: unknown) => this.#fail(request, error),
      );
      return;
    }
    const into = this.#buffers.take(length);
    if (length === 0) return this.#answerRead(request, into);
    this.#node.read(at, into).then(
      () => this.#answerRead(request, into),
      (error: unknown) => this.#fail(request, error),
    );
  }

  #answerRead(request: Request, data: Uint8Array): void {
    if (this.#gone) return this.#end(request);
    if (this.#session.structured) {
      // A chunk of no data is not allowed: section "Structured reply types".
      if (data.length === 0) this.#chunk(request, CHUNK.NONE, CHUNK_DONE, 0);
      else this.#dataChunk(request, CHUNK_DONE, request.at, data.length);
    } else this.#simple(request, 0);
    if (data.length > 0) this.#out.data(data);
    this.#end(request);
  }

  /** Piece by piece, so that a long read takes little memory, and no bytes for holes. */
  async #sparseRead(request: Request): Promise<void> {
    const end = request.at + request.length;
    for (let at = request.at; at < end;) {
      if (this.#gone) return;
      const { length, zero } = await chainStatus(this.#node, at, end - at);
      if (zero) {
        const to = this.#chunk(request, CHUNK.OFFSET_HOLE, 0, 12);
        put64(this.#out.bytes, to, at);
        put32(this.#out.bytes, to + 8, length);
        at += length;
        continue;
      }
      for (const stop = at + length; at < stop;) {
        const piece = this.#buffers.take(Math.min(PIECE, stop - at));
        await this.#node.read(at, piece);
        if (this.#gone) return;
        this.#dataChunk(request, 0, at, piece.length);
        this.#out.data(piece);
        at += piece.length;
      }
    }
    this.#chunk(request, CHUNK.NONE, CHUNK_DONE, 0);
  }

  // ---- replies ----

  async #status(request: Request): Promise<void> {
    const { contexts } = this.#session;
    const one = (request.flags & CMD_FLAG.REQ_ONE) !== 0;
    for (const [index, context] of contexts.entries()) {
      const runs = await extents(this.#node, context, request.at, request.length, one);
      if (this.#gone) return;
      const flags = index === contexts.length - 1 ? CHUNK_DONE : 0;
      let to = this.#chunk(request, CHUNK.BLOCK_STATUS, flags, 4 + 8 * runs.length);
      const { bytes } = this.#out;
      put32(bytes, to, context.id);
      for (const run of runs) {
        put32(bytes, (to += 4), run.length);
        put32(bytes, (to += 4), run.flags);
      }
    }
  }

  #dataChunk(request: Request, flags: number, at: number, length: number): void {
    const to = this.#chunk(request, CHUNK.OFFSET_DATA, flags, 8, length);
    put64(this.#out.bytes, to, at);
  }

  /** @returns where the payload goes; `data` more bytes follow it. Source: section "Structured reply chunk message". */
  #chunk(request: Request, type: number, flags: number, payload: number, data = 0): number {
    const at = this.#out.room(20 + payload);
    const { bytes } = this.#out;
    put32(bytes, at, MAGIC.structuredReply);
    put16(bytes, at + 4, flags);
    put16(bytes, at + 6, type);
    put32(bytes, at + 8, request.cookieHigh);
    put32(bytes, at + 12, request.cookieLow);
    put32(bytes, at + 16, payload + data);
    return at + 20;
  }

  /** Source: section "Simple reply message". */
  #simple(request: Request, error: number): void {
    const at = this.#out.room(16);
    const { bytes } = this.#out;
    put32(bytes, at, MAGIC.simpleReply);
    put32(bytes, at + 4, error);
    put32(bytes, at + 8, request.cookieHigh);
    put32(bytes, at + 12, request.cookieLow);
  }

  #fail(request: Request, error: unknown): void {
    if (!this.#gone) {
      const { number, message } = error instanceof Refused ? error : errorNumber(error);
      if (this.#session.structured) {
        const text = encode(message).subarray(0, 1024);
        const at = this.#chunk(request, CHUNK.ERROR, CHUNK_DONE, 6 + text.length);
        put32(this.#out.bytes, at, number);
        put16(this.#out.bytes, at + 4, text.length);
        this.#out.bytes.set(text, at + 6);
      } else this.#simple(request, number);
    }
    this.#end(request);
  }

  #done(request: Request): void {
    const answered = request.type === CMD.BLOCK_STATUS || request.type === CMD.READ;
    if (!this.#gone && !answered) this.#simple(request, 0);
    this.#end(request);
  }

  #end(request: Request): void {
    this.#inFlight--;
    const carries = request.type === CMD.READ || request.type === CMD.WRITE;
    if (carries && request.length <= MAX_REQUEST) this.#bytes -= request.length;
    this.#settle();
    if (this.#paused) this.#run();
  }

  #settle(): void {
    if (this.#inFlight > 0) return;
    if (this.#ending && !this.#gone) {
      this.#out.flush();
      this.#stream.end();
    }
    if (this.#gone) this.#finish(this.#why);
  }
}
