/** Runs one async piece of work after the other, in the order of asking: what changes an image's tables. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Work that runs or waits. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves (or fails) as `work` does. Work must not ask for the same mutex: it would wait for itself. */
  run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const done = this.#last.then(work).finally(() => this.#waiting--);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
