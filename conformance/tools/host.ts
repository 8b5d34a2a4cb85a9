/** The host of a machine in a Node process: time, sleep, randomness. For tools that run without the command line. */
import { randomFillSync } from "node:crypto";
import type { LogRecord } from "@mimus/machine-core";
import type { SystemHost } from "@mimus/system";

/** Longest `setTimeout`, ms: a longer one fires at once. */
const LONGEST = 2 ** 31 - 1;

export function nodeHost(log?: (record: LogRecord) => void): SystemHost {
  return {
    now: () => performance.now() * 1e6,
    wallNow: () => Date.now() * 1e6,
    yield: () => new Promise((resolve) => void setImmediate(resolve)),
    sleepUntil: (deadline, arm) =>
      new Promise((resolve) => {
        const ms = Math.min(LONGEST, Math.max(0, deadline / 1e6 - performance.now()));
        const timer = setTimeout(resolve, ms);
        arm(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
    random: (bytes) => void randomFillSync(bytes),
    ...(log === undefined ? {} : { log }),
  };
}
