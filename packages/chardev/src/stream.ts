import { BaseChar } from "./base.ts";
import type { HostStream } from "./contract.ts";

/** A back end over one host stream that is open from start to end: stdio, file, pty. */
export class StreamChar extends BaseChar {
  readonly #stream: HostStream;
  #full = false;

  constructor(label: string, stream: HostStream) {
    super(label);
    this.#stream = stream;
    stream.onData((bytes) => this.input(bytes));
    stream.onDrain(() => {
      this.#full = false;
      this.writable();
    });
    stream.onClose(() => this.event("closed"));
  }

  override write(bytes: Uint8Array): number {
    if (!this.open) return bytes.length;
    if (this.#full) return 0;
    this.#full = !this.#stream.write(bytes);
    return bytes.length;
  }

  protected override pauseInput(): void {
    this.#stream.pause();
  }

  protected override resumeInput(): void {
    this.#stream.resume();
  }

  override close(): Promise<void> {
    return this.#stream.close();
  }
}
