/**
 * What an image does once before its first change. Writers that come meanwhile wait for it; after a failure the next one
 * tries again.
 */
export class FirstWrite {
  readonly #act: (() => Promise<void>) | undefined;
  #running: Promise<void> | undefined;
  #pending: boolean;

  constructor(act: (() => Promise<void>) | undefined) {
    this.#act = act;
    this.#pending = act !== undefined;
  }

  /** It has yet to be done. */
  get pending(): boolean {
    return this.#pending;
  }

  /** Does it, or waits for who is at it. */
  async done(): Promise<void> {
    if (!this.#pending) return;
    this.#running ??= this.#act?.();
    try {
      await this.#running;
      this.#pending = false;
    } finally {
      this.#running = undefined;
    }
  }

  /** The image became read-only: who opens it for writing anew changes it anew. */
  rearm(): void {
    this.#pending = this.#act !== undefined;
  }
}
