import type { CharBackend, CharFrontend } from "@mimus/chardev";

/** Bytes taken from the outside that the device has not seen yet, at most. */
const ROOM = 4096;

/**
 * A character device whose input reaches the guest's device through the machine's door, between two slices of guest code. Output passes
 * straight through: it does not change the guest.
 */
export class DoorChar implements CharBackend {
  readonly #backend: CharBackend;
  readonly #post: (fn: () => void) => void;
  readonly #fronts: Map<CharFrontend, CharFrontend> = new Map();

  /** @param post the machine's door; may come into being later than this */
  constructor(backend: CharBackend, post: (fn: () => void) => void) {
    this.#backend = backend;
    this.#post = post;
  }

  get open(): boolean {
    return this.#backend.open;
  }

  write(bytes: Uint8Array): number {
    return this.#backend.write(bytes);
  }

  attach(frontend: CharFrontend): void {
    let held = 0;
    const front: CharFrontend = {
      canReceive: () => Math.min(ROOM, Math.max(0, frontend.canReceive() - held)),
      receive: (bytes) => {
        const copy = bytes.slice();
        held += copy.length;
        this.#post(() => {
          held -= copy.length;
          frontend.receive(copy);
          this.#backend.frontendReady();
        });
      },
      event: (what) => this.#post(() => frontend.event?.(what)),
      writable: () => this.#post(() => frontend.writable?.()),
    };
    this.#fronts.set(frontend, front);
    this.#backend.attach(front);
  }

  detach(frontend: CharFrontend): void {
    const front = this.#fronts.get(frontend);
    if (front === undefined) return;
    this.#fronts.delete(frontend);
    this.#backend.detach(front);
  }

  frontendReady(): void {
    this.#backend.frontendReady();
  }

  close(): Promise<void> {
    return this.#backend.close();
  }
}
