import type { CharBackend, CharEvent, CharFrontend } from "./contract.ts";
import { CharError } from "./errors.ts";

/** Input held for a front end that cannot take it; beyond this the sender is paused, or else bytes are dropped. */
const HELD_LIMIT = 64 * 1024;

/** Attachment and held-back input, shared by all back ends. Subclasses send output and call {@link BaseChar.input}. */
export abstract class BaseChar implements CharBackend {
  #frontend: CharFrontend | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #open: boolean;
  readonly label: string;
  /** Input bytes that nobody took. */
  dropped = 0;

  constructor(label: string, open = true) {
    this.label = label;
    this.#open = open;
  }

  get open(): boolean {
    return this.#open;
  }

  abstract write(bytes: Uint8Array): number;
  abstract close(): Promise<void>;

  attach(frontend: CharFrontend): void {
    if (this.#frontend !== undefined && this.#frontend !== frontend)
      throw new CharError(
        "busy",
        `Character device "${this.label}" is already in use; give each user its own, or add mux=on`,
      );
    this.#frontend = frontend;
    if (this.#open) frontend.event?.("opened");
    this.frontendReady();
  }

  detach(frontend: CharFrontend): void {
    if (this.#frontend === frontend) this.#frontend = undefined;
  }

  frontendReady(): void {
    const frontend = this.#frontend;
    if (frontend === undefined) return;
    for (let head = this.#held[0]; head !== undefined; head = this.#held[0]) {
      const room = frontend.canReceive();
      if (room <= 0) break;
      const part = head.subarray(0, room);
      if (part.length === head.length) this.#held.shift();
      else this.#held[0] = head.subarray(part.length);
      this.#heldBytes -= part.length;
      frontend.receive(part);
    }
    if (this.#heldBytes < HELD_LIMIT / 2) this.resumeInput();
  }

  /** Bytes came from outside. */
  protected input(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const room = Math.max(HELD_LIMIT - this.#heldBytes, 0);
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.dropped += bytes.length - kept.length;
    if (kept.length > 0) {
      this.#held.push(kept.slice());
      this.#heldBytes += kept.length;
    }
    this.frontendReady();
    if (this.#heldBytes >= HELD_LIMIT / 2) this.pauseInput();
  }

  protected event(event: CharEvent): void {
    if (event === "opened") this.#open = true;
    if (event === "closed") this.#open = false;
    this.#frontend?.event?.(event);
  }

  protected writable(): void {
    this.#frontend?.writable?.();
  }

  protected pauseInput(): void {}
  protected resumeInput(): void {}
}
