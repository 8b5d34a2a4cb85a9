interface Held {
  readonly at: number;
  readonly end: number;
  readonly done: Promise<void>;
}

/** Keeps requests that overlap from running at the same time: for copies that must not overwrite newer bytes. */
export class RangeLock {
  readonly #held: Set<Held> = new Set();

  /** Waits until nobody holds a part of the range, then holds it; the result lets go. */
  async acquire(at: number, length: number): Promise<() => void> {
    const end = at + length;
    for (;;) {
      const other = this.#overlapping(at, end);
      if (!other) break;
      await other.done;
    }
    let finish = (): void => undefined;
    const held: Held = { at, end, done: new Promise((resolve) => (finish = resolve)) };
    this.#held.add(held);
    return () => {
      if (this.#held.delete(held)) finish();
    };
  }

  /** Runs `act` while holding the range, bytes. */
  async run<T>(at: number, length: number, act: () => Promise<T>): Promise<T> {
    const release = await this.acquire(at, length);
    try {
      return await act();
    } finally {
      release();
    }
  }

  #overlapping(at: number, end: number): Held | undefined {
    for (const h of this.#held) if (h.at < end && at < h.end) return h;
    return undefined;
  }
}
