/** How many instructions run before the host's events have their turn. */
import type { ProcessHost } from "../process.ts";

/** A slice takes about this long. */
const SLICE_NS = 10e6;
const LEAST = 20_000;
const MOST = 100_000_000;

export class Slices {
  budget = 200_000;
  readonly #host: ProcessHost;
  #began = 0;
  /** When the host last had its turn. */
  #served: number;

  constructor(host: ProcessHost) {
    this.#host = host;
    this.#served = host.monotonicNs();
  }

  begin(): void {
    this.#began = this.#host.monotonicNs();
  }

  /** A slice is over, or was left for a wait. @returns whether it is the host's turn */
  end(left: boolean): boolean {
    const now = this.#host.monotonicNs();
    const took = Math.max(now - this.#began, 1000);
    if (!left) {
      // Code gets faster as it is compiled, and slower when the program goes on to something new.
      const next = (this.budget * SLICE_NS) / took;
      this.budget = Math.round(Math.min(Math.max(next, this.budget / 4, LEAST), this.budget * 4, MOST));
    }
    // A wait lets the host have its turn, but not when it is over at once each time.
    if (left && now - this.#served < SLICE_NS) return false;
    this.#served = now;
    return true;
  }
}
