import type { LogRecord } from "@mimus/machine-core";
import type { VcpuThreadHost } from "./threads/host.ts";

/** What a running machine needs of the outside world. Times are nanoseconds. */
export interface SystemHost {
  /** Time since any start; never goes back. */
  now(): number;
  /** Time since 1970-01-01 UTC. */
  wallNow(): number;
  /** Lets the host's events happen: input, completions, timers of others. */
  yield(): Promise<void>;
  /**
   * Resolves when {@link SystemHost.now} reaches `deadline` (Infinity: never by itself), or earlier when the function handed to `arm` is
   * called. `arm` is called before this returns.
   */
  sleepUntil(deadline: number, arm: (wake: () => void) => void): Promise<void>;
  /** Fills with unpredictable bytes. */
  random(bytes: Uint8Array): void;
  /** Threads for vCPUs; absent where there are none. */
  readonly threads?: VcpuThreadHost;
  /** Takes what the machine logs; absent: nobody does. */
  log?(record: LogRecord): void;
}
