import { late } from "./builtins.ts";

/** Time, waiting and randomness of Node for a running machine; the shape is that of `SystemHost` in `@mimus/system`. */
export interface NodeClock {
  now(): number;
  wallNow(): number;
  yield(): Promise<void>;
  sleepUntil(deadline: number, arm: (wake: () => void) => void): Promise<void>;
  random(bytes: Uint8Array): void;
}

/** How a clock differs from the host's. */
export interface NodeClockOptions {
  /** Nanoseconds added to the wall clock, for `-rtc base=`. */
  readonly wallOffset?: number;
  /** Makes all randomness repeatable. */
  readonly seed?: number;
}

/** setTimeout's longest delay. */
const LONGEST_MS = 2 ** 31 - 1;

/** The clock of this process. Times are nanoseconds. */
export function nodeClock(options: NodeClockOptions = {}): NodeClock {
  const now = (): number => performance.now() * 1e6;
  return {
    now,
    wallNow: () => (performance.timeOrigin + performance.now()) * 1e6 + (options.wallOffset ?? 0),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
    sleepUntil: (deadline, arm) =>
      new Promise((resolve) => {
        const milliseconds = Math.min(Math.max((deadline - now()) / 1e6, 0), LONGEST_MS);
        // A timer of many days keeps the process alive while an idle machine waits for input.
        const timer = setTimeout(resolve, Math.ceil(milliseconds));
        arm(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
    random: options.seed === undefined ? (bytes) => void late.crypto.randomFillSync(bytes) : seeded(options.seed),
  };
}

/** xorshift32 (Marsaglia 2003): repeatable, not secret. */
function seeded(seed: number): (bytes: Uint8Array) => void {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state = (state ^ (state << 5)) >>> 0;
      bytes[i] = state >>> 24;
    }
  };
}
