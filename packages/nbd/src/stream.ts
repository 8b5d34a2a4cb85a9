import { NbdError } from "./errors.ts";

/** A two-way byte stream: a socket, plain or encrypted. Implemented by the host. */
export interface ByteStream {
  /** Who is at the other end, for messages. */
  readonly peer: string;
  /** Sets the receiver of input, in place of an earlier one. What it is given is its own from then on. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called once, when nothing more comes in; with an error when the stream broke. Replaces an earlier listener. */
  onClose(listener: (error?: Error) => void): void;
  /** Called when `write` may go on. Replaces an earlier listener. */
  onDrain(listener: () => void): void;
  /**
   * Sends pieces in order; they belong to the stream until it calls `sent`.
   * @returns false when the caller should wait for drain
   */
  write(pieces: readonly Uint8Array[], sent?: () => void): boolean;
  /** Runs `act` once, when everything that is ready in this turn of the host's loop has run. */
  later(act: () => void): void;
  /** Input waits from now on. */
  pause(): void;
  /** Input comes again. */
  resume(): void;
  /** Delivers what was written and closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** Where a server is, or is to be. */
export type StreamAddress =
  | { readonly type: "inet"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string }
  | { readonly type: "fd"; readonly fd: number };

/** The sockets of a host: service "sockets" of protocols. */
export interface StreamHost {
  /** A connection to a server. Rejects with the host's error. */
  connect(address: StreamAddress): Promise<ByteStream>;
  /** Waits for clients at an address. Rejects with the host's error, such as EADDRINUSE. */
  listen(address: StreamAddress, onClient: (stream: ByteStream) => void): Promise<StreamListener>;
}

/** A server's socket. */
export interface StreamListener {
  /** Where it listens: the port that was chosen when 0 was asked for. */
  readonly address: StreamAddress;
  /** Takes no more clients; those that are there stay. */
  close(): Promise<void>;
}

/** Credentials for TLS, of one end. */
export interface TlsCredentials {
  /** Which end they are for. */
  readonly endpoint: "client" | "server";
  /** Encrypts a stream; rejects when the other end is not who it should be. `hostname`: whose certificate a client expects. */
  secure(stream: ByteStream, options: { readonly hostname?: string }): Promise<ByteStream>;
}

/** Service "tls": credentials by the id of their object; undefined = a client's own, with the host's trust. */
export type TlsLookup = (id: string | undefined) => Promise<TlsCredentials>;

/** Bytes that are kept when nobody takes them. */
const HIGH_WATER = 1 << 18;

/** Takes exact numbers of bytes out of a stream: for negotiations. */
export class ByteReader {
  readonly #stream: ByteStream;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #paused = false;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    stream.onData((bytes) => {
      this.#chunks.push(bytes);
      this.#length += bytes.length;
      if (this.#length > HIGH_WATER && !this.#paused) {
        this.#paused = true;
        stream.pause();
      }
      this.#wake?.();
    });
    stream.onClose((error) => {
      this.#ended = true;
      this.#error = error;
      this.#wake?.();
    });
  }

  /** Bytes that came and were not taken. */
  get buffered(): number {
    return this.#length;
  }

  /** The next `length` bytes. @throws NbdError "closed" when the stream ends before */
  async take(length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    await this.#consume(length, out);
    return out;
  }

  /** Passes over `length` bytes. */
  async skip(length: number): Promise<void> {
    await this.#consume(length, undefined);
  }

  /** Resolves when the stream takes output again, or is over. */
  async drained(): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#stream.onDrain(resolve);
    });
    this.#wake = undefined;
  }

  /** What came and was not taken, in order; the reader is over. */
  rest(): Uint8Array[] {
    this.#length = 0;
    if (this.#paused) this.#stream.resume();
    return this.#chunks.splice(0);
  }

  async #consume(length: number, out: Uint8Array | undefined): Promise<void> {
    for (let done = 0; done < length;) {
      const head = this.#chunks[0];
      if (head === undefined) {
        await this.#more(length - done);
        continue;
      }
      const piece = Math.min(head.length, length - done);
      out?.set(piece === head.length ? head : head.subarray(0, piece), done);
      if (piece === head.length) this.#chunks.shift();
      else this.#chunks[0] = head.subarray(piece);
      this.#length -= piece;
      done += piece;
    }
  }

  async #more(missing: number): Promise<void> {
    if (this.#ended)
      throw new NbdError(
        "closed",
        `${this.#stream.peer} closed the connection with ${missing} bytes missing${this.#error === undefined ? "" : `: ${this.#error.message}`}`,
        { cause: this.#error },
      );
    if (this.#paused) {
      this.#paused = false;
      this.#stream.resume();
    }
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }
}
