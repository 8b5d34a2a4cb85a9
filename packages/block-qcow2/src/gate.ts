/**
 * Lets ordinary requests through together and operations on the whole image alone, and tells when all requests that had
 * begun before a moment have ended: what was freed before may then be given out again.
 */
export class Gate {
  #closed = false;
  #generation = 0;
  readonly #inside: [number, number] = [0, 0];
  #waiting: (() => void)[] = [];
  #emptied: (() => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Begins a request; the answer goes to `leave`. A promise while an operation has the image alone. */
  enter(): number | Promise<number> {
    if (this.#closed) return this.#wait();
    const g = this.#generation;
    this.#inside[g]!++;
    return g;
  }

  leave(generation: number): void {
    if (--this.#inside[generation]! > 0 || !this.#closed) return;
    if (this.#inside[0] + this.#inside[1] === 0) this.#emptied?.();
  }

  /** Runs work when no request is inside; requests wait until it has ended. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      this.#closed = true;
      if (this.#inside[0] + this.#inside[1] > 0)
        await new Promise<void>((resolve) => {
          this.#emptied = resolve;
        });
      this.#emptied = undefined;
      try {
        return await work();
      } finally {
        this.#closed = false;
        for (const wake of this.#waiting.splice(0)) wake();
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** No operation has the image alone. */
  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Nobody is inside. */
  get empty(): boolean {
    return this.#inside[0] + this.#inside[1] === 0;
  }

  /** Requests that began in a generation and are still inside. */
  inside(generation: number): number {
    return this.#inside[generation] ?? 0;
  }

  /** Requests from now on belong to the other generation; returns the one before. */
  turn(): number {
    const before = this.#generation;
    this.#generation = 1 - before;
    return before;
  }

  async #wait(): Promise<number> {
    while (this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.enter();
  }
}

/** Ranges of clusters that a request is changing: those that touch each other go one after the other. */
export class RangeLocks {
  readonly #held: Set<{ readonly first: number; readonly end: number; readonly done: Promise<void> }> = new Set();

  /** Resolves, with what gives the range free again, when nobody else holds a part of it. */
  async take(first: number, end: number): Promise<() => void> {
    for (;;) {
      const other = this.#find(first, end);
      if (!other) break;
      await other.done;
    }
    let release = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    const range = { first, end, done };
    this.#held.add(range);
    return () => {
      this.#held.delete(range);
      release();
    };
  }

  #find(first: number, end: number): { readonly done: Promise<void> } | undefined {
    for (const r of this.#held) if (r.first < end && first < r.end) return r;
    return undefined;
  }
}
