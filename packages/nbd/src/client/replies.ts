import { decode, u16, u32, u64 } from "../bytes.ts";
import { CHUNK, CHUNK_DONE, CMD, MAGIC, MAX_REQUEST, MAX_STRING } from "../constants.ts";
import { NbdError } from "../errors.ts";

/** A request that waits for its answer. */
export interface Pending {
  readonly type: number;
  readonly at: number;
  readonly length: number;
  /** Where the data of a read goes. */
  readonly into: Uint8Array | undefined;
  /** Number of the context whose runs are wanted. */
  readonly context: number | undefined;
  readonly runs: { length: number; flags: number }[] | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Bytes of a read that have come. */
  covered: number;
  error: { readonly number: number; readonly message: string } | undefined;
}

/** Bytes of a chunk that is no data: an error's text, or runs. */
const MAX_PAYLOAD = 1 << 20;

/** Cuts a stream into replies and puts data where it belongs. Source: sections "Simple reply message", "Structured reply chunk message". */
export class ReplyParser {
  readonly #structured: boolean;
  readonly #find: (cookie: number) => Pending | undefined;
  readonly #head: Uint8Array = new Uint8Array(32);
  #headBytes = 0;
  #need = 4;
  #pending: Pending | undefined;
  #type = 0;
  #last = false;
  /** Where bytes of data go next: the caller's array, or that of a payload. */
  #into: Uint8Array | undefined;
  #intoBytes = 0;
  #payload = false;

  constructor(structured: boolean, find: (cookie: number) => Pending | undefined) {
    this.#structured = structured;
    this.#find = find;
  }

  /** @throws NbdError "protocol" for bytes that no server may send */
  push(bytes: Uint8Array, answered: (pending: Pending) => void): void {
    for (let at = 0; at < bytes.length;) {
      const into = this.#into;
      if (into !== undefined) {
        const piece = Math.min(bytes.length - at, into.length - this.#intoBytes);
        into.set(bytes.subarray(at, at + piece), this.#intoBytes);
        at += piece;
        this.#intoBytes += piece;
        if (this.#intoBytes === into.length) this.#arrived(into, answered);
        continue;
      }
      const piece = Math.min(bytes.length - at, this.#need - this.#headBytes);
      this.#head.set(bytes.subarray(at, at + piece), this.#headBytes);
      at += piece;
      this.#headBytes += piece;
      if (this.#headBytes === this.#need) this.#step(answered);
    }
  }

  /** A part of the head is complete: the magic number says how long it is, the rest what follows. */
  #step(answered: (pending: Pending) => void): void {
    const head = this.#head;
    const magic = u32(head, 0);
    if (this.#need === 4) {
      if (magic === MAGIC.simpleReply) this.#need = 16;
      else if (magic === MAGIC.structuredReply && this.#structured) this.#need = 20;
      else throw new NbdError("protocol", `the server sent a reply with magic number 0x${magic.toString(16)}`);
      return;
    }
    if (this.#need === 16) return this.#simple(answered);
    if (this.#need === 20) return this.#chunk(answered);
    // Offset of data: 28 bytes in all.
    const pending = this.#pending as Pending;
    const length = u32(head, 16) - 8;
    this.#receive(pending, u64(head, 20), length);
  }

  #simple(answered: (pending: Pending) => void): void {
    const number = u32(this.#head, 4);
    const pending = this.#known(u32(this.#head, 8), u32(this.#head, 12));
    if (this.#structured && pending.type === CMD.READ)
      throw new NbdError(
        "protocol",
        "the server answered a read with a simple reply where structured ones were agreed on",
      );
    if (number !== 0) pending.error = { number, message: "" };
    this.#pending = pending;
    this.#last = true;
    if (number === 0 && pending.into !== undefined) this.#receive(pending, pending.at, pending.length);
    if (this.#into === undefined) this.#finish(answered);
  }

  #chunk(answered: (pending: Pending) => void): void {
    const head = this.#head;
    const pending = this.#known(u32(head, 8), u32(head, 12));
    this.#pending = pending;
    this.#last = (u16(head, 4) & CHUNK_DONE) !== 0;
    this.#type = u16(head, 6);
    const length = u32(head, 16);
    if (this.#type === CHUNK.NONE) {
      if (length !== 0 || !this.#last) throw new NbdError("protocol", "the server sent an empty chunk that is none");
      return this.#finish(answered);
    }
    if (this.#type === CHUNK.OFFSET_DATA) {
      if (pending.into === undefined || length <= 8 || length > MAX_REQUEST + 8)
        throw new NbdError("protocol", `the server sent data of ${length - 8} bytes that nobody asked for`);
      this.#need = 28;
      return;
    }
    if (length > MAX_PAYLOAD) throw new NbdError("protocol", `the server sent a chunk of ${length} bytes`);
    if (length === 0) return this.#arrived(new Uint8Array(0), answered);
    this.#payload = true;
    this.#into = new Uint8Array(length);
    this.#intoBytes = 0;
  }

  /** Bytes of data come next. */
  #receive(pending: Pending, offset: number, length: number): void {
    const start = offset - pending.at;
    if (start < 0 || start + length > pending.length)
      throw new NbdError(
        "protocol",
        `the server sent ${length} bytes at ${offset}, outside the read of ${pending.length} bytes at ${pending.at}`,
      );
    pending.covered += length;
    if (pending.covered > pending.length) throw new NbdError("protocol", "the server sent the same bytes twice");
    if (length === 0) return;
    this.#payload = false;
    this.#into = (pending.into as Uint8Array).subarray(start, start + length);
    this.#intoBytes = 0;
  }

  #arrived(bytes: Uint8Array, answered: (pending: Pending) => void): void {
    const pending = this.#pending as Pending;
    if (this.#payload || bytes.length === 0) this.#payloadArrived(pending, bytes);
    this.#finish(answered);
  }

  #payloadArrived(pending: Pending, bytes: Uint8Array): void {
    const type = this.#type;
    const bad = (): NbdError =>
      new NbdError("protocol", `the server sent a chunk of type ${type} with ${bytes.length} bytes`);
    if (type === CHUNK.OFFSET_HOLE) {
      if (bytes.length !== 12 || pending.into === undefined) throw bad();
      const [offset, length] = [u64(bytes, 0), u32(bytes, 8)];
      const start = offset - pending.at;
      if (start < 0 || start + length > pending.length) throw bad();
      pending.into.fill(0, start, start + length);
      pending.covered += length;
      if (pending.covered > pending.length) throw bad();
    } else if (type === CHUNK.BLOCK_STATUS) {
      if (pending.runs === undefined || bytes.length < 12 || (bytes.length - 4) % 8 !== 0) throw bad();
      if (u32(bytes, 0) !== pending.context) return;
      if (pending.runs.length > 0) throw bad();
      for (let at = 4; at < bytes.length; at += 8) {
        const length = u32(bytes, at);
        if (length === 0) throw bad();
        pending.runs.push({ length, flags: u32(bytes, at + 4) });
      }
    } else if (type & 0x8000) {
      if (bytes.length < 6 || u16(bytes, 4) > bytes.length - 6) throw bad();
      const text = decode(bytes.subarray(6, 6 + Math.min(u16(bytes, 4), MAX_STRING))) ?? "";
      // An error without a number still is one.
      pending.error ??= { number: u32(bytes, 0) || 22, message: text.replace(/\p{Cc}+/gu, " ") };
    } else throw bad();
  }

  /** A reply, or one chunk of one, is complete. */
  #finish(answered: (pending: Pending) => void): void {
    const pending = this.#pending as Pending;
    this.#pending = undefined;
    this.#into = undefined;
    this.#payload = false;
    this.#headBytes = 0;
    this.#need = 4;
    if (!this.#last) return;
    if (pending.into !== undefined && pending.error === undefined && pending.covered !== pending.length)
      throw new NbdError("protocol", `the server answered a read of ${pending.length} bytes with ${pending.covered}`);
    answered(pending);
  }

  #known(high: number, low: number): Pending {
    const pending = high < 1 << 21 ? this.#find(high * 2 ** 32 + low) : undefined;
    if (pending === undefined) throw new NbdError("protocol", "the server answered a request that nobody sent");
    return pending;
  }
}
