import type { TerminalLike } from "@mimus/host-web";
import type { FromMachine } from "./protocol.ts";

/** A terminal at the far end of a message port. What is written in one stretch of guest code goes as one message. */
export class PortTerminal implements TerminalLike {
  readonly #post: (message: FromMachine) => void;
  readonly #typed: ((text: string) => void)[] = [];
  readonly #reported: ((text: string) => void)[] = [];
  /** What to call when a message was drawn, in the order of messages. */
  readonly #sent: (readonly (() => void)[])[] = [];
  #parts: Uint8Array[] = [];
  #done: (() => void)[] = [];

  constructor(post: (message: FromMachine) => void) {
    this.#post = post;
  }

  write(bytes: Uint8Array, done?: () => void): void {
    if (this.#parts.length === 0) queueMicrotask(() => this.#send());
    this.#parts.push(bytes);
    if (done !== undefined) this.#done.push(done);
  }

  onData(listener: (text: string) => void): void {
    this.#typed.push(listener);
  }

  onBinary(listener: (text: string) => void): void {
    this.#reported.push(listener);
  }

  /** The user typed or pasted. */
  typed(text: string): void {
    for (const listener of this.#typed) listener(text);
  }

  /** The terminal sent bytes. */
  reported(text: string): void {
    for (const listener of this.#reported) listener(text);
  }

  /** The oldest message is on the screen. */
  drawn(): void {
    for (const done of this.#sent.shift() ?? []) done();
  }

  #send(): void {
    const bytes = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#sent.push(this.#done);
    this.#parts = [];
    this.#done = [];
    this.#post({ type: "output", bytes });
  }
}
