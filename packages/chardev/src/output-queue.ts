import type { CharBackend } from "./contract.ts";

/** What a front end has to say, kept until the far end takes it. */
export class OutputQueue {
  readonly #char: CharBackend;
  #pending: Uint8Array[] = [];

  constructor(char: CharBackend) {
    this.#char = char;
  }

  write(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.flush();
  }

  /** Sends what is accepted: for the front end's `writable`. */
  flush(): void {
    for (let head = this.#pending[0]; head !== undefined; head = this.#pending[0]) {
      const accepted = this.#char.write(head);
      if (accepted < head.length) {
        this.#pending[0] = head.subarray(accepted);
        return;
      }
      this.#pending.shift();
    }
  }

  /** Nobody will take what is left. */
  clear(): void {
    this.#pending = [];
  }
}
