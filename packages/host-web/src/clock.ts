/** Time, waiting and randomness of a page or a worker for a running machine; the shape is that of `SystemHost` in `@mimus/system`. */
export interface WebClock {
  /** Nanoseconds since the page or worker began. Browsers round it: to 5 µs with cross-origin isolation, to 100 µs without. */
  now(): number;
  /** Nanoseconds since 1970-01-01 UTC. */
  wallNow(): number;
  /** Lets messages, input and drawing happen. */
  yield(): Promise<void>;
  sleepUntil(deadline: number, arm: (wake: () => void) => void): Promise<void>;
  random(bytes: Uint8Array): void;
  /** Gives the message channel back; the clock is of no use afterwards. */
  close(): void;
}

/** How a clock differs from the browser's. */
export interface WebClockOptions {
  /** Nanoseconds added to the wall clock. */
  readonly wallOffset?: number;
}

/** setTimeout's longest delay. */
const LONGEST_MS = 2 ** 31 - 1;
/** Timers set from timers are held back to this after five levels. Source: HTML Standard, "timer initialization steps". */
const CLAMP_MS = 4;
/** Web Crypto fills at most this much at once. Source: Web Cryptography API, getRandomValues. */
const MOST_RANDOM = 65536;

/** The clock of this page or worker. */
export function webClock(options: WebClockOptions = {}): WebClock {
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.addEventListener("message", () => waiting.shift()?.());
  channel.port1.start();
  const now = (): number => performance.now() * 1e6;

  // A message to oneself is a task of its own, as a timer of 0 ms is, but no browser delays it.
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(undefined);
    });

  return {
    now,
    wallNow: () => (performance.timeOrigin + performance.now()) * 1e6 + (options.wallOffset ?? 0),
    yield: turn,
    async sleepUntil(deadline, arm) {
      let over = false;
      let finish = (): void => {};
      arm(() => {
        over = true;
        finish();
      });
      // From within the task of a message the count of nested timers starts again, so that short sleeps stay short.
      if ((deadline - now()) / 1e6 <= CLAMP_MS) await turn();
      const milliseconds = Math.ceil((deadline - now()) / 1e6);
      if (over || milliseconds <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_MS));
        finish = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    random(bytes) {
      for (let at = 0; at < bytes.length; at += MOST_RANDOM) {
        const part = bytes.subarray(at, at + MOST_RANDOM);
        // A view of shared memory is refused.
        const own = new Uint8Array(part.length);
        part.set(crypto.getRandomValues(own));
      }
    },
    close() {
      channel.port1.close();
    },
  };
}
