import { BaseChar } from "./base.ts";
import type { CharHost, HostStream, SocketAddress } from "./contract.ts";

/** How a socket is made. */
export interface SocketOptions {
  readonly address: SocketAddress;
  /** It listens; otherwise it connects. */
  readonly server: boolean;
  /** Seconds between attempts of a client to connect again; 0 never tries again. */
  readonly reconnect: number;
}

/** Clients of a server that wait for their turn; further ones are turned away. */
const MAX_WAITING = 16;

/** A TCP or UNIX socket: one client at a time, as a server or as a client. Output without a client is dropped. */
export class SocketChar extends BaseChar {
  readonly #host: CharHost;
  readonly #options: SocketOptions;
  #stream: HostStream | undefined;
  /** Clients that came while another was there, which may have left already without this process knowing. */
  #waiting: HostStream[] = [];
  #listener: { close(): Promise<void>; description: string } | undefined;
  #full = false;
  #closed = false;
  #firstClient: (() => void) | undefined;

  private constructor(label: string, host: CharHost, options: SocketOptions) {
    super(label, false);
    this.#host = host;
    this.#options = options;
  }

  /** @param wait a server returns when the first client is there. */
  static async open(label: string, host: CharHost, options: SocketOptions, wait: boolean): Promise<SocketChar> {
    const char = new SocketChar(label, host, options);
    if (!options.server) {
      await char.#connect();
      return char;
    }
    char.#listener = await host.listen(options.address, (stream) => char.#accept(stream));
    if (wait) {
      host.notice(`waiting for connection on: ${char.#listener.description}`);
      await new Promise<void>((resolve) => (char.#firstClient = resolve));
    }
    return char;
  }

  async #connect(): Promise<void> {
    try {
      this.#accept(await this.#host.connect(this.#options.address));
    } catch (error) {
      if (this.#options.reconnect <= 0) throw error;
      this.#retry();
    }
  }

  #retry(): void {
    if (!this.#closed) this.#host.after(this.#options.reconnect * 1000, () => void this.#connect().catch(() => {}));
  }

  #accept(stream: HostStream): void {
    stream.onClose(() => this.#left(stream));
    if (this.#stream === undefined) this.#serve(stream);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(stream);
    else void stream.close();
  }

  #serve(stream: HostStream): void {
    this.#stream = stream;
    this.#full = false;
    stream.onData((bytes) => this.input(bytes));
    stream.onDrain(() => {
      this.#full = false;
      this.writable();
    });
    this.event("opened");
    this.#firstClient?.();
  }

  #left(stream: HostStream): void {
    if (stream !== this.#stream) {
      this.#waiting = this.#waiting.filter((one) => one !== stream);
      return;
    }
    this.#stream = undefined;
    this.event("closed");
    if (!this.#options.server && this.#options.reconnect > 0) this.#retry();
    const next = this.#closed ? undefined : this.#waiting.shift();
    if (next !== undefined) this.#serve(next);
  }

  override write(bytes: Uint8Array): number {
    if (this.#stream === undefined) return bytes.length;
    if (this.#full) return 0;
    this.#full = !this.#stream.write(bytes);
    return bytes.length;
  }

  protected override pauseInput(): void {
    this.#stream?.pause();
  }

  protected override resumeInput(): void {
    this.#stream?.resume();
  }

  override async close(): Promise<void> {
    this.#closed = true;
    // A listener is closed when its client has gone.
    await Promise.all([this.#listener?.close(), this.#stream?.close(), ...this.#waiting.map((one) => one.close())]);
  }
}
